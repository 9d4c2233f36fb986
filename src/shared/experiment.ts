/** An experiment: dataset + model + tower + budget + seed + engine, validated, with defaults. */
import { z } from "zod";
import { datasetFacts, factsOf, trainableIds } from "./datasets.ts";
import { engineKinds } from "./engines.ts";
import { groupProblems } from "./groups.ts";
import { guard } from "./guard.ts";
import { parameterNames, textSteps } from "./models/data.ts";
import { ModelError } from "./models/describe.ts";
import { model } from "./models/schema.ts";
import { tower } from "./tower.ts";

export { engineKinds, type EngineKind } from "./engines.ts";

const positiveInteger = (what: string, max: number) =>
  z
    .number({ error: `${what} must be a whole number from 1 to ${max}` })
    .int(`${what} must be a whole number`)
    .min(1, `${what} must be at least 1`)
    .max(max, `${what} must be at most ${max}`);

const largest = (size: "trainExamples" | "testExamples") => Math.max(...datasetFacts.map((facts) => facts[size]));

export const dataset = z
  .strictObject({
    kind: z.enum(trainableIds, { error: `dataset.kind must be one of: ${trainableIds.join(", ")}` }).default("mnist"),
    /** Train on the first N examples, or characters of a text, only; all of the dataset by default. */
    trainExamples: positiveInteger("dataset.trainExamples", largest("trainExamples")).optional(),
    testExamples: positiveInteger("dataset.testExamples", largest("testExamples")).optional(),
  })
  .transform(({ kind, trainExamples, testExamples }, context) => {
    const facts = factsOf(kind)!;
    const sizes = { trainExamples: trainExamples ?? facts.trainExamples, testExamples: testExamples ?? facts.testExamples };
    for (const name of ["trainExamples", "testExamples"] as const) {
      if (sizes[name] > facts[name]) context.addIssue({ code: "custom", path: [name], message: `dataset.${name} is ${sizes[name]}; ${facts.title} has ${facts[name]}` });
    }
    return { kind, ...sizes };
  });

export const engine = z.strictObject({
  kind: z.enum(engineKinds, { error: `engine.kind must be one of: ${engineKinds.join(", ")}` }).default("onnx-cpu"),
  threads: positiveInteger("engine.threads", 256).default(1),
});

const mostSteps = 1_000_000_000;
const scheduleRule = `evaluation.every must be epoch, end, or a whole number of steps from 1 to ${mostSteps}`;

export const evaluationSchedule = z.strictObject({
  /** When the test examples are looked at: after every `epoch`, after every so many steps, or only at the `end`, which is never left out. */
  every: z
    .union([z.enum(["epoch", "end"]), z.int(scheduleRule).min(1, scheduleRule).max(mostSteps, scheduleRule)], { error: scheduleRule })
    .default("epoch"),
});

const fields = z.strictObject({
  name: z.string().max(200, "name: at most 200 characters").default(""),
  dataset: dataset.prefault({}),
  model: model.prefault({}),
  tower: tower.prefault([{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }]),
  batchSize: positiveInteger("batchSize", 60_000).default(256),
  /** Examples in a new order every epoch; false: as they stand. A text is read on either way. */
  shuffle: z.boolean("shuffle must be true or false").default(true),
  budget: z.strictObject({ epochs: positiveInteger("budget.epochs", 100_000).default(5) }).prefault({}),
  evaluation: evaluationSchedule.prefault({}),
  seed: z
    .number({ error: "seed must be a whole number from 0 to 4294967295" })
    .int("seed must be a whole number")
    .min(0, "seed must be from 0 to 4294967295")
    .max(4294967295, "seed must be from 0 to 4294967295")
    .default(0),
  engine: engine.prefault({}),
  guard: guard.prefault({}),
});

const checked = fields
  .refine((e) => e.batchSize <= e.dataset.trainExamples, {
    path: ["batchSize"],
    error: "batchSize is larger than dataset.trainExamples",
  })
  .superRefine((e, context) => {
    // What is out of range already is named as that.
    const refused = (field: string) => context.issues.some(({ path }) => path?.[0] === field);
    if (refused("model") || refused("dataset")) return;
    try {
      const names = parameterNames(e);
      for (const [name, count] of Object.entries({ trainExamples: e.dataset.trainExamples, testExamples: e.dataset.testExamples })) {
        if (isText(e) && textBatches(e, count) < 1) {
          const message = `dataset.${name} is ${count}; a batch needs ${e.batchSize} × ${textSteps(e.model)} characters, and one more for each row`;
          context.addIssue({ code: "custom", path: ["dataset", name], message });
        }
      }
      if (refused("tower")) return;
      for (const { index, message } of groupProblems(e.tower[0]!.groups, names, "the model's parameters")) {
        context.addIssue({ code: "custom", path: ["tower", 0, "groups", index, "match"], message });
      }
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      context.addIssue({ code: "custom", path: [...error.path], message: error.message });
    }
  });

// Interfaces, so that types built of them stay short enough for the compiler to write out.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Experiment extends z.output<typeof checked> {}
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface ExperimentInput extends z.input<typeof checked> {}
export const experiment: z.ZodType<Experiment, ExperimentInput> = checked;

export interface FieldError {
  /** Dotted path of the field, e.g. `tower.0.beta1`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export type Validation = { ok: true; experiment: Experiment } | { ok: false; errors: FieldError[] };

export function fieldErrors(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ path: [...issue.path, key].join("."), message: `there is no field named ${key}` }))
      : [{ path: issue.path.join("."), message: issue.message }],
  );
}

/** Validates an experiment and fills in defaults; errors name the field and say what is allowed. */
export function validateExperiment(input: unknown): Validation {
  const result = experiment.safeParse(input);
  return result.success ? { ok: true, experiment: result.data } : { ok: false, errors: fieldErrors(result.error) };
}

type Sizes = Pick<z.output<typeof fields>, "dataset" | "model" | "batchSize">;

export const isText = ({ dataset }: Pick<Sizes, "dataset">): boolean => factsOf(dataset.kind)?.task === "text";

/** Whole batches of a text: it is cut into as many streams as a batch has rows, each read on from batch to batch. */
export function textBatches({ model, batchSize }: Pick<Sizes, "model" | "batchSize">, characters: number): number {
  return Math.floor(Math.floor((characters - 1) / batchSize) / textSteps(model));
}

/** Steps per epoch; the last batch of an epoch may be smaller, and is trained on, unless it is of a text. */
export function stepsPerEpoch(e: Sizes): number {
  const { trainExamples } = e.dataset;
  return isText(e) ? textBatches(e, trainExamples) : Math.ceil(trainExamples / e.batchSize);
}

export function totalSteps(e: Experiment): number {
  return stepsPerEpoch(e) * e.budget.epochs;
}

/** Steps between two evaluations. */
function stepsBetweenEvaluations(e: Experiment): number {
  const { every } = e.evaluation;
  return every === "end" ? totalSteps(e) : every === "epoch" ? stepsPerEpoch(e) : every;
}

/** Whether a run is evaluated once it has taken so many steps. */
export function evaluatesAfter(e: Experiment, steps: number): boolean {
  return steps === totalSteps(e) || steps % stepsBetweenEvaluations(e) === 0;
}

/** Evaluations of a whole run. */
export function evaluationCount(e: Experiment): number {
  return Math.ceil(totalSteps(e) / stepsBetweenEvaluations(e));
}
