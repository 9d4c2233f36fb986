/** Requests of the window and the command line about studies: read, start, control. */
import { messageOf } from "../../shared/errors.ts";
import { studyPresets } from "../../shared/study/presets.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import { totalSteps, type Experiment } from "../../shared/experiment.ts";
import type { Evaluation, RunSummary } from "../../shared/run.ts";
import type { StudyDetail, StudyEstimate, StudyPoint, StudySummary, StudyTrajectories } from "../../shared/study/result.ts";
import { asNewStudy, study, type CohortChoice, type Study } from "../../shared/study/study.ts";
import { FleetError } from "../fleet/fleet.ts";
import { local, parseFleetName, withoutPassword } from "../fleet/name.ts";
import type { Coordinator } from "../fleet/coordinator/coordinator.ts";
import { isOutage, LeaseLostError, StoreError } from "../store/errors.ts";
import { consoleLog, type Log } from "../store/log.ts";
import type { Store } from "../store/store.ts";
import type { StoredStudy } from "../store/studies.ts";
import type { Allocation } from "../hosting/calibration.ts";
import type { Machine } from "../hosting/machine.ts";
import { newRunId } from "../hosting/newRun.ts";
import { diskOf, freeBytes, requireDisk } from "./costs.ts";
import { allocate } from "./allocation.ts";
import { readDefinition, sameRun, usableStudy } from "./definition.ts";
import { StudyError } from "./errors.ts";
import { StudyReader } from "./reader.ts";
import { StudyRunner } from "./runner.ts";
import type { RunControls } from "./runnerOptions.ts";
import { TooManyTags } from "../store/tagRows.ts";
import { pointOf, whySkipped } from "./view.ts";

export interface StudiesOptions {
  readonly store: Pick<Store, "path" | "studies" | "fleets" | "readSeries" | "getRun">;
  readonly controls: RunControls;
  readonly machine: Pick<Machine, "calibration">;
  /** Trains at fleets; without it, all studies train on this machine. */
  readonly coordinator?: Pick<Coordinator, "ready" | "abandon" | "tidy"> | undefined;
  /** @throws when an experiment has no data to train on */
  readonly check: (experiment: Experiment) => Promise<unknown>;
  /** Bytes free on the disk of a file; `freeBytes` by default. */
  readonly free?: ((file: string) => Promise<number | null>) | undefined;
  readonly log?: Log;
  readonly onChange: (study: StudySummary, atOnce: boolean) => void;
  readonly onAdvance: (study: string, point: StudyPoint) => void;
}

/** Runs of a study that are at a fleet at the same time at most. */
const runsAtFleet = 1_000;

/** Where a study trains. */
export interface FleetChoice {
  /** As in `--on`; this machine by default. */
  readonly on?: string | undefined;
  /** Milliseconds that a unit of work should take at least; null for the default. */
  readonly unitTime?: number | null | undefined;
}

export class Studies {
  readonly #options: StudiesOptions;
  readonly #runners = new Map<string, StudyRunner>();
  readonly #reader: StudyReader;
  /** Studies that train at fleets. */
  readonly #elsewhere = new Set<string>();
  #closing = false;

  constructor(options: StudiesOptions) {
    this.#options = options;
    this.#reader = new StudyReader(options, this.#runners);
  }

  /** The presets with defaults filled in. */
  presets() {
    return studyPresets.map((preset) => ({ ...preset, study: study.parse(asNewStudy(preset.study)) }));
  }

  validate(input: unknown): { ok: true; study: Study; runs: number } | { ok: false; errors: { path: string; message: string }[] } {
    const definition = readDefinition(asNewStudy(input));
    return definition.ok ? { ok: true, study: definition.study, runs: definition.cells.length } : { ok: false, errors: [...definition.errors] };
  }

  /**
   * Estimates time and disk space of a study here by training a few steps in trainer processes.
   * @throws StudyError when the study is not valid
   */
  async estimate(input: unknown, workers: number | null, cohort?: CohortChoice): Promise<StudyEstimate> {
    const { study: valid, cells } = usableStudy(asNewStudy(input));
    await this.#options.check(cells[0]!.experiment);
    const disk = { disk: diskOf(cells), diskFree: await this.#free() };
    try {
      const allocation = await allocate(this.#options.machine, valid, cells, { workers, cohort });
      return { runs: cells.length, ...allocation, duration: await this.#options.machine.calibration.duration(cells, allocation), ...disk };
    } catch (error) {
      if (error instanceof StoreError) throw error;
      return { runs: cells.length, workers: workers ?? 1, threads: cells[0]!.experiment.engine.threads, cohort: typeof cohort === "number" ? cohort : 1, duration: null, ...disk };
    }
  }

  /**
   * @param engineWhy reason for the engine, where the user did not name one
   * @throws StudyError when the study is not valid, its program cannot be trained, or the disk has too little space
   */
  async start(input: unknown, workers: number | null, cohort?: CohortChoice, engineWhy?: string, at: FleetChoice = {}): Promise<StudySummary> {
    this.#requireOpen();
    const usable = usableStudy(asNewStudy(input));
    await this.#options.check(usable.cells[0]!.experiment);
    requireDisk(diskOf(usable.cells), await this.#free(), this.#options.store.path);
    const fleet = await this.#fleet(at.on ?? local);
    // A fleet has as many workers as it has: its runs all wait there.
    const wanted = fleet === null ? workers : (workers ?? Math.min(usable.cells.length, runsAtFleet));
    const allocation = await allocate(this.#options.machine, usable.study, usable.cells, { workers: wanted, cohort }).catch((error: unknown) => {
      if (error instanceof StoreError || error instanceof StudyError) throw error;
      throw new StudyError(`The study cannot be trained here: ${messageOf(error)}`);
    });
    // Threads and cohort size may change last digits, so the study stores both.
    const { engine } = usable.study.base;
    const allocated: Study = { ...usable.study, base: { ...usable.study.base, engine: { ...engine, threads: allocation.threads } }, cohort: allocation.cohort };
    const { cells } = usableStudy(allocated);
    const stepTime = fleet === null ? null : await this.#stepTime(cells, allocation);
    const expected = wanted === null ? await this.#options.machine.calibration.duration(cells, allocation).catch(() => null) : null;
    this.#requireOpen();
    const now = new Date();
    const stored: StoredStudy = {
      id: newRunId(now),
      name: allocated.name.trim() || "Study",
      status: "running",
      reason: null,
      study: allocated,
      createdAt: now.getTime(),
      startedAt: now.getTime(),
      finishedAt: null,
      trained: null,
      runningSince: null,
      deletedAt: null,
      total: cells.length,
      workers: allocation.workers,
    };
    // No await between these lines: a study stored as running must have a runner to pause.
    this.#options.store.studies.create(stored);
    if (fleet !== null) this.#options.store.fleets.setStudy(stored.id, { fleet, unitTime: at.unitTime ?? null, stepTime });
    await this.#runner(stored, cells, expected, engineWhy).run();
    return this.#changed(stored.id);
  }

  async pause(id: string): Promise<StudySummary> {
    // The user may take over a pause that only waits for the store.
    await this.#steered(id, this.#runners.get(id)?.held ? ["paused"] : ["running"], "paused").pause();
    return this.#changed(id);
  }

  async stop(id: string): Promise<StudySummary> {
    await this.#steered(id, ["running", "paused"], "stopped").stop();
    return this.#changed(id);
  }

  async resume(id: string): Promise<StudySummary> {
    const epoch = this.#options.store.studies.epoch(id);
    const stored = this.#reader.stored(id);
    if (stored.status === "running") throw new StudyError(`The study ${stored.name} (${id}) is running already.`);
    if (this.#runners.get(id)?.held) throw new StudyError(`The study ${stored.name} (${id}) waits for the store and resumes by itself. ${stored.reason ?? ""}`);
    if (stored.status === "finished") throw new StudyError(`The study ${stored.name} (${id}) is finished; what failed or is missing can be trained again with a retry.`);
    return this.#started(this.#takeRunner(stored, epoch));
  }

  async retry(id: string): Promise<StudySummary> {
    const epoch = this.#options.store.studies.epoch(id);
    const stored = this.#reader.stored(id);
    const runner = this.#takeRunner(stored, epoch);
    runner.retry();
    return stored.status === "paused" ? this.#changed(id) : this.#started(runner);
  }

  /** Replaces the definition by one with more runs. @throws StudyError when the new definition changes existing runs */
  async extend(id: string, input: unknown): Promise<StudySummary> {
    const epoch = this.#options.store.studies.epoch(id);
    const stored = this.#reader.stored(id);
    const asked = usableStudy(input).study;
    const extended: Study = { ...asked, base: { ...asked.base, engine: stored.study.base.engine, generator: stored.study.base.generator }, cohort: stored.study.cohort };
    const { cells } = usableStudy(extended);
    const before = new Map(this.#reader.cells(stored).map((cell) => [cell.key, cell]));
    const added = cells.filter(({ key }) => !before.has(key));
    for (const cell of cells) {
      const same = before.get(cell.key);
      if (!same || (sameRun(same.experiment, cell.experiment) && same.source?.key === cell.source?.key)) continue;
      throw new StudyError(
        `The study ${stored.name} (${id}) has runs that its new form trains otherwise (${cell.key}). ` +
          "Values, heights, stacks and seeds can be added; for another base or rule, start another study.",
      );
    }
    requireDisk(diskOf(added), await this.#free(), this.#options.store.path);
    const runner = this.#takeRunner(stored, epoch);
    runner.define(extended, cells);
    if (stored.status !== "paused") return this.#started(runner);
    this.#save(runner.stored);
    if (runner.isAbandoned) throw this.#takenElsewhere(stored);
    return this.#changed(id);
  }

  list(deleted: boolean): StudySummary[] {
    return this.#reader.list(deleted);
  }

  /** Summaries of the studies that can be read. */
  readable(ids: readonly string[]): StudySummary[] {
    return this.#reader.readable(ids);
  }

  /** @throws StudyError when there is no such study */
  get(id: string): StudyDetail {
    return this.#reader.get(id);
  }

  trajectories(id: string, metric: string, maxPoints: number): Promise<StudyTrajectories> {
    return this.#reader.trajectories(id, metric, maxPoints);
  }

  /** Whether the study is trained here. */
  isHere(id: string): boolean {
    return this.#runners.has(id);
  }

  rename(id: string, name: string): StudySummary {
    this.#reader.stored(id);
    this.#options.store.studies.rename(id, name);
    return this.#changed(id);
  }

  /** Adds and removes tags: of all these studies, or of none. @throws StudyError when one is not there or would have too many */
  tag(ids: readonly string[], add: readonly string[], remove: readonly string[]): StudySummary[] {
    for (const id of ids) this.#reader.stored(id);
    try {
      this.#options.store.studies.tag(ids, add, remove);
    } catch (error) {
      throw error instanceof TooManyTags ? new StudyError(`The study ${error.message}`) : error;
    }
    return ids.map((id) => this.#changed(id));
  }

  /** Moves studies to the bin: all of them, or none if one of them is active. */
  delete(ids: readonly string[], withRuns: boolean): StudySummary[] {
    for (const id of ids) {
      const { name, status } = this.#reader.stored(id);
      if (status === "running" || status === "paused") throw new StudyError(`The study ${name} (${id}) is ${status}; stop it before deleting it.`);
    }
    this.#options.store.studies.moveToBin(ids, Date.now(), withRuns);
    for (const id of ids) this.#runners.delete(id);
    this.#options.coordinator?.abandon(ids);
    return ids.map((id) => this.#changed(id));
  }

  restore(ids: readonly string[]): StudySummary[] {
    for (const id of ids) this.#reader.stored(id);
    this.#options.store.studies.restore(ids);
    return ids.map((id) => this.#changed(id));
  }

  /** Total number of workers of the running studies on this machine. */
  get workers(): number {
    return [...this.#runners.values()].reduce((sum, { stored }) => (stored.status === "running" && !this.#elsewhere.has(stored.id) ? sum + stored.workers : sum), 0);
  }

  /** A run changed that is trained here. */
  runChanged(run: RunSummary): void {
    if (run.study !== null) this.#runners.get(run.study)?.changed(run);
  }

  runEvaluated(run: string, evaluation: Evaluation): void {
    for (const runner of this.#runners.values()) runner.evaluated(run, evaluation);
  }

  /** Another process has taken a run. */
  runLost(run: RunSummary): void {
    if (run.study !== null) this.#runners.get(run.study)?.lost(run);
  }

  /** Runs were moved to the bin or back. */
  runsDeleted(runs: readonly RunSummary[]): void {
    for (const { id, study, deletedAt } of runs) if (study !== null) this.#runners.get(study)?.deleted(id, deletedAt !== null);
  }

  /** Holds all running studies, because the store cannot be used, until release(). */
  hold(reason: string): void {
    for (const runner of this.#runners.values()) runner.hold(reason);
  }

  /** Continues the studies that hold() paused, and saves states that could not be saved meanwhile. */
  release(): void {
    for (const runner of [...this.#runners.values()]) {
      if (runner.held) runner.release();
      else this.#save(runner.stored);
    }
  }

  /** Goes on with the studies that an earlier host left at fleets. Those that cannot be stay there. */
  async attach(): Promise<void> {
    this.#options.coordinator?.tidy();
    for (const id of this.#options.store.fleets.left()) {
      if (this.#closing) return;
      try {
        await this.resume(id);
      } catch (error) {
        (this.#options.log ?? consoleLog).warn(`the study ${id} is still at its fleet and could not be resumed here: ${messageOf(error)}`);
      }
    }
  }

  /** Marks active studies as interrupted. The supervisor stops the runs, and lets go of those at fleets. */
  close(): void {
    this.#closing = true;
    for (const runner of this.#runners.values()) {
      if (runner.stored.status === "running" || runner.stored.status === "paused") {
        const at = this.#options.store.fleets.ofStudy(runner.stored.id);
        runner.leave(at && `Hypertower was closed; ${withoutPassword(at.fleet)} goes on with its runs, and they are taken in when Hypertower is next started.`);
      }
    }
  }

  /** Null for this machine. @throws StudyError when the fleet cannot be used */
  async #fleet(on: string): Promise<string | null> {
    const { coordinator } = this.#options;
    try {
      if (parseFleetName(on).kind === "local") return null;
      if (!coordinator) throw new StudyError("This process trains on this machine only.");
      await coordinator.ready(on.trim());
      return on.trim();
    } catch (error) {
      if (error instanceof FleetError) throw new StudyError(error.message);
      throw error;
    }
  }

  /** Milliseconds of a step, with its share of evaluations; null where it could not be measured here. */
  async #stepTime(cells: readonly StudyCell[], { threads, cohort }: Allocation): Promise<number | null> {
    const steps = cells.reduce((sum, { experiment }) => sum + totalSteps(experiment), 0);
    const whole = await this.#options.machine.calibration.duration(cells, { workers: 1, threads, cohort }).catch(() => null);
    return whole === null ? null : whole / steps;
  }

  #requireOpen(): void {
    if (this.#closing) throw new StudyError("Hypertower is closing; no study can be started.");
  }

  #free(): Promise<number | null> {
    return (this.#options.free ?? freeBytes)(this.#options.store.path);
  }

  /** Runner of a study that is trained here and has an allowed status. @throws StudyError for any other */
  #steered(id: string, allowed: readonly StudySummary["status"][], what: string): StudyRunner {
    const { name, status } = this.#reader.stored(id);
    if (!allowed.includes(status)) throw new StudyError(`The study ${name} (${id}) is ${status}; only one that is ${allowed.join(" or ")} can be ${what}.`);
    const runner = this.#runners.get(id);
    if (!runner) throw new StudyError(`The study ${name} (${id}) is trained by another Hypertower process; it can only be ${what} there.`);
    return runner;
  }

  /** Starts a runner. @throws StudyError when another process has taken its study */
  async #started(runner: StudyRunner): Promise<StudySummary> {
    await runner.run();
    if (runner.isAbandoned) throw this.#takenElsewhere(runner.stored);
    return this.#changed(runner.stored.id);
  }

  #takenElsewhere({ id, name }: Pick<StoredStudy, "id" | "name">): StudyError {
    return new StudyError(`The study ${name} (${id}) is trained by another Hypertower process, or was just changed by one.`);
  }

  /**
   * Runner of a study, after taking its ownership if it is not trained here.
   * @param epoch of the study before it was read
   * @throws StudyError when another process trains it, or has taken it since
   */
  #takeRunner(stored: StoredStudy, epoch: number): StudyRunner {
    this.#requireOpen();
    const { id, name, deletedAt } = stored;
    if (deletedAt !== null) throw new StudyError(`The study ${name} (${id}) is in the bin; restore it first.`);
    const here = this.#runners.get(id);
    if (here && (here.stored.status === "running" || here.stored.status === "paused")) return here;
    const { studies } = this.#options.store;
    const cells = this.#reader.cells(stored);
    // Its runner here knows what became of its runs, unless another process has trained some since.
    const isCurrent = here !== undefined && studies.isLatestTaker(id);
    if (!studies.take(id, epoch)) {
      if ((studies.get(id)?.deletedAt ?? null) !== null) throw new StudyError(`The study ${name} (${id}) is in the bin; restore it first.`);
      throw this.#takenElsewhere(stored);
    }
    if (isCurrent) return here;
    try {
      return this.#runner(stored, cells, null);
    } catch (error) {
      studies.release(id, stored.status);
      throw error;
    }
  }

  #runner(stored: StoredStudy, cells: readonly StudyCell[], expected: number | null, engineWhy?: string): StudyRunner {
    const { store, controls, onAdvance } = this.#options;
    const known = store.studies.runs(stored.id);
    // A resumed study finds the reason for its engine in its runs.
    const before = known.find(({ deleted }) => !deleted) ?? known[0];
    const runner: StudyRunner = new StudyRunner({
      stored,
      cells,
      known,
      controls,
      expected,
      engineWhy: engineWhy ?? (before && store.getRun(before.run)?.environment?.engine?.why),
      save: (study) => this.#save(study),
      markPruned: (run, pruned) => this.#markPruned(run, pruned),
      onChange: (atOnce) => this.#reporting(() => this.#options.onChange(this.#reader.summary(this.#reader.now(runner.stored)), atOnce)),
      onAdvance: (cell) =>
        this.#reporting(() => {
          const state = runner.states.get(cell.key);
          onAdvance(stored.id, pointOf(cell, state && store.studies.run(state.run), controls.live, whySkipped(cell, runner.states, controls.live, this.#reader.learned)));
        }),
    });
    this.#runners.set(stored.id, runner);
    if (store.fleets.ofStudy(stored.id)) this.#elsewhere.add(stored.id);
    return runner;
  }

  #markPruned(run: string, pruned: boolean): boolean {
    try {
      this.#options.store.studies.markPruned(run, pruned);
      return true;
    } catch (error) {
      // Marked again when the rungs are next updated.
      if (isOutage(error)) return false;
      throw error;
    }
  }

  /** Reports a change. Training goes on when the store cannot be read for it; the next change reports again. */
  #reporting(report: () => void): void {
    try {
      report();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      (this.#options.log ?? consoleLog).warn(`a change of a study could not be reported: ${error.message}`);
    }
  }

  /** Saves a study's state. While the store cannot be written it keeps the old state, until the next change. */
  #save(study: StoredStudy): void {
    try {
      this.#options.store.studies.save(study);
      // One that was left while it trained goes on by itself; one that a person paused or stopped does not.
      if (this.#elsewhere.has(study.id) && study.status !== "interrupted" && !this.#runners.get(study.id)?.held) this.#options.store.fleets.setGoesOn(study.id, study.status === "running");
      // The store now has the final state.
      if (study.status === "finished") this.#runners.delete(study.id);
    } catch (error) {
      if (error instanceof LeaseLostError) this.#lost(study);
      else if (!(error instanceof StoreError)) throw error;
    }
  }

  /** Abandons a study that another process has taken; that process resumes its runs as they end here. */
  #lost({ id }: StoredStudy): void {
    const runner = this.#runners.get(id);
    this.#runners.delete(id);
    void runner?.abandon();
  }

  #changed(id: string): StudySummary {
    const summary = this.#reader.summary(this.#reader.stored(id));
    this.#options.onChange(summary, true);
    return summary;
  }
}
