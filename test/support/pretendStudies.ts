/** Studies that simulate training, with results like those of the paper's Figure 4a. */
import { changedTags } from "../../src/shared/tags.ts";
import { UserError } from "../../src/main/services/services.ts";
import { readDefinition } from "../../src/main/studies/definition.ts";
import type { EventName, EventPayload, Handlers } from "../../src/shared/contract.ts";
import { stepsPerEpoch, totalSteps } from "../../src/shared/experiment.ts";
import type { Evaluation } from "../../src/shared/run.ts";
import type { StudyCell } from "../../src/shared/study/expand.ts";
import { studyPresets } from "../../src/shared/study/presets.ts";
import type { StudyDetail, StudyPoint, StudySummary } from "../../src/shared/study/result.ts";
import { study as studyForm, type Study } from "../../src/shared/study/study.ts";
import { hyperparameterColumns } from "../../src/shared/tower.ts";

interface FakeStudy {
  summary: StudySummary;
  cells: readonly StudyCell[];
  points: Map<string, StudyPoint>;
}

type StudyHandlers = Pick<Handlers, Extract<keyof Handlers, `studies.${string}`>>;
export type Emit = <N extends EventName>(name: N, payload: EventPayload<N>) => void;
/** Creates an ended run; resolves to its id. */
export type AddRun = (cell: StudyCell, study: string, ended: { status: "finished" | "diverged"; steps: number; evaluations: Evaluation[] }) => string;

/** A study with this name is refused by the service, not by the form's validation. */
export const refusedStudy = "refuse me";

/** Deterministic pseudo-noise in (-1, 1). */
function noise(...of: number[]): number {
  const x = Math.sin(of.reduce((sum, value, i) => sum + value * (127.1 + 184.6 * i), 0)) * 43758.5453;
  return (x - Math.floor(x)) * 2 - 1;
}

/** log10 of the smallest and largest step size that trains, by height. */
const edges = [
  [-3.6, 1.6],
  [-6.6, 1.9],
  [-7.9, 1.9],
  [-8.6, 2.3],
] as const;

/** Test error after training, in percent; null for a run that diverges. */
function errorOf({ height, values, seed, experiment }: StudyCell): number | null {
  const alpha = values[0] ?? experiment.tower[0]?.alpha ?? 0.01;
  const at = Math.log10(Math.max(alpha, 1e-12));
  const [low, high] = edges[Math.min(height, 3)]!;
  if (at > high || (at > high - 0.8 && noise(seed, height) > 0.4)) return null;
  const best = 2.6 + 0.25 * height + 0.05 * (values[1] ?? 0);
  const untrained = 88 / (1 + Math.exp(3 * (at - low)));
  const slope = 0.9 * Math.max(0, -0.5 - at);
  return Math.min(90, best + untrained + slope + (0.3 + 0.03 * untrained) * noise(seed, height, at));
}

export class PretendStudies {
  readonly studies = new Map<string, FakeStudy>();
  readonly handlers: StudyHandlers;
  private readonly emit: Emit;
  private readonly addRun: AddRun;
  private nextId = 1;

  constructor(emit: Emit, addRun: AddRun) {
    this.emit = emit;
    this.addRun = addRun;
    this.handlers = this.makeHandlers();
  }

  private study(id: string): FakeStudy {
    const found = this.studies.get(id);
    if (!found) throw new UserError(`there is no study ${id}`);
    return found;
  }

  private makeHandlers(): StudyHandlers {
    return {
      "studies.presets": () => studyPresets.map((preset) => ({ ...preset, study: studyForm.parse(preset.study) })),
      "studies.validate": ({ study }) => {
        const definition = readDefinition(study);
        return definition.ok ? { ok: true, study: definition.study, runs: definition.cells.length } : { ok: false, errors: [...definition.errors] };
      },
      "studies.estimate": ({ study }) => {
        const { cells } = this.read(study);
        return { runs: cells.length, workers: 2, threads: 1, cohort: 1, duration: cells.length * 4_000, disk: cells.length * 900_000, diskFree: 41e9 };
      },
      "studies.start": ({ study }) => this.start(study),
      "studies.pause": ({ study }) => this.change(study, { status: "paused", running: 0, millisecondsLeft: null }),
      "studies.resume": ({ study }) => this.change(study, { status: "running" }),
      "studies.stop": ({ study }) => this.change(study, { status: "stopped", running: 0, millisecondsLeft: null, finishedAt: Date.now() }),
      "studies.extend": ({ study, definition }) => this.extend(study, definition),
      "studies.retry": ({ study }) => this.retry(study),
      "studies.list": ({ deleted }) => [...this.studies.values()].map(({ summary }) => summary).filter(({ deletedAt }) => (deletedAt !== null) === deleted),
      "studies.get": ({ study }) => this.detail(study),
      "studies.rename": ({ study, name }) => this.change(study, { name }),
      "studies.tag": ({ studies, add, remove }) => studies.map((id) => this.change(id, { tags: changedTags(this.detail(id).tags ?? [], add, remove) })),
      "studies.delete": ({ studies }) => studies.map((id) => this.change(id, { deletedAt: Date.now() })),
      "studies.restore": ({ studies }) => studies.map((id) => this.change(id, { deletedAt: null })),
      "studies.trajectories": ({ study, metric, maxPoints }) => this.trajectories(study, metric, maxPoints),
    };
  }

  private read(input: unknown): { study: Study; cells: readonly StudyCell[] } {
    const definition = readDefinition(input);
    if (!definition.ok) throw new UserError("the study is not valid", [...definition.errors]);
    if (definition.study.name === refusedStudy) throw new UserError("the study is refused", [{ path: "seeds", message: "seeds are refused here" }]);
    return definition;
  }

  detail(id: string): StudyDetail {
    const { summary, points } = this.study(id);
    return { ...summary, points: [...points.values()] };
  }

  start(input: unknown): StudySummary {
    const { study, cells } = this.read(input);
    const id = `study${this.nextId++}`;
    const summary: StudySummary = {
      id, name: study.name, status: "running", reason: null, study, createdAt: Date.now(), startedAt: Date.now(), finishedAt: null, trained: { milliseconds: 0, from: "clock" }, runningSince: Date.now(),
      total: cells.length, finished: 0, diverged: 0, failed: 0, pruned: 0, skipped: 0, running: 0, millisecondsLeft: null, deletedAt: null,
    };
    this.studies.set(id, { summary, cells, points: new Map(cells.map((cell) => [cell.key, waiting(cell)])) });
    this.emit("study.changed", summary);
    return summary;
  }

  private extend(id: string, input: unknown): StudySummary {
    const { study, cells } = this.read(input);
    const fake = this.study(id);
    fake.points = new Map(cells.map((cell) => [cell.key, fake.points.get(cell.key) ?? waiting(cell)]));
    fake.cells = cells;
    return this.change(id, { study, total: cells.length, status: "running" });
  }

  private retry(id: string): StudySummary {
    const { points, cells } = this.study(id);
    for (const cell of cells) if (points.get(cell.key)?.status === "failed") points.set(cell.key, waiting(cell));
    return this.change(id, { status: "running", failed: 0 });
  }

  private change(id: string, part: Partial<StudySummary>): StudySummary {
    const fake = this.study(id);
    fake.summary = { ...fake.summary, ...part };
    this.emit("study.changed", fake.summary);
    return fake.summary;
  }

  /** Ends the next `count` runs of every running study. */
  tick(count: number): void {
    for (const { summary } of this.studies.values()) if (summary.status === "running") this.advance(summary.id, count);
  }

  /** Ends the next runs of a study. */
  advance(id: string, count: number): void {
    const fake = this.study(id);
    const next = fake.cells.filter((cell) => fake.points.get(cell.key)?.status === "waiting").slice(0, count);
    for (const cell of next) this.end(id, cell);
    this.recount(id);
  }

  /** Fails a queued run. */
  fail(id: string, index: number, reason: string): void {
    const { cells, points } = this.study(id);
    const cell = cells[index]!;
    points.set(cell.key, { ...waiting(cell), status: "failed", reason, attempts: 1 });
    this.recount(id);
  }

  private recount(id: string): void {
    const { points } = this.study(id);
    const count = (status: StudyPoint["status"]) => [...points.values()].filter((point) => point.status === status).length;
    const left = count("waiting");
    this.change(id, {
      finished: count("finished"), diverged: count("diverged"), failed: count("failed"), pruned: count("pruned"), running: Math.min(2, left),
      millisecondsLeft: left === 0 ? null : left * 2_000,
      ...(left === 0 ? { status: "finished" as const, finishedAt: Date.now() } : {}),
    });
  }

  private end(id: string, cell: StudyCell): void {
    const { experiment: e } = cell;
    const error = errorOf(cell);
    const perEpoch = stepsPerEpoch(e);
    const evaluations = Array.from({ length: error === null ? 0 : e.budget.epochs }, (_, i): Evaluation => {
      const rest = 90 * Math.exp(-1.2 * (i + 1));
      const testError = Math.min(90, (error ?? 0) + (i + 1 === e.budget.epochs ? 0 : rest * 0.3));
      return { step: perEpoch * (i + 1), epoch: i + 1, trainLoss: testError / 30, testLoss: testError / 28, testError };
    });
    const status = error === null ? "diverged" : "finished";
    const steps = error === null ? Math.round(perEpoch / 3) : totalSteps(e);
    const run = this.addRun(cell, id, { status, steps, evaluations });
    const point: StudyPoint = {
      ...waiting(cell), run, status, reason: error === null ? `the loss became NaN at step ${steps}` : null, attempts: 1, steps,
      trainingTime: steps * (1.9 + 0.05 * cell.height), evaluations,
      hyperparameters: hyperparameterColumns(e.tower).map((c) => ({ level: c.level, name: c.spec.name, metric: c.metric, initial: c.initial, value: course(c.initial, 1, cell) })),
    };
    this.study(id).points.set(cell.key, point);
    this.emit("study.advanced", { study: id, point });
  }

  private trajectories(id: string, metric: string, maxPoints: number) {
    const { points, cells } = this.study(id);
    return cells.flatMap((cell) => {
      const point = points.get(cell.key);
      const column = hyperparameterColumns(cell.experiment.tower).find((c) => c.metric === metric);
      if (!point?.run || !column) return [];
      const steps = Array.from({ length: maxPoints }, (_, i) => Math.round((i * (point.steps - 1)) / (maxPoints - 1)));
      return [{ key: cell.key, run: point.run, steps, values: steps.map((step) => course(column.initial, step / point.totalSteps, cell)) }];
    });
  }
}

/** A step size that a level above moves toward 0.3, whatever it starts from. */
function course(initial: number, share: number, { height, seed }: StudyCell): number {
  if (height === 0) return initial;
  const goal = Math.log10(0.3) + 0.15 * noise(seed, height);
  const pull = 1 - Math.exp(-(2 + height) * share * 3);
  return 10 ** (Math.log10(Math.max(initial, 1e-12)) * (1 - pull) + goal * pull);
}

function waiting(cell: StudyCell): StudyPoint {
  return {
    key: cell.key, height: cell.height, ...(cell.stack !== undefined && { stack: cell.stack }), values: [...cell.values], seed: cell.seed,
    run: null, status: "waiting", reason: null, attempts: 0, steps: 0, totalSteps: totalSteps(cell.experiment), trainingTime: null, hyperparameters: [], evaluations: [],
  };
}
