/** An experiment: dataset + model + tower + budget + seed + engine, validated, with defaults. */
import { z } from "zod";
import { catalog, catalogEntry } from "./catalog/index.ts";
import { dataFacts, ownFacts, ownKind, type DatasetChoice, type DatasetTask } from "./datasets.ts";
import { engineChoices } from "./engines.ts";
import { groupProblems } from "./groups.ts";
import { guard } from "./guard.ts";
import { matrixProblems } from "./matrices.ts";
import { attends, parametersOn, textSteps } from "./models/data.ts";
import { ModelError } from "./models/describe.ts";
import { model } from "./models/schema.ts";
import { generatorVersions, latestGenerator } from "./random.ts";
import { budgetProblems, type ScheduleProblem } from "./schedules/schema.ts";
import { lookaheadRunProblems } from "./lookahead.ts";
import { startingWeights } from "./startingWeights.ts";
import { tower } from "./tower.ts";
import { clipped } from "./text.ts";

export { engineKinds, type EngineKind } from "./engines.ts";

const positiveInteger = (what: string, max: number) =>
  z
    .number({ error: `${what} must be a whole number from 1 to ${max}` })
    .int(`${what} must be a whole number`)
    .min(1, `${what} must be at least 1`)
    .max(max, `${what} must be at most ${max}`);

/** Maximum number of examples or characters. */
const maxExamples = 1_000_000_000;

export const dataset = z
  .strictObject({
    kind: z.string({ error: "dataset.kind must be a dataset's name" }).default("mnist"),
    /** Facts about a user's own data, which may be on another machine. */
    facts: ownFacts.optional(),
    /** Train on the first N examples (or characters of a text); all by default. */
    trainExamples: positiveInteger("dataset.trainExamples", maxExamples).optional(),
    testExamples: positiveInteger("dataset.testExamples", maxExamples).optional(),
    /**
     * Share of the training examples held out for validation: drawn by `splitSeed`, or the end of a
     * text.
     * The test set is then evaluated only at the end of the run.
     */
    validation: z.number({ error: "dataset.validation must be a share from 0 to 0.9" }).min(0, "dataset.validation must be at least 0").max(0.9, "dataset.validation must be at most 0.9").default(0),
    /**
     * Image augmentation: pads with `crop` black pixels, crops at random, and mirrors half of the
     * images, anew
     * every epoch (He et al. 2016, section 4.2). Drawn by the experiment's seed.
     */
    augmentation: z
      .strictObject({
        crop: z.number({ error: "dataset.augmentation.crop must be a number of pixels" }).int("dataset.augmentation.crop must be a whole number").min(0, "dataset.augmentation.crop must be at least 0").max(64, "dataset.augmentation.crop must be at most 64").default(0),
        flip: z.boolean({ error: "dataset.augmentation.flip must be true or false" }).default(false),
      })
      .prefault({}),
    /** Draws the validation examples, and the test examples of data without a test set. */
    splitSeed: z
      .number({ error: "dataset.splitSeed must be a whole number from 0 to 4294967295" })
      .int("dataset.splitSeed must be a whole number")
      .min(0, "dataset.splitSeed must be at least 0")
      .max(4294967295, "dataset.splitSeed must be at most 4294967295")
      .default(0),
  })
  .transform(({ kind, facts: given, trainExamples, testExamples, ...rest }, context) => {
    const facts = ownKind.test(kind) ? given : catalogEntry(kind);
    if (!facts) {
      const message = ownKind.test(kind)
        ? `there is no dataset ${kind} here: import it first (hypertower datasets lists what there is)`
        : `dataset.kind must be one of: ${catalog.map(({ id }) => id).join(", ")}, or own/NAME of imported data`;
      context.addIssue({ code: "custom", path: ["kind"], message });
      return z.NEVER;
    }
    const sizes = { trainExamples: trainExamples ?? facts.trainExamples, testExamples: testExamples ?? facts.testExamples };
    for (const name of ["trainExamples", "testExamples"] as const) {
      if (sizes[name] > facts[name]) context.addIssue({ code: "custom", path: [name], message: `dataset.${name} is ${sizes[name]}; ${facts.title} has ${facts[name]}` });
    }
    const { augmentation } = rest;
    if (augments({ augmentation }) && facts.exampleShape.length !== 3) {
      const [asked, what] = augmentation.flip ? ["flip", "mirrored"] : ["crop", "cut"];
      context.addIssue({ code: "custom", path: ["augmentation", asked], message: `only images can be ${what}; ${facts.title} has none` });
    }
    return { kind, ...(given && ownKind.test(kind) ? { facts: given } : {}), ...sizes, ...rest };
  });

/** An engine's name stands for that engine with default settings: `"engine": "auto"`. */
export const engine = z.preprocess(
  (value) => (typeof value === "string" ? { kind: value } : value),
  z.strictObject({
    kind: z.enum(engineChoices, { error: `engine.kind must be one of: ${engineChoices.join(", ")}` }).default("onnx-cpu"),
    threads: positiveInteger("engine.threads", 256).default(1),
  }),
);

const maxSteps = 1_000_000_000;
const scheduleRule = `evaluation.every must be epoch, end, or a whole number of steps from 1 to ${maxSteps}`;

export const evaluationSchedule = z.strictObject({
  /**
   * When to evaluate: after every `epoch`, every N steps, or only at the `end`, which is always
   * included.
   */
  every: z
    .union([z.enum(["epoch", "end"]), z.int(scheduleRule).min(1, scheduleRule).max(maxSteps, scheduleRule)], { error: scheduleRule })
    .default("epoch"),
});

/** The paper's batch size for MNIST. */
const usualBatch = 256;

const fields = z.strictObject({
  name: z.string().max(200, "name: at most 200 characters").default(""),
  dataset: dataset.prefault({}),
  model: model.prefault({}),
  tower: tower.prefault([{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }]),
  batchSize: positiveInteger("batchSize", 60_000).default(usualBatch),
  /**
   * Shuffle the examples every epoch. For a transformer: blocks of a text drawn at random. Other
   * models read a text in order.
   */
  shuffle: z.boolean("shuffle must be true or false").default(true),
  budget: z
    .strictObject({
      epochs: positiveInteger("budget.epochs", 100_000).default(5),
      /** Steps in an epoch of blocks drawn at random; by default as many as would read the text once. */
      stepsPerEpoch: positiveInteger("budget.stepsPerEpoch", maxSteps).optional(),
    })
    .prefault({}),
  evaluation: evaluationSchedule.prefault({}),
  seed: z
    .number({ error: "seed must be a whole number from 0 to 4294967295" })
    .int("seed must be a whole number")
    .min(0, "seed must be from 0 to 4294967295")
    .max(4294967295, "seed must be from 0 to 4294967295")
    .default(0),
  /**
   * How seeds become random numbers. Stored experiments without it mean 1; asNew() gives new ones
   * the latest.
   */
  generator: z.literal(generatorVersions, { error: `generator must be one of: ${generatorVersions.join(", ")}` }).default(1),
  engine: engine.prefault({}),
  guard: guard.prefault({}),
  /** Weights that the run begins from, beside the model's own. */
  weights: startingWeights.optional(),
});

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Gives a new experiment without a generator the latest one. Not for stored experiments, where it
 * means 1.
 */
export function asNew(input: unknown): unknown {
  return isObject(input) && !("generator" in input && input.generator !== undefined) ? { ...input, generator: latestGenerator } : input;
}

/** Default model of a task: a character RNN, an MLP with linear output, or the paper's MLP. */
export function defaultModel(task: DatasetTask): z.input<typeof model> {
  if (task === "text") return { kind: "charRnn" };
  return task === "regression" ? { kind: "mlp", outputActivation: "identity" } : { kind: "mlp" };
}

/** Fills in the default model and batch size for the data. */
function withDefaults(input: unknown): unknown {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return input;
  const { dataset: data = {}, model: given = undefined, batchSize = undefined } = input as { dataset?: unknown; model?: unknown; batchSize?: unknown };
  const parsed = dataset.safeParse(data);
  if (!parsed.success) return input;
  const usual = defaultModel(taskOf({ dataset: parsed.data }));
  const model = given === undefined ? usual : isObject(given) && (!("kind" in given) || given.kind === usual.kind) ? { ...usual, ...given } : given;
  const choice = { dataset: parsed.data, ...(isObject(model) ? { model } : {}) };
  const fits = batchSize === undefined && usualBatch > maxRows(choice) ? { batchSize: fittingBatch(usualBatch, choice) } : {};
  return { ...input, model, ...fits };
}

/** Sizes of an experiment's data; the model may be incomplete while typed. */
export interface BatchChoice {
  readonly dataset: DatasetChoice & Pick<z.output<typeof dataset>, "trainExamples" | "testExamples" | "validation">;
  readonly model?: object;
}

/**
 * Largest batch that leaves at least `batches` training batches and one batch of every other set.
 */
function maxRows({ dataset, model }: BatchChoice, batches = 1): number {
  const held = validationExamples(dataset);
  const train = dataset.trainExamples - held;
  if (!isText({ dataset })) return Math.floor(train / batches);
  const steps = textSteps(model);
  const others = [dataset.testExamples, ...(held > 0 ? [held] : [])];
  return Math.floor(Math.min((train - 1) / (steps * batches), ...others.map((characters) => (characters - 1) / steps)));
}

/** `most`, or for a small dataset the largest power of two that leaves four batches. */
export function fittingBatch(most: number, choice: BatchChoice): number {
  const rows = maxRows(choice, 4);
  return rows >= most ? most : 2 ** Math.floor(Math.log2(Math.max(rows, 1)));
}

const checked = z
  .preprocess(withDefaults, fields)
  .superRefine((e, context) => {
    // Range errors are already reported.
    const refused = (field: string) => context.issues.some(({ path }) => path?.[0] === field);
    if (refused("dataset")) return;
    const { trainExamples, testExamples } = e.dataset;
    const held = validationExamples(e.dataset);
    const fixed = e.model.kind === "graph" ? (e.model.facts?.batch ?? null) : null;
    if (fixed !== null && e.batchSize !== fixed) {
      context.addIssue({ code: "custom", path: ["batchSize"], message: `batchSize is ${e.batchSize}; the file of this network is fixed to batches of ${fixed}: set batchSize to ${fixed}, or export it with a batch axis that is left open (dynamic_axes or dynamic_shapes)` });
    } else if (e.batchSize > trainExamples) {
      context.addIssue({ code: "custom", path: ["batchSize"], message: `batchSize is ${e.batchSize}, which is larger than dataset.trainExamples, ${trainExamples}` });
    } else if (e.batchSize > trainExamples - held) {
      const message = `batchSize is ${e.batchSize}; dataset.validation holds out ${held} of ${trainExamples} examples, which leaves ${trainExamples - held} to train on`;
      context.addIssue({ code: "custom", path: ["batchSize"], message });
    }
    if (refused("model")) return;
    try {
      const parameters = parametersOn(e);
      const parts = [["trainExamples", "dataset.trainExamples", trainExamples - held], ["testExamples", "dataset.testExamples", testExamples], ...(held > 0 ? [["validation", "what dataset.validation holds out", held] as const] : [])] as const;
      const blocks = drawsBlocks(e);
      if (e.budget.stepsPerEpoch !== undefined && !blocks) {
        const message = "budget.stepsPerEpoch is for blocks of a text drawn at random, by a transformer with shuffle on; without it, an epoch is all training data once";
        context.addIssue({ code: "custom", path: ["budget", "stepsPerEpoch"], message });
      }
      for (const [name, what, count] of parts) {
        if (blocks && blocksOf(count, textSteps(e.model)) < 1) {
          context.addIssue({ code: "custom", path: ["dataset", name], message: `${what} is ${count}; a block needs ${textSteps(e.model) + 1} characters` });
        } else if (!blocks && isText(e) && textBatches(e, count) < 1) {
          const message = `${what} is ${count}; a batch needs ${e.batchSize} × ${textSteps(e.model)} characters, and one more for each row`;
          context.addIssue({ code: "custom", path: ["dataset", name], message });
        }
      }
      if (refused("tower")) return;
      for (const { index, message } of groupProblems(e.tower[0]!.groups, parameters.map(({ name }) => name), "the model's parameters")) {
        context.addIssue({ code: "custom", path: ["tower", 0, "groups", index, "match"], message });
      }
      for (const { path, message } of matrixProblems(e.tower[0]!, parameters)) context.addIssue({ code: "custom", path: ["tower", 0, ...path], message });
      if (refused("budget") || refused("batchSize")) return;
      for (const { path, message } of longSchedules(e)) context.addIssue({ code: "custom", path: [...path], message });
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      context.addIssue({ code: "custom", path: [...error.path], message: error.message });
    }
  });

/** Schedules and lookaheads that do not fit into the run. */
export function longSchedules(e: Experiment): ScheduleProblem[] {
  const length = { stepsPerEpoch: stepsPerEpoch(e), totalSteps: totalSteps(e) };
  return e.tower.slice(0, 1).flatMap((level) => [
    ...budgetProblems(level, length, ["tower", 0]),
    ...level.groups.flatMap((group, i) => budgetProblems(group, length, ["tower", 0, "groups", i])),
    ...lookaheadRunProblems(e.tower[1]?.lookahead ?? 1, {
      totalSteps: length.totalSteps,
      batchSize: e.batchSize,
      left: isText(e) ? 0 : (e.dataset.trainExamples - validationExamples(e.dataset)) % e.batchSize,
    }).map((message) => ({ path: ["tower", 1, "lookahead"], message })),
  ]);
}

// Interfaces keep derived types short in declaration files.
export interface Experiment extends z.output<typeof fields> {}
export interface ExperimentInput extends z.input<typeof fields> {}
export const experiment = checked as unknown as z.ZodType<Experiment, ExperimentInput>;

export interface FieldError {
  /** Dotted path of the field, such as `tower.0.beta1`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export type Validation = { ok: true; experiment: Experiment } | { ok: false; errors: FieldError[] };

/** Errors shown of one input; more help nobody. */
const maxErrors = 200;

export function fieldErrors(error: z.ZodError): FieldError[] {
  const errors = error.issues.slice(0, maxErrors).flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.slice(0, maxErrors).map((key) => ({ path: [...issue.path, key].join("."), message: `there is no field named ${clipped(key)}` }))
      : [{ path: issue.path.join("."), message: issue.message }],
  );
  return errors.slice(0, maxErrors).map(({ path, message }) => ({ path: clipped(path), message: clipped(message, 2_000) }));
}

/** Validates an experiment and fills in defaults; errors name the field and what is allowed. */
export function validateExperiment(input: unknown): Validation {
  const result = experiment.safeParse(input);
  return result.success ? { ok: true, experiment: result.data } : { ok: false, errors: fieldErrors(result.error) };
}

type Sizes = Pick<z.output<typeof fields>, "dataset" | "model" | "batchSize" | "shuffle" | "budget">;

export const taskOf = ({ dataset }: { readonly dataset: DatasetChoice }): DatasetTask => dataFacts(dataset).task;
export const isText = (of: { readonly dataset: DatasetChoice }): boolean => taskOf(of) === "text";

export const augments = ({ augmentation: { crop, flip } }: Pick<Experiment["dataset"], "augmentation">): boolean => crop > 0 || flip;

/**
 * Number of training examples (or characters) held out for validation: at least one for a share
 * above 0.
 */
export function validationExamples({ trainExamples, validation }: Pick<Experiment["dataset"], "trainExamples" | "validation">): number {
  return validation === 0 ? 0 : Math.max(1, Math.round(validation * trainExamples));
}

/** Number of batches of a text, which is split into one stream per row. */
export function textBatches({ model, batchSize }: Pick<Sizes, "model" | "batchSize">, characters: number): number {
  return Math.floor(Math.floor((characters - 1) / batchSize) / textSteps(model));
}

/** Number of blocks of `steps` symbols side by side, each of which another symbol follows. */
export const blocksOf = (characters: number, steps: number): number => Math.floor((characters - 1) / steps);

/** Whether training batches are blocks drawn at random from a text. */
export const drawsBlocks = (e: Pick<Experiment, "dataset" | "model" | "shuffle">): boolean => isText(e) && e.shuffle && attends(e.model);

/** Steps per epoch. The last batch of an epoch may be smaller; a text drops it. */
export function stepsPerEpoch(e: Sizes): number {
  const examples = e.dataset.trainExamples - validationExamples(e.dataset);
  if (drawsBlocks(e)) return e.budget.stepsPerEpoch ?? Math.max(1, textBatches(e, examples));
  return isText(e) ? textBatches(e, examples) : Math.ceil(examples / e.batchSize);
}

export function totalSteps(e: Experiment): number {
  return stepsPerEpoch(e) * e.budget.epochs;
}

/** Steps between two evaluations. */
function stepsBetweenEvaluations(e: Experiment): number {
  const { every } = e.evaluation;
  return every === "end" ? totalSteps(e) : every === "epoch" ? stepsPerEpoch(e) : every;
}

/** Whether a run is evaluated after this many steps. */
export function evaluatesAfter(e: Experiment, steps: number): boolean {
  return steps === totalSteps(e) || steps % stepsBetweenEvaluations(e) === 0;
}

/** Number of evaluations of a whole run. */
export function evaluationCount(e: Experiment): number {
  return Math.ceil(totalSteps(e) / stepsBetweenEvaluations(e));
}
