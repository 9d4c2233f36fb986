/** Studies as the surfaces see them. */
import { studyPresets } from "../../shared/study/presets.ts";
import { expandStudy, type StudyCell } from "../../shared/study/expand.ts";
import type { StudyDetail, StudyPoint, StudySummary } from "../../shared/study/result.ts";
import { study, type Study } from "../../shared/study/study.ts";
import type { Store } from "../store/store.ts";
import type { CellState, StoredStudy } from "../store/studies.ts";
import { readDefinition } from "./definition.ts";
import { StudyError } from "./errors.ts";
import { pointOf, summaryOf, type Live } from "./view.ts";

export interface StudiesOptions {
  readonly store: Pick<Store, "path" | "studies">;
  readonly live: Live;
  readonly onChange: (study: StudySummary) => void;
  readonly onAdvance: (study: string, point: StudyPoint) => void;
}

export class Studies {
  readonly #options: StudiesOptions;
  /** Expansions by study: of the definition they belong to. */
  readonly #expansions = new Map<string, { definition: string; cells: readonly StudyCell[] }>();

  constructor(options: StudiesOptions) {
    this.#options = options;
  }

  /** The ready-made studies, defaults filled in. */
  presets() {
    return studyPresets.map((preset) => ({ ...preset, study: study.parse(preset.study) }));
  }

  validate(input: unknown): { ok: true; study: Study; runs: number } | { ok: false; errors: { path: string; message: string }[] } {
    const definition = readDefinition(input);
    return definition.ok ? { ok: true, study: definition.study, runs: definition.cells.length } : { ok: false, errors: [...definition.errors] };
  }

  list(deleted: boolean): StudySummary[] {
    return this.#options.store.studies.list(deleted).map((stored) => this.#summary(stored));
  }

  /** @throws StudyError when there is no such study */
  get(id: string): StudyDetail {
    const stored = this.#stored(id);
    const runs = new Map(this.#options.store.studies.runs(id).map((run) => [run.cell, run]));
    const cells = this.#cells(stored);
    return { ...this.#summary(stored, runs), points: cells.map((cell) => pointOf(cell, runs.get(cell.key), this.#options.live)) };
  }

  rename(id: string, name: string): StudySummary {
    this.#stored(id);
    this.#options.store.studies.rename(id, name);
    return this.#changed(id);
  }

  /** Moves studies to the bin; all of them or, when one cannot be, none. */
  delete(ids: readonly string[], withRuns: boolean): StudySummary[] {
    for (const id of ids) {
      const { name, status } = this.#stored(id);
      if (status === "running" || status === "paused") throw new StudyError(`The study ${name} (${id}) is ${status}; stop it before deleting it.`);
    }
    this.#options.store.studies.setDeleted(ids, Date.now(), withRuns);
    return ids.map((id) => this.#changed(id));
  }

  restore(ids: readonly string[]): StudySummary[] {
    for (const id of ids) this.#stored(id);
    this.#options.store.studies.setDeleted(ids, null, true);
    return ids.map((id) => this.#changed(id));
  }

  #stored(id: string): StoredStudy {
    const stored = this.#options.store.studies.get(id);
    if (!stored) throw new StudyError(`There is no study ${id} in ${this.#options.store.path}.`);
    return stored;
  }

  #cells({ id, study }: StoredStudy): readonly StudyCell[] {
    const definition = JSON.stringify(study);
    const known = this.#expansions.get(id);
    if (known?.definition === definition) return known.cells;
    const expansion = expandStudy(study);
    if (!expansion.ok) throw new StudyError(`The study ${id} cannot be expanded: ${expansion.errors.map(({ message }) => message).join("; ")}.`);
    this.#expansions.set(id, { definition, cells: expansion.cells });
    return expansion.cells;
  }

  #summary(stored: StoredStudy, states?: ReadonlyMap<string, CellState>): StudySummary {
    const known = states ?? new Map(this.#options.store.studies.states(stored.id).map((state) => [state.cell, state]));
    return summaryOf(stored, this.#cells(stored), known, this.#options.live, null);
  }

  #changed(id: string): StudySummary {
    const summary = this.#summary(this.#stored(id));
    this.#options.onChange(summary);
    return summary;
  }
}
