/**
 * A study: one experiment, trained from many initial hyperparameters, under towers of
 * several heights, with several seeds. `expand.ts` makes its runs.
 */
import { z } from "zod";
import { asNew, experiment, fieldErrors, type FieldError } from "../experiment.ts";
import { maxCohort, maxSeeds } from "../limits.ts";
import { level, maxLevels, tower } from "../tower.ts";

/** Most runs one study may have. */
export const maxStudyRuns = 100_000;

const scale = z.enum(["log", "linear"], { error: "scale must be log or linear" }).default("log");
const points = z
  .number({ error: "points must be a whole number from 1 to 1000" })
  .int("points must be a whole number")
  .min(1, "points must be at least 1")
  .max(1_000, "points must be at most 1000");
const finiteNumber = (what: string) => z.number({ error: `${what} must be a number` });
const range = { scale, from: finiteNumber("from"), to: finiteNumber("to"), points };
const seed = z
  .number({ error: "a seed must be a whole number from 0 to 4294967295" })
  .int("a seed must be a whole number")
  .min(0, "a seed must be from 0 to 4294967295")
  .max(4294967295, "a seed must be from 0 to 4294967295");

/**
 * Where an axis takes its values from; `log` spaces them evenly in the logarithm. Lists and
 * grids are crossed with one another. Axes that are sampled (`random`, `quasiRandom`) are
 * sampled together: each sample is one point in all of them, so they have the same number of points.
 */
export const axisValues = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("list"), values: z.array(finiteNumber("a value")).min(1, "a list needs at least one value").max(1_000, "at most 1000 values") }),
    z.strictObject({ kind: z.literal("grid"), ...range }),
    z.strictObject({ kind: z.literal("random"), ...range, seed: seed.default(0) }),
    /** A Halton sequence, one base per axis: fills the range more evenly than random samples. */
    z.strictObject({ kind: z.literal("quasiRandom"), ...range }),
  ],
  { error: "values.kind must be one of: list, grid, random, quasiRandom" },
);

/** An initial hyperparameter that varies. */
export const axis = z.strictObject({
  level: z.number({ error: "level must be a whole number" }).int("level must be a whole number").min(0, "level must be at least 0").max(maxLevels - 1).default(0),
  /** Of the level, `alpha`, or of one of its groups, `alpha[bias]`. */
  hyperparameter: z.string({ error: "hyperparameter must be a name, such as alpha" }).default("alpha"),
  values: axisValues,
});

/**
 * How the levels above level 0 start:
 * - `equal`: each at level 0's step size, as in the paper's Figure 4a;
 * - `figure4b`: the paper's other scheme: alpha 1e2, alpha, alpha 1e-2 for alpha up to 1e-4; alpha 1e-3, alpha 1e-4, 1e-8 from 1e-3 on; between
 *   them, where the paper has no value, the first below 5e-4;
 * - `fixed`: at the given step sizes, level 1's first; the last one is kept for the levels beyond;
 * - `base`: as in the base experiment's tower, whose top level is repeated beyond it.
 */
export const upperRule = z.discriminatedUnion(
  "kind",
  [
    z.strictObject({ kind: z.literal("equal") }),
    z.strictObject({ kind: z.literal("figure4b") }),
    z.strictObject({ kind: z.literal("fixed"), alphas: z.array(finiteNumber("a step size")).min(1, "fixed needs at least one step size").max(maxLevels) }),
    z.strictObject({ kind: z.literal("base") }),
  ],
  { error: "rule.kind must be one of: equal, figure4b, fixed, base" },
);

const height = z.number({ error: "a height must be a whole number" }).int("a height must be a whole number").min(0, "a height must be at least 0").max(maxLevels - 1, `a height must be at most ${maxLevels - 1}`);

/** Tower heights to compare: levels above the one that moves the weights. */
export const heights = z.strictObject({
  values: z.array(height).min(1, "heights.values needs at least one height").max(maxLevels),
  rule: upperRule.prefault({ kind: "equal" }),
  /** The levels above level 0; null: the same optimizer as level 0, for `base` the base's own. */
  upper: level.nullable().default(null),
  /** Another such level for single heights, by height. */
  upperAt: z.record(z.string().regex(/^\d+$/, "upperAt is keyed by height"), level).default({}),
});

const stackName = z.string({ error: "a stack needs a name" }).trim().min(1, "a stack needs a name").max(200, "a stack's name: at most 200 characters");

const seedsAllowed = (list: string) => z.array(seed).min(1, `${list} needs at least one seed`).max(maxSeeds, `at most ${maxSeeds} seeds`);

/**
 * A configuration with a name, such as a row of the paper's Table 1. It has a tower of its own, or is a rerun of
 * another stack: plain, from the hyperparameters that each run of that stack learned, with the same seed.
 */
export const stack = z.strictObject({
  name: stackName,
  /** Null for a rerun. */
  tower: tower.nullable().default(null),
  /** Name of the stack that is rerun; null for a stack with a tower. */
  rerunOf: stackName.nullable().default(null),
  /** Null: the base's budget; a rerun has that of the stack it reruns. */
  epochs: z
    .number({ error: "epochs must be a whole number, or null for the base's budget" })
    .int("epochs must be a whole number")
    .min(1, "epochs must be at least 1")
    .max(100_000, "epochs must be at most 100000")
    .nullable()
    .default(null),
  /** Null: the study's; a rerun has those of the stack it reruns. */
  seeds: seedsAllowed("seeds").nullable().default(null),
  /** Name of the stack that it is compared with. Null: the first, or none where other stacks name theirs. */
  against: stackName.nullable().default(null),
});

/** Runs that train as one program, where they are alike; `auto`: as many as train fastest here, by measurement. */
const cohortAllowed = `cohort must be "auto" or a whole number from 1 to ${maxCohort}`;
export const cohort = z.union([z.literal("auto"), z.number().int(cohortAllowed).min(1, cohortAllowed).max(maxCohort, cohortAllowed)], { error: cohortAllowed });
export type CohortChoice = z.output<typeof cohort>;

/** Successive halving: at each rung (in epochs) only the best share of what is left goes on. Off for sensitivity figures. */
export const halving = z.strictObject({
  rungs: z.array(z.number().int().min(1, "a rung is a number of epochs, at least 1")).min(1, "halving needs at least one rung"),
  keep: z.number().gt(0, "keep must be greater than 0").lt(1, "keep must be less than 1").default(0.5),
});

export const study = z.strictObject({
  name: z.string().max(200, "name: at most 200 characters").default(""),
  base: experiment.prefault({}),
  axes: z.array(axis).max(4, "at most 4 axes").default([]),
  /** Null: the base's tower as it is. */
  heights: heights.nullable().default(null),
  /** Stacks to compare, in place of the base's tower and of heights. */
  stacks: z.array(stack).min(1, "stacks needs at least one stack").max(1_000, "at most 1000 stacks").nullable().default(null),
  seeds: seedsAllowed("seeds").default([0]),
  halving: halving.nullable().default(null),
  /** Every run with what keeps a tower from diverging (docs/guard.md). */
  safe: z.boolean("safe must be true or false").default(false),
  /** A study that has begun has the number: it may show in the last digits. */
  cohort: cohort.default("auto"),
});

export type Study = z.output<typeof study>;
export type StudyInput = z.input<typeof study>;
export type Axis = z.output<typeof axis>;
export type AxisValues = z.output<typeof axisValues>;
export type Stack = z.output<typeof stack>;
export type UpperRule = z.output<typeof upperRule>;

export type StudyValidation = { ok: true; study: Study } | { ok: false; errors: FieldError[] };

/** A new study whose base names no generator gets the latest one, as asNew() does for experiments. */
export function asNewStudy(input: unknown): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return input;
  const { base = {} } = input as { base?: unknown };
  return { ...input, base: asNew(base) };
}

/** Validates the form of a study and fills in defaults; `expandStudy` finds what contradicts itself. */
export function validateStudy(input: unknown): StudyValidation {
  const result = study.safeParse(input);
  return result.success ? { ok: true, study: result.data } : { ok: false, errors: fieldErrors(result.error) };
}
