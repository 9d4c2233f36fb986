/**
 * A study: one experiment trained with many initial hyperparameters, with tower heights, stacks or
 * methods, and seeds. `expand.ts` creates its runs.
 */
import { z } from "zod";
import { asNew, experiment, fieldErrors, type FieldError } from "../experiment.ts";
import { maxCohort, maxSeeds } from "../limits.ts";
import { level, maxLevels, tower } from "../tower.ts";

/** Max number of runs of a study. */
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
 * Values of an axis; `log` spaces them evenly in the logarithm. Lists and grids are crossed.
 * Sampled axes (`random`, `quasiRandom`) are sampled together: each sample is one point in all of
 * them, so they need the same number of points.
 */
const list = z.strictObject({ kind: z.literal("list"), values: z.array(finiteNumber("a value")).min(1, "a list needs at least one value").max(1_000, "at most 1000 values") });
const grid = z.strictObject({ kind: z.literal("grid"), ...range });
export const axisValues = z.discriminatedUnion(
  "kind",
  [
    list,
    grid,
    z.strictObject({ kind: z.literal("random"), ...range, seed: seed.default(0) }),
    /** A Halton sequence, one base per axis: fills the range more evenly than random samples. */
    z.strictObject({ kind: z.literal("quasiRandom"), ...range }),
  ],
  { error: "values.kind must be one of: list, grid, random, quasiRandom" },
);

/** Path of an initial hyperparameter. */
const initial = {
  level: z.number({ error: "level must be a whole number" }).int("level must be a whole number").min(0, "level must be at least 0").max(maxLevels - 1).default(0),
  /** Hyperparameter of the level, `alpha`, or of one of its groups, `alpha[bias]`. */
  hyperparameter: z.string({ error: "hyperparameter must be a name, such as alpha" }).default("alpha"),
};

/** An initial hyperparameter to vary. */
export const axis = z.strictObject({ ...initial, values: axisValues });

/**
 * Initial step sizes of the levels above level 0:
 * - `equal`: level 0's step size, as in the paper's Figure 4a;
 * - `figure4b`: the paper's other scheme: alpha 1e2, alpha, alpha 1e-2 for alpha up to 1e-4, and
 *   alpha 1e-3, alpha 1e-4, 1e-8 from 1e-3 on. Between them the paper has no value; the first applies below 5e-4;
 * - `fixed`: the given step sizes, level 1's first; the last one is repeated;
 * - `base`: those of the base experiment's tower; its top level is repeated.
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

/** Tower heights to compare: numbers of levels above level 0. */
export const heights = z.strictObject({
  values: z.array(height).min(1, "heights.values needs at least one height").max(maxLevels),
  rule: upperRule.prefault({ kind: "equal" }),
  /** Settings of the levels above level 0; null: those of level 0, or for `base` the base's own. */
  upper: level.nullable().default(null),
  /** Overrides `upper` for single heights, by height. */
  upperAt: z.record(z.string().regex(/^\d+$/, "upperAt is keyed by height"), level).default({}),
});

const stackName = z.string({ error: "a stack needs a name" }).trim().min(1, "a stack needs a name").max(200, "a stack's name: at most 200 characters");

const seedsAllowed = (list: string) => z.array(seed).min(1, `${list} needs at least one seed`).max(maxSeeds, `at most ${maxSeeds} seeds`);

/**
 * A named tower, such as a row of the paper's Table 1, or a rerun of another stack: a plain
 * optimizer with the hyperparameters that each run of that stack learned, and the same seed.
 */
const stackFields = z.strictObject({
  name: stackName,
  /** Null for a rerun. */
  tower: tower.nullable().default(null),
  /** Name of the stack to rerun; null for a stack with a tower. */
  rerunOf: stackName.nullable().default(null),
  /** Null: the base's budget; a rerun uses its source's. */
  epochs: z
    .number({ error: "epochs must be a whole number, or null for the base's budget" })
    .int("epochs must be a whole number")
    .min(1, "epochs must be at least 1")
    .max(100_000, "epochs must be at most 100000")
    .nullable()
    .default(null),
  /** Null: the study's; a rerun uses its source's. */
  seeds: seedsAllowed("seeds").nullable().default(null),
  /** Name of the stack to compare with. Null: the first one, or none if other stacks name theirs. */
  against: stackName.nullable().default(null),
});

export interface Stack extends z.output<typeof stackFields> {}
interface StackInput extends z.input<typeof stackFields> {}
export const stack: z.ZodType<Stack, StackInput> = stackFields;

/** A hyperparameter of a method that is swept around its published default. */
export const knob = z.strictObject({
  ...initial,
  /** Null: the value in the method's tower. */
  published: z.number({ error: "published must be a number greater than 0, or null for the tower's value" }).gt(0, "published must be greater than 0: factors multiply it").nullable().default(null),
});

const methodName = z.string({ error: "a method needs a name" }).trim().min(1, "a method needs a name").max(200, "a method's name: at most 200 characters");

/** A way to train, such as Adam with a schedule, Prodigy, or a tower. */
const checkedMethod = z.strictObject({
  name: methodName,
  tower,
  /** Its starting value: the step size, or an estimate of it such as `d0`. Null: the one that its optimizer is known by (`methods.ts`). */
  start: knob.nullable().default(null),
  /** Its other knobs, such as a tower's upper step size. Each is swept alone, with everything else at its published default. */
  knobs: z.array(knob).max(8, "at most 8 knobs").default([]),
});

export interface Method extends z.output<typeof checkedMethod> {}
export interface MethodInput extends z.input<typeof checkedMethod> {}
export const method: z.ZodType<Method, MethodInput> = checkedMethod;

/** Methods to compare. Every starting value and knob is its published default multiplied by the same factors. */
export const methods = z.strictObject({
  factors: z.discriminatedUnion("kind", [list, grid], { error: "factors.kind must be one of: list, grid" }).prefault({ kind: "grid", from: 1e-4, to: 1e4, points: 9 }),
  list: z.array(method, { error: "methods.list must be a list of methods" }).min(1, "methods.list needs at least one method").max(100, "at most 100 methods"),
});

/** Max number of similar runs that train as one program; `auto`: the fastest number, by measurement. */
const cohortAllowed = `cohort must be "auto" or a whole number from 1 to ${maxCohort}`;
export const cohort = z.union([z.literal("auto"), z.number().int(cohortAllowed).min(1, cohortAllowed).max(maxCohort, cohortAllowed)], { error: cohortAllowed });
export type CohortChoice = z.output<typeof cohort>;

/** Successive halving: at each rung (in epochs) only the best share `keep` of the remaining runs continues. Off for sensitivity figures. */
export const halving = z.strictObject({
  rungs: z.array(z.number().int().min(1, "a rung is a number of epochs, at least 1")).min(1, "halving needs at least one rung"),
  keep: z.number().gt(0, "keep must be greater than 0").lt(1, "keep must be less than 1").default(0.5),
});

const checked = z.strictObject({
  name: z.string().max(200, "name: at most 200 characters").default(""),
  base: experiment.prefault({}),
  axes: z.array(axis).max(4, "at most 4 axes").default([]),
  /** Null: the base's tower unchanged. */
  heights: heights.nullable().default(null),
  /** Stacks to compare, instead of the base's tower and heights. */
  stacks: z.array(stack).min(1, "stacks needs at least one stack").max(1_000, "at most 1000 stacks").nullable().default(null),
  /** Methods to compare, instead of the base's tower, axes, heights and stacks. */
  methods: methods.nullable().default(null),
  seeds: seedsAllowed("seeds").default([0]),
  halving: halving.nullable().default(null),
  /** Applies the safety settings to every run (docs/guard.md). */
  safe: z.boolean("safe must be true or false").default(false),
  /** A started study has the number, because it may change last digits. */
  cohort: cohort.default("auto"),
});

// Interfaces keep derived types short.
export interface Study extends z.output<typeof checked> {}
export interface StudyInput extends z.input<typeof checked> {}
export const study: z.ZodType<Study, StudyInput> = checked;
export type Axis = z.output<typeof axis>;
export type AxisValues = z.output<typeof axisValues>;
export type Knob = z.output<typeof knob>;
export type Methods = z.output<typeof methods>;
export type UpperRule = z.output<typeof upperRule>;

export type StudyValidation = { ok: true; study: Study } | { ok: false; errors: FieldError[] };

/** Gives a new study whose base names no generator the latest one, as asNew() does for experiments. */
export function asNewStudy(input: unknown): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return input;
  const { base = {} } = input as { base?: unknown };
  return { ...input, base: asNew(base) };
}

/** Validates the form of a study and fills in defaults; `expandStudy` finds contradictions. */
export function validateStudy(input: unknown): StudyValidation {
  const result = study.safeParse(input);
  return result.success ? { ok: true, study: result.data } : { ok: false, errors: fieldErrors(result.error) };
}
