/** Services that simulate training, to test the window without engines, a store or waiting. */
import { changedTags } from "../../src/shared/tags.ts";
import { exportRun } from "../../src/main/reports/index.ts";
import { Reports } from "../../src/main/services/reports.ts";
import { UserError, type ExportFile, type Services, type TextFile } from "../../src/main/services/services.ts";
import { noPredictions } from "./noPredictions.ts";
import type { StoredStep } from "../../src/main/store/runReader.ts";
import type { EventName, EventPayload, Handlers, RequestArguments } from "../../src/shared/contract.ts";
import { totalSteps, stepsPerEpoch, validateExperiment, type Experiment } from "../../src/shared/experiment.ts";
import type { ExportFormatName } from "../../src/shared/exports.ts";
import { listedOf } from "../../src/shared/listedRun.ts";
import { presets } from "../../src/shared/presets.ts";
import type { ReportFileRequest } from "../../src/shared/reports.ts";
import { isActive, isResumable, type Evaluation, type RunDetail, type RunEvent, type RunSummary } from "../../src/shared/run.ts";
import { bucketOf, coarsen, widthFor } from "../../src/shared/series.ts";
import { hyperparameterColumns, notation } from "../../src/shared/tower.ts";
import { calibratedEngines, pretendEngines, retriedEngines, noExtras } from "./pretendEngines.ts";
import { pretendStorage } from "./pretendStorage.ts";
import { PretendStudies } from "./pretendStudies.ts";
import { noFleets } from "./noFleets.ts";

interface FakeRun {
  summary: RunSummary;
  columns: Map<string, number[]>;
  evaluations: Evaluation[];
  events: RunEvent[];
}

/** A run with this name is refused by the service, not by the form's validation. */
export const refusedName = "refuse me";
/** A run with this name diverges at step 300. */
export const divergingName = "diverge";

function noDatasets(): never {
  throw new UserError("no datasets are kept here");
}

/** Deterministic pseudo-noise. */
function noise(seed: number, step: number): number {
  const x = Math.sin(seed * 127.1 + step * 311.7) * 43758.5453;
  return (x - Math.floor(x)) * 2 - 1;
}

export class PretendTraining implements Services {
  readonly runs = new Map<string, FakeRun>();
  readonly studies = new PretendStudies(
    (name, payload) => this.emit(name, payload),
    ({ experiment }, study, { status, steps, evaluations }) => this.add(experiment, { study, status, steps, finishedAt: Date.now() }, evaluations).id,
  );
  readonly fleets = noFleets;
  readonly handlers: Handlers;
  private readonly listeners = new Map<EventName, Set<(payload: never) => void>>();
  private readonly stepsPerTick: number;
  /** Number of runs of each study that end every 100 ms. */
  runsPerTick = 2;
  private readonly timer: ReturnType<typeof setInterval>;
  private nextId = 1;

  /** Advances every running run by `stepsPerTick` steps every 100 ms. */
  constructor(stepsPerTick = 30) {
    this.stepsPerTick = stepsPerTick;
    this.handlers = this.makeHandlers();
    this.timer = setInterval(() => this.tick(), 100);
  }

  training(): number {
    return [...this.runs.values()].filter(({ summary }) => isActive(summary.status)).length;
  }

  isClosing(): boolean {
    return false;
  }

  close(): Promise<void> {
    clearInterval(this.timer);
    return Promise.resolve();
  }

  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void {
    const set = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, set.add(listener));
    return () => {
      set.delete(listener);
    };
  }

  exportRun(id: string, format: ExportFormatName): TextFile {
    return exportRun(this.detail(id), this.readSteps(id), format);
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  exportArchive(): ExportFile {
    throw new UserError("no archives are made here");
  }

  exportWeights(run: string): Promise<ExportFile> {
    return noPredictions.file(run, "best");
  }

  private readonly reports = new Reports({
    predictions: noPredictions,
    version: "0.1.0",
    run: (id) => this.detail(id),
    study: (id) => this.studies.detail(id),
    store: { readSteps: (id) => this.readSteps(id), readSeries: ({ metrics, ...query }) => this.series({ ...query, metrics: [...metrics] }) },
  });

  comparisonPicture(): string {
    return "<svg/>";
  }

  supportFile(): Promise<ExportFile> {
    return Promise.resolve({ filename: "hypertower-logs.zip", mediaType: "application/zip", pieces: [] });
  }

  supportFiles(): Promise<[]> {
    return Promise.resolve([]);
  }

  reportFile(request: ReportFileRequest): Promise<ExportFile> {
    return this.reports.file(request);
  }

  erased(): Promise<void> {
    return Promise.resolve();
  }

  requireSound(): Promise<void> {
    return Promise.resolve();
  }

  writeReport(...parameters: Parameters<Reports["write"]>): ReturnType<Reports["write"]> {
    return this.reports.write(...parameters);
  }

  *readSteps(id: string): Generator<StoredStep> {
    const run = this.run(id);
    const columns = [...run.columns.values()];
    for (let step = 0; step < run.summary.steps; step++) yield { step, values: columns.map((column) => column[step] ?? NaN) };
  }

  private emit<N extends EventName>(name: N, payload: EventPayload<N>): void {
    for (const listener of this.listeners.get(name) ?? []) (listener as (p: EventPayload<N>) => void)(payload);
  }

  private run(id: string): FakeRun {
    const run = this.runs.get(id);
    if (!run) throw new UserError(`there is no run ${id}`);
    return run;
  }

  private makeHandlers(): Handlers {
    return {
      "logs.describe": () => ({ files: [], path: "/download/logs/hypertower-logs.zip", filename: "hypertower-logs.zip" }),
      "networks.list": () => [],
      "fleets.list": () => ({ fleets: [], now: Date.now() }),
      "fleets.profiles": () => ({ file: "/home/someone/.config/hypertower/slurm.json", profiles: {}, problem: null }),
      ...Object.fromEntries((["fleets.drain", "fleets.cancel", "fleets.retry", "fleets.saveProfile", "fleets.removeProfile", "fleets.script"] as const).map((name) => [name, () => { throw new UserError("There are no fleets here."); }])) as unknown as Pick<Handlers, "fleets.drain" | "fleets.cancel" | "fleets.retry" | "fleets.saveProfile" | "fleets.removeProfile" | "fleets.script">,
      "importedRuns.import": () => { throw new UserError("No runs are imported here."); },
      "importedRuns.watches": () => [],
      "importedRuns.stop": () => [],
      ...Object.fromEntries((["networks.get", "networks.picture", "networks.import", "networks.begin", "networks.rename", "networks.remove"] as const).map((name) => [name, () => { throw new UserError("No networks are imported here."); }])) as unknown as Pick<Handlers, "networks.get" | "networks.picture" | "networks.import" | "networks.begin" | "networks.rename" | "networks.remove">,
      "archives.import": () => ({ studies: [], runs: [] }),
      "updates.check": () => ({ current: "0.0.0", source: null, release: null }),
      "updates.download": () => { throw new UserError("This build has no source of updates."); },
      "predictions.kept": () => ({ kept: [], problem: "This run keeps no weights." }),
      ...Object.fromEntries((["predictions.report", "predictions.samples", "predictions.text", "predictions.reading"] as const).map((name) => [name, () => { throw new UserError("This run keeps no weights."); }])) as unknown as Pick<Handlers, "predictions.report" | "predictions.samples" | "predictions.text" | "predictions.reading">,
      ...pretendStorage,
      "runs.verify": ({ run }) => ({ run, name: this.run(run).summary.name, values: this.run(run).summary.steps, protectedSince: 0, protectedFromStart: true, findings: [] }),
      "app.info": () => ({ version: "0.1.0", host: "browser", platform: "linux x64", cpu: "A processor", cores: 2, storePath: "/home/someone/hypertower", storeDamage: null, storeProblem: null }),
      "store.saveCopy": () => {
        throw new UserError("the store is in its place; no copy is needed");
      },
      "datasets.list": () => [
        {
          kind: "mnist",
          title: "MNIST",
          task: "classification",
          trainExamples: 60_000,
          testExamples: 10_000,
          exampleShape: [28, 28],
          classNames: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
          classes: 10,
          own: false,
          source: "comes with the program",
          licence: null,
          downloadBytes: null,
          bytesHere: 0,
          removable: false,
          problem: null,
        },
      ],
      "datasets.inspect": noDatasets,
      "datasets.download": noDatasets,
      "datasets.stopDownload": noDatasets,
      "datasets.import": noDatasets,
      "datasets.remove": noDatasets,
      "datasets.choose": noDatasets,
      "datasets.preview": noDatasets,
      "datasets.create": noDatasets,
      "datasets.stopImport": () => null,
      "experiments.presets": () => [...presets],
      "experiments.validate": ({ experiment }) => validateExperiment(experiment),
      "experiments.measure": () => ({ step: 1.5, evaluation: 30, begin: 60 }),
      "engines.list": () => pretendEngines,
      "engines.calibrate": () => calibratedEngines,
      "engines.retry": () => retriedEngines,
      "extras.list": () => noExtras,
      "extras.install": () => noExtras,
      "extras.cancel": () => false,
      "extras.remove": () => noExtras,
      "runs.start": ({ experiment }) => this.start(experiment),
      "runs.pause": ({ run }) => this.set(run, "paused", null),
      "runs.resume": ({ run }) => this.set(run, "running", null),
      "runs.resumption": ({ run }) => (isResumable(this.run(run).summary.status) ? { step: this.run(run).summary.steps, problem: null } : null),
      "runs.stop": ({ run }) => this.set(run, "stopped", null),
      "runs.list": ({ deleted, study, limit, before }) => {
        const all = [...this.runs.values()].map((r) => r.summary).filter((s) => (s.deletedAt !== null) === deleted && (study === undefined || s.study === study));
        const from = before ? all.findIndex(({ id }) => id === before.id) + 1 : 0;
        return all.slice(from, from + (limit ?? all.length)).map(listedOf);
      },
      "runs.summaries": ({ runs }) => runs.flatMap((id) => this.runs.get(id)?.summary ?? []),
      "runs.find": ({ prefix }) => (prefix === undefined ? [...this.runs.keys()].slice(-1) : [...this.runs.keys()].filter((id) => id.startsWith(prefix))),
      "runs.get": ({ run }) => this.detail(run),
      "runs.rename": ({ run, name: to }) => this.change(run, { name: to }),
      "runs.tag": ({ runs, add, remove }) => runs.map((id) => this.change(id, { tags: changedTags(this.detail(id).tags ?? [], add, remove) })),
      "runs.delete": ({ runs }) => runs.map((id) => this.change(id, { deletedAt: Date.now() })),
      "runs.restore": ({ runs }) => runs.map((id) => this.change(id, { deletedAt: null })),
      "runs.export": ({ run, format }) => {
        const { filename, mediaType, pieces } = this.exportRun(run, format);
        return { filename, mediaType, text: [...pieces].join("") };
      },
      "series.read": (request) => this.series(request),
      "reports.describe": (request) => this.reports.describe(request),
      "reports.file": (request) => this.reports.address(request),
      ...this.studies.handlers,
    };
  }

  private change(id: string, part: Partial<RunSummary>): RunSummary {
    const run = this.run(id);
    run.summary = { ...run.summary, ...part };
    this.emit("run.changed", run.summary);
    return run.summary;
  }

  /** Moves a run to another status, with an event in its log. */
  set(id: string, status: RunSummary["status"], reason: string | null): RunSummary {
    const run = this.run(id);
    run.events.push({ at: Date.now(), step: run.summary.steps, kind: status, message: reason ?? status });
    const ended = !isActive(status);
    const trained = { milliseconds: Date.now() - run.summary.startedAt!, from: "clock" } as const;
    return this.change(id, { status, reason, ...(ended ? { finishedAt: Date.now(), trained, samplesPerSecond: null, secondsLeft: null } : {}) });
  }

  start(input: unknown): RunSummary {
    const result = validateExperiment(input);
    if (!result.ok) throw new UserError("the experiment is not valid", result.errors);
    const { engine, ...rest } = result.experiment;
    // Like the real services, store the chosen engine in the run.
    const e: Experiment = { ...rest, engine: { ...engine, kind: engine.kind === "auto" ? "onnx-cpu" : engine.kind } };
    if (e.name === refusedName) throw new UserError("the experiment is refused", [{ path: "batchSize", message: "batchSize is refused here" }]);
    return this.add(e);
  }

  private add(e: Experiment, part: Partial<RunSummary> = {}, evaluations: Evaluation[] = []): RunSummary {
    const id = `run${this.nextId++}`;
    const hyperparameters = hyperparameterColumns(e.tower).map((c) => ({ level: c.level, name: c.spec.name, metric: c.metric, initial: c.initial, value: c.initial }));
    const summary: RunSummary = {
      id, name: e.name, status: "running", reason: null, stack: notation(e.tower), experiment: e, device: "A processor",
      createdAt: Date.now(), startedAt: Date.now(), finishedAt: null, trained: { milliseconds: 0, from: "clock" }, steps: 0, totalSteps: totalSteps(e), epoch: 0,
      samplesPerSecond: null, secondsLeft: null, loss: null, testError: null, evaluation: null, hyperparameters, study: null, deletedAt: null,
      ...part,
    };
    const names = ["loss", "stepTime", ...hyperparameterColumns(e.tower).flatMap((c) => [c.metric, c.hypergradient])];
    this.runs.set(id, { summary, columns: new Map(names.map((n) => [n, []])), evaluations, events: [{ at: Date.now(), step: 0, kind: "started", message: "started" }] });
    this.emit("run.changed", summary);
    return summary;
  }

  private detail(id: string): RunDetail {
    const run = this.run(id);
    return {
      ...run.summary,
      environment: { hypertower: "0.1.0", node: "24.21.0", platform: "linux x64", cpu: "A processor", libraries: { "onnxruntime-node": "1.30.0" }, gitCommit: null },
      metrics: [...run.columns.keys()],
      evaluations: run.evaluations,
      events: run.events,
    };
  }

  private series({ run: id, metrics, after, width, maxBuckets }: RequestArguments<"series.read">) {
    const run = this.run(id);
    const steps = run.summary.steps;
    const wide = Math.max(width, widthFor(steps, maxBuckets));
    const from = Math.floor((after + 1) / wide) * wide;
    return {
      width: wide,
      lastStep: steps - 1,
      series: metrics.map((metric) => {
        const values = run.columns.get(metric) ?? [];
        const singles = values.slice(from).map((value, i) => bucketOf(from + i, value));
        return { metric, total: values.length, buckets: coarsen(singles, wide) };
      }),
    };
  }

  private tick(): void {
    this.studies.tick(this.runsPerTick);
    for (const run of this.runs.values()) {
      if (run.summary.status === "running") this.advance(run.summary.id, this.stepsPerTick);
    }
  }

  /** Advances a run by `count` steps at once. */
  advance(id: string, count: number): void {
    const run = this.run(id);
    const { experiment: e } = run.summary;
    const perEpoch = stepsPerEpoch(e);
    for (let made = 0; made < count && run.summary.status === "running"; made++) {
      const step = run.summary.steps;
      for (const [metric, values] of run.columns) values.push(pretend(metric, step, e));
      const steps = step + 1;
      run.summary = { ...run.summary, steps, epoch: steps / perEpoch, loss: run.columns.get("loss")?.at(-1) ?? null, samplesPerSecond: 118_000, secondsLeft: (run.summary.totalSteps - steps) / 400 };
      run.summary.hyperparameters = run.summary.hyperparameters.map((h) => ({ ...h, value: run.columns.get(h.metric)?.at(-1) ?? null }));
      if (steps % perEpoch === 0) this.evaluate(run, steps / perEpoch);
      if (e.name === divergingName && steps === 300) this.set(id, "diverged", "the loss became NaN at step 300");
      if (steps === run.summary.totalSteps) this.set(id, "finished", null);
    }
    this.emit("run.changed", run.summary);
  }

  private evaluate(run: FakeRun, epoch: number): void {
    const testError = 2.9 + 6 * Math.exp(-epoch) + 0.1 * noise(run.summary.experiment.seed, epoch);
    const evaluation = { step: run.summary.steps, epoch, trainLoss: 0.2 + 0.8 * Math.exp(-epoch), testLoss: 0.25 + 0.7 * Math.exp(-epoch), testError };
    run.evaluations = [...run.evaluations, evaluation];
    run.summary = { ...run.summary, testError };
    this.emit("run.evaluated", { run: run.summary.id, evaluations: [evaluation] });
  }
}

function pretend(metric: string, step: number, e: Experiment): number {
  const seed = e.seed + metric.length;
  if (metric === "loss") return 0.12 + 2.1 * Math.exp(-step / 90) + 0.05 * Math.abs(noise(seed, step)) + (step === 700 ? 0.9 : 0);
  if (metric === "stepTime") return 2.1 + 0.2 * noise(seed, step);
  if (metric.endsWith("hypergradient")) return 0.02 * noise(seed, step) * Math.exp(-step / 800);
  const column = hyperparameterColumns(e.tower).find((c) => c.metric === metric);
  const initial = column?.initial ?? 1;
  const isTop = column?.level === e.tower.length - 1;
  if (isTop) return initial;
  if (metric.endsWith("beta1")) return initial + 0.06 * (1 - Math.exp(-step / 300));
  if (metric.endsWith("beta2")) return initial - 0.004 * (1 - Math.exp(-step / 500));
  return initial * (1 + 14 * (1 - Math.exp(-step / 200)) + 0.2 * noise(seed, Math.floor(step / 20)));
}
