/** Runs as the surfaces see them: the store's rows, and the live state of those trained here. */
import type { RequestArguments, RequestOutput } from "../../shared/contract.ts";
import { isActive, type RunDetail, type RunSummary } from "../../shared/run.ts";
import type { Store } from "../store/store.ts";
import { newRun } from "../training/newRun.ts";
import type { Supervisor } from "../training/supervisor.ts";
import { usableExperiment, type DatasetCatalog } from "./experiments.ts";
import { UserError } from "./services.ts";

export interface RunsOptions {
  readonly store: Store;
  readonly supervisor: Supervisor;
  readonly datasets: DatasetCatalog;
  readonly onChange: (run: RunSummary) => void;
}

export class Runs {
  readonly #store: Store;
  readonly #supervisor: Supervisor;
  readonly #datasets: DatasetCatalog;
  readonly #onChange: (run: RunSummary) => void;

  constructor({ store, supervisor, datasets, onChange }: RunsOptions) {
    this.#store = store;
    this.#supervisor = supervisor;
    this.#datasets = datasets;
    this.#onChange = onChange;
  }

  list(deleted: boolean, study?: string | null): RunSummary[] {
    return this.#store.listRuns(deleted, study).map((run) => this.#live(run));
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

  async start(experiment: unknown): Promise<RunSummary> {
    if (this.#supervisor.closing) throw new UserError("Hypertower is closing; no run can be started.");
    const run = newRun(await usableExperiment(experiment, this.#datasets));
    this.#store.createRun(run);
    this.#onChange(run);
    return this.#supervisor.start(run);
  }

  async pause(id: string): Promise<RunSummary> {
    this.#requireTrainedHere(id, "paused");
    return this.#supervisor.pause(id);
  }

  async resume(id: string): Promise<RunSummary> {
    this.#requireTrainedHere(id, "resumed");
    if (!this.#store.flush()) throw new UserError(`The run stays paused: ${this.#store.path} still cannot be written.`);
    return this.#supervisor.resume(id);
  }

  async stop(id: string): Promise<RunSummary> {
    this.#requireTrainedHere(id, "stopped");
    return this.#supervisor.stop(id);
  }

  rename(id: string, name: string): RunSummary {
    this.get(id);
    this.#store.renameRun(id, name);
    this.#supervisor.rename(id, name);
    return this.#changed(id);
  }

  /** Moves runs to the bin; all of them or, when one cannot be, none. */
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

  /** Takes over names that another process gave to runs trained here. */
  refreshNames(): void {
    for (const { id, name } of this.#store.listRuns()) this.#supervisor.rename(id, name);
  }

  #unknown(id: string): UserError {
    return new UserError(`There is no run ${id} in ${this.#store.path}.`);
  }

  #requireTrainedHere(id: string, action: "paused" | "resumed" | "stopped"): void {
    const { name, status } = this.get(id);
    if (!isActive(status)) {
      throw new UserError(`Run ${name} (${id}) is ${status}; only a run that is queued, running or paused can be ${action}.`);
    }
    if (!this.#supervisor.get(id)) {
      throw new UserError(`Run ${name} (${id}) is trained by another Hypertower process; it can only be ${action} there.`);
    }
  }

  /** The row with the state of a run trained here, which is ahead of the store; name and bin are the store's. */
  #live<T extends RunSummary>(run: T): T {
    const live = this.#supervisor.get(run.id);
    return live ? { ...run, ...live, name: run.name, deletedAt: run.deletedAt } : run;
  }

  #changed(id: string): RunSummary {
    const { environment: _environment, metrics: _metrics, evaluations: _evaluations, events: _events, ...run } = this.get(id);
    this.#onChange(run);
    return run;
  }
}
