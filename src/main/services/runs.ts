/** The runs service: stored runs, with the live state of those trained by this process. */
import type { RequestArguments, RequestOutput } from "../../shared/contract.ts";
import { asNew } from "../../shared/experiment.ts";
import { listedOf, type ListedRun } from "../../shared/listedRun.ts";
import { isActive, isResumable, type Resumption, type RunDetail, type RunSummary } from "../../shared/run.ts";
import { thinnedProblem } from "../../shared/thinning.ts";
import type { ListPage } from "../store/runReader.ts";
import { TooManyTags } from "../store/tagRows.ts";
import type { Store } from "../store/store.ts";
import type { RunOrigin } from "../studies/runnerOptions.ts";
import { CheckpointError } from "../../core/checkpoint/container.ts";
import { NoCheckpoint, type CheckpointFolder } from "../hosting/checkpoint/folder.ts";
import { newRun } from "../hosting/newRun.ts";
import type { RemotePlace } from "../hosting/process.ts";
import type { CohortSeat, Supervisor } from "../hosting/supervisor.ts";
import type { Engines } from "./engines.ts";
import { usableExperiment, type Inputs } from "./experiments.ts";
import { UserError } from "./services.ts";

export interface RunsOptions {
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly datasets: Inputs;
  readonly engines: Pick<Engines, "resolve">;
  readonly checkpoints: CheckpointFolder;
  readonly onChange: (run: RunSummary) => void;
  /** Whether a fleet goes on with a run that no host takes in at present. */
  readonly goesOn: (run: string) => boolean;
}

/** Milliseconds of training that are repeated without asking: checkpoints are saved much more often. */
const briefTraining = 60_000;

/** Maximum number of ids in a search result. */
const maxFound = 10_000;

export class Runs {
  readonly #store: Store;
  readonly #supervisor: Supervisor;
  readonly #datasets: Inputs;
  readonly #engines: RunsOptions["engines"];
  readonly #checkpoints: CheckpointFolder;
  readonly #onChange: (run: RunSummary) => void;
  readonly #goesOn: RunsOptions["goesOn"];

  constructor({ store, supervisor, datasets, engines, checkpoints, onChange, goesOn }: RunsOptions) {
    this.#store = store;
    this.#supervisor = supervisor;
    this.#datasets = datasets;
    this.#engines = engines;
    this.#checkpoints = checkpoints;
    this.#onChange = onChange;
    this.#goesOn = goesOn;
  }

  list(deleted: boolean, study?: string | null, page?: ListPage): ListedRun[] {
    return this.#store.listRuns(deleted, study, page).map((run) => {
      const live = this.#latest(run.id);
      return live ? { ...listedOf(live), name: run.name, deletedAt: run.deletedAt, tags: run.tags } : elsewhere(run);
    });
  }

  /** Runs with their configurations, in the order of `ids`; unknown ids are omitted. */
  summaries(ids: readonly string[]): RunSummary[] {
    return this.#store.runSummaries(ids).map((run) => this.#live(run));
  }

  /** Ids that begin with `prefix`, newest first; without a prefix, the id of the run created last. */
  find(prefix?: string): string[] {
    if (prefix !== undefined) return this.#store.runIds(prefix, maxFound);
    const latest = this.#store.latestRun();
    return latest === undefined ? [] : [latest];
  }

  /** Ids of the runs with a name, newest first; those in the bin only if there are no others. */
  named(name: string): string[] {
    return this.#store.runsNamed(name, maxFound);
  }

  /** @throws UserError when there is no such run. */
  get(id: string): RunDetail {
    const run = this.#store.getRun(id);
    if (!run) throw this.#unknown(id);
    return this.#live(run);
  }

  readSeries(query: RequestArguments<"series.read">): RequestOutput<"series.read"> {
    if (!Number.isInteger(Math.log2(query.width))) throw new UserError(`width is ${query.width}; allowed: powers of two`);
    if (!this.#store.hasRun(query.run)) throw this.#unknown(query.run);
    return this.#store.readSeries(query);
  }

  /**
   * @param place the run's study, its cell there, and why the study chose its engine
   * @param seat the run's seat in its cohort
   * @param elsewhere where it trains, unless on this machine
   */
  async start(experiment: unknown, origin?: RunOrigin, seat?: CohortSeat, elsewhere?: RemotePlace): Promise<RunSummary> {
    const { experiment: usable, why } = await this.#engines.resolve(await usableExperiment(asNew(experiment), this.#datasets));
    if (this.#supervisor.closing) throw new UserError("Hypertower is closing; no run can be started.");
    const run = newRun(usable, new Date(), origin?.study);
    this.#store.createRun(run, origin?.cell);
    this.#onChange(run);
    return this.#supervisor.start(run, "new", seat, origin ? (origin.why ?? "named by the study") : why, elsewhere);
  }

  async pause(id: string): Promise<RunSummary> {
    this.#requireTrainedHere(id, "paused");
    return this.#supervisor.pause(id);
  }

  async resume(id: string, fromStart = false, seat?: CohortSeat, elsewhere?: RemotePlace): Promise<RunSummary> {
    const { status } = this.get(id);
    if (isResumable(status)) return this.#resumeEnded(id, fromStart, seat, elsewhere);
    if (fromStart && isActive(status)) throw new UserError(`Run ${id} is ${status}; only a stopped, failed or interrupted run can restart at its first step.`);
    this.#requireTrainedHere(id, "resumed");
    if (!this.#store.flush()) throw new UserError(`The run stays paused: ${this.#store.path} still cannot be written.`);
    return this.#supervisor.resume(id);
  }

  /** Resumes a run from its checkpoint, or from its first step where the checkpoint is unusable. */
  async goOn(id: string, seat?: CohortSeat, elsewhere?: RemotePlace): Promise<RunSummary> {
    return this.resume(id, typeof (await this.resumption(id))?.problem === "string", seat, elsewhere);
  }

  async stop(id: string): Promise<RunSummary> {
    this.#requireTrainedHere(id, "stopped");
    return this.#supervisor.stop(id);
  }

  /** Where a stopped, failed or interrupted run would resume; null for any other, and for a thinned one. */
  async resumption(id: string): Promise<Resumption | null> {
    const run = this.get(id);
    if (!isResumable(run.status) || run.thinned) return null;
    try {
      const { step } = (await this.#checkpoints.header(run)).position;
      if (step > run.steps) throw new CheckpointError(`its checkpoint stands at step ${step}, but only ${run.steps} steps are logged`);
      return { step, problem: null };
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      // Nothing is lost where nothing was trained, and little where the trainer was killed before its first checkpoint.
      const isBrief = error instanceof NoCheckpoint && run.status !== "stopped" && (run.trained?.milliseconds ?? 0) <= briefTraining;
      return { step: 0, problem: run.steps === 0 || isBrief ? null : sentence(error.message) };
    }
  }

  /** Resumes a run that was stopped, failed or interrupted. */
  async #resumeEnded(id: string, fromStart: boolean, seat?: CohortSeat, elsewhere?: RemotePlace): Promise<RunSummary> {
    const epoch = this.#store.epochOf(id);
    const run = this.get(id);
    const inBin = () => new UserError(`Run ${run.name} (${id}) is in the bin; restore it first.`);
    if (run.deletedAt !== null) throw inBin();
    if (run.thinned) throw new UserError(`${thinnedProblem(`${run.name} (${id})`, run.thinned)} It cannot be resumed; train its experiment again as a new run.`);
    if (this.#supervisor.closing) throw new UserError("Hypertower is closing; no run can be resumed.");
    await this.#supervisor.left(id);
    const attaches = this.#goesOn(id);
    if (attaches && !elsewhere) throw new UserError(`Run ${run.name} (${id}) goes on at the fleet of its study; resume the study to take it in.`);
    const resumption = await this.resumption(id);
    if (!resumption) throw new UserError(`Run ${run.name} (${id}) was just resumed by another Hypertower process.`);
    const { step, problem } = resumption;
    if (problem !== null && !fromStart && !attaches) {
      throw new UserError(`Run ${run.name} (${id}) cannot be resumed: ${problem} It can be restarted at its first step.`);
    }
    await usableExperiment(run.experiment, this.#datasets);
    const queued: RunSummary = { ...summaryOf(run), status: "queued", reason: null, finishedAt: null };
    if (!this.#store.requeueRun(queued, epoch)) {
      throw this.get(id).deletedAt !== null ? inBin() : new UserError(`Run ${run.name} (${id}) was just resumed by another Hypertower process.`);
    }
    this.#onChange(queued);
    const beginning = attaches ? "attach" : fromStart || step === 0 ? "firstStep" : "checkpoint";
    return this.#supervisor.start(queued, beginning, seat, run.environment?.engine?.why, elsewhere);
  }

  rename(id: string, name: string): RunSummary {
    this.get(id);
    this.#store.renameRun(id, name);
    this.#supervisor.rename(id, name);
    return this.#changed(id);
  }

  /** Adds and removes tags: of all these runs, or of none. @throws UserError when one is not there or would have too many */
  tag(ids: readonly string[], add: readonly string[], remove: readonly string[]): RunSummary[] {
    for (const id of ids) this.get(id);
    refusing(() => this.#store.tagRuns(ids, add, remove));
    return ids.map((id) => {
      this.#supervisor.tag(id, this.get(id).tags);
      return this.#changed(id);
    });
  }

  /** Tells of a run that another part of the program has changed. */
  refresh(id: string): void {
    this.#changed(id);
  }

  /** Moves runs to the bin: all of them, or none if one is active. */
  delete(ids: readonly string[]): RunSummary[] {
    for (const id of ids) {
      const run = this.get(id);
      if (isActive(run.status)) throw new UserError(`Run ${run.name} (${id}) is ${run.status}; stop it before deleting it.`);
    }
    this.#store.setDeleted(ids, Date.now());
    return ids.map((id) => this.#changed(id));
  }

  restore(ids: readonly string[]): RunSummary[] {
    for (const id of ids) this.get(id);
    this.#store.setDeleted(ids, null);
    return ids.map((id) => this.#changed(id));
  }

  /** Returns the changed runs that are not trained here. Runs trained here get the name that another process gave them. */
  foreign(changed: readonly ListedRun[]): ListedRun[] {
    return changed.flatMap((run) => {
      const live = this.#supervisor.get(run.id);
      if (!live) return [elsewhere(run)];
      if (live.name !== run.name) this.#supervisor.rename(run.id, run.name);
      if (live.tags?.join(" ") !== run.tags?.join(" ")) this.#supervisor.tag(run.id, run.tags);
      return [];
    });
  }

  #unknown(id: string): UserError {
    return new UserError(`There is no run ${id} in ${this.#store.path}.`);
  }

  #requireTrainedHere(id: string, action: "paused" | "resumed" | "stopped"): void {
    const { name, status } = this.get(id);
    if (!isActive(status)) {
      const allowed = action === "resumed" ? "queued, paused, stopped, failed or interrupted" : "queued, running or paused";
      throw new UserError(`Run ${name} (${id}) is ${status}; only a run that is ${allowed} can be ${action}.`);
    }
    if (!this.#supervisor.get(id)) {
      throw new UserError(`Run ${name} (${id}) is trained by another Hypertower process; it can only be ${action} there.`);
    }
  }

  /** Merges a stored run with its live state, which is newer than the store; name and bin come from the store. */
  #live<T extends RunSummary>(run: T): T {
    const live = this.#latest(run.id);
    if (live) return { ...run, ...live, name: run.name, deletedAt: run.deletedAt, tags: run.tags };
    return isActive(run.status) ? { ...run, elsewhere: true } : run;
  }

  /** A run that has ended waits for its commit while the store cannot be written. */
  #latest(id: string): RunSummary | undefined {
    return this.#supervisor.get(id) ?? this.#store.pendingRun(id);
  }

  #changed(id: string): RunSummary {
    const run = summaryOf(this.get(id));
    this.#onChange(run);
    return run;
  }
}

function summaryOf({ environment: _environment, metrics: _metrics, evaluations: _evaluations, events: _events, ...run }: RunDetail): RunSummary {
  return run;
}

/** @throws UserError in place of TooManyTags */
function refusing(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw error instanceof TooManyTags ? new UserError(`Run ${error.message}`) : error;
  }
}

/** Marks an active run as trained by another process. */
const elsewhere = (run: ListedRun): ListedRun => (isActive(run.status) ? { ...run, elsewhere: true } : run);

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
