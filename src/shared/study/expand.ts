/** The runs of a study. */
import type { Experiment, FieldError } from "../experiment.ts";
import type { Study } from "./study.ts";

/** One run of a study, by what varies. */
export interface StudyCell {
  /** The same for the same height, values and seed, whatever else the study has: `h1|L0.alpha=0.01|s0`. */
  readonly key: string;
  /** Levels above level 0. */
  readonly height: number;
  /** Values of the axes, in their order. */
  readonly values: readonly number[];
  readonly seed: number;
  readonly experiment: Experiment;
}

export type Expansion = { ok: true; cells: StudyCell[] } | { ok: false; errors: FieldError[] };

/** Number of runs, without making them. */
export declare function countRuns(study: Study): number;

/** Every run of a study, heights outermost, seeds innermost; errors name the field that makes a run impossible. */
export declare function expandStudy(study: Study): Expansion;
