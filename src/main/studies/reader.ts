/** Reads studies: from the store, and from the runner of one that is trained here. */
import { expandStudy, type StudyCell } from "../../shared/study/expand.ts";
import type { StudyDetail, StudySummary, StudyTrajectories } from "../../shared/study/result.ts";
import { withoutPassword } from "../fleet/name.ts";
import { StoreError } from "../store/errors.ts";
import type { CellState, StoredStudy } from "../store/studies.ts";
import { StudyError } from "./errors.ts";
import type { StudyRunner } from "./runner.ts";
import type { StudiesOptions } from "./studies.ts";
import { trajectoriesOf } from "./trajectories.ts";
import { pointOf, summaryOf, whySkipped, type Learned } from "./view.ts";

export class StudyReader {
  readonly #options: Pick<StudiesOptions, "store" | "controls">;
  readonly #runners: Map<string, StudyRunner>;
  /** Expanded cells by study id, valid while the definition is the same. */
  readonly #expansions = new Map<string, { definition: string; cells: readonly StudyCell[] }>();
  readonly learned: Learned = (run) => this.#options.store.studies.run(run);

  /** @param runners of the studies that are trained here; one whose study another process has trained since is removed */
  constructor(options: Pick<StudiesOptions, "store" | "controls">, runners: Map<string, StudyRunner>) {
    this.#options = options;
    this.#runners = runners;
  }

  list(deleted: boolean): StudySummary[] {
    return this.#options.store.studies.list(deleted).map((stored) => this.summary(this.now(stored)));
  }

  /** Summaries of the studies that can be read. */
  readable(ids: readonly string[]): StudySummary[] {
    return ids.flatMap((id) => {
      try {
        return [this.summary(this.stored(id))];
      } catch (error) {
        if (error instanceof StudyError || error instanceof StoreError) return [];
        throw error;
      }
    });
  }

  /** @throws StudyError when there is no such study */
  get(id: string): StudyDetail {
    const stored = this.stored(id);
    const runs = new Map(this.#options.store.studies.runs(id).map((run) => [run.cell, run]));
    const { live } = this.#options.controls;
    const learned = new Map([...runs.values()].map((run) => [run.run, run]));
    const points = this.cells(stored).map((cell) => pointOf(cell, runs.get(cell.key), live, whySkipped(cell, runs, live, (run) => learned.get(run))));
    return { ...this.summary(stored, runs), points };
  }

  trajectories(id: string, metric: string, maxPoints: number): Promise<StudyTrajectories> {
    const stored = this.stored(id);
    const keys = new Set(this.cells(stored).map(({ key }) => key));
    const runs = this.#options.store.studies.states(id).filter(({ cell, deleted }) => keys.has(cell) && !deleted);
    return trajectoriesOf(this.#options.store, runs, metric, maxPoints);
  }

  /** @throws StudyError when there is no such study */
  stored(id: string): StoredStudy {
    const stored = this.#options.store.studies.get(id);
    if (!stored) throw new StudyError(`There is no study ${id} in ${this.#options.store.path}.`);
    return this.now(stored);
  }

  /** Current state of a study: from its runner if it is trained here, with name, tags and deletion from the store. */
  now(stored: StoredStudy): StoredStudy {
    const runner = this.#runners.get(stored.id);
    if (!runner) return stored;
    const { status } = runner.stored;
    if (status !== "running" && status !== "paused" && !this.#options.store.studies.isLatestTaker(stored.id)) {
      // Another process has trained it since.
      this.#runners.delete(stored.id);
      return stored;
    }
    const { name, deletedAt, tags } = this.#options.store.studies.get(stored.id) ?? stored;
    return { ...runner.stored, name, deletedAt, tags };
  }

  cells({ id, study }: StoredStudy): readonly StudyCell[] {
    const runner = this.#runners.get(id);
    if (runner) return runner.cells;
    const definition = JSON.stringify(study);
    const known = this.#expansions.get(id);
    if (known?.definition === definition) return known.cells;
    const expansion = expandStudy(study);
    if (!expansion.ok) throw new StudyError(`The study ${id} cannot be expanded: ${expansion.errors.map(({ message }) => message).join("; ")}.`);
    this.#expansions.set(id, { definition, cells: expansion.cells });
    return expansion.cells;
  }

  summary(stored: StoredStudy, states?: ReadonlyMap<string, CellState>): StudySummary {
    const runner = this.#runners.get(stored.id);
    const known = states ?? runner?.states ?? new Map(this.#options.store.studies.states(stored.id).map((state) => [state.cell, state]));
    const at = this.#options.store.fleets.ofStudy(stored.id);
    const summary = summaryOf(stored, this.cells(stored), known, this.#options.controls.live, this.learned, runner?.millisecondsLeft ?? null);
    return at ? { ...summary, fleet: withoutPassword(at.fleet) } : summary;
  }
}
