/** An experiment being edited: every field may hold text that is not a number yet. */
import { ownFacts, ownFactsOf, type DatasetInfo, type OwnFacts } from "@shared/datasets.ts";
import { z } from "zod";
import { engineChoices } from "@shared/engines.ts";
import { newExperiment } from "@shared/presets.ts";
import { asNew, fittingBatch, isText, defaultModel, stepsPerEpoch, totalSteps, validateExperiment, type Experiment, type Validation } from "@shared/experiment.ts";
import { guard as guardSchema, guardSpecs, type GuardSpec } from "@shared/guard.ts";
import { suits } from "@shared/models/architecture.ts";
import { describedModel, weightCount } from "@shared/models/described.ts";
import { attends, dataShape, parameterNames } from "@shared/models/data.ts";
import { ModelError } from "@shared/models/describe.ts";
import { model as modelSchema } from "@shared/models/schema.ts";
import { modelText } from "@shared/models/text.ts";
import { optimizerNames } from "@shared/optimizers.ts";
import { generatorVersions, latestGenerator, type GeneratorVersion } from "@shared/random.ts";
import type { RunLength } from "@shared/schedules/segments.ts";
import { startingWeights, type StartingWeights } from "@shared/startingWeights.ts";
import { symbolsOf } from "@shared/texts.ts";
import { formatCount } from "./format.ts";
import { draftOfModel, isDraftModel, modelOf, type DraftModel } from "./modelDraft.ts";
import { modelTitles } from "./modelWords.ts";
import type { Entry } from "./numbers.ts";
import { storedSchedules } from "./scheduleDraft.ts";
import { fromTower, newLevel, toTower, type DraftLevel } from "./towerEdits.ts";

export interface Draft {
  name: string;
  dataset: { kind: string; facts?: OwnFacts | undefined; trainExamples: Entry; testExamples: Entry; validation: Entry; splitSeed: Entry; augmentation: { crop: Entry; flip: boolean } };
  model: DraftModel;
  levels: DraftLevel[];
  batchSize: Entry;
  /** Batch size for large datasets; null after the user typed one. */
  usualBatch: number | null;
  shuffle: boolean;
  epochs: Entry;
  /** Steps of an epoch of random blocks; empty for as many as read the text once. */
  stepsPerEpoch: Entry;
  evaluation: { when: "epoch" | "steps" | "end"; steps: Entry };
  seed: Entry;
  /** Taken from the run that the draft is based on. */
  generator: GeneratorVersion;
  engine: { kind: (typeof engineChoices)[number]; threads: Entry };
  guard: GuardDraft;
  /** Weights that runs begin from, beside the model's own. */
  weights?: StartingWeights | undefined;
}

export type GuardDraft = { on: boolean } & Record<GuardSpec["name"], Entry>;

export function draftOf(e: Experiment): Draft {
  return {
    name: e.name,
    dataset: structuredClone(e.dataset),
    model: draftOfModel(e.model),
    levels: fromTower(e.tower),
    batchSize: e.batchSize,
    usualBatch: e.batchSize,
    shuffle: e.shuffle,
    epochs: e.budget.epochs,
    stepsPerEpoch: e.budget.stepsPerEpoch ?? "",
    evaluation: draftOfSchedule(e.evaluation),
    seed: e.seed,
    generator: e.generator,
    engine: { ...e.engine },
    guard: { ...e.guard },
    ...(e.weights ? { weights: e.weights } : {}),
  };
}

/** Initial value of the evaluation interval. */
const usualSteps = 500;

function draftOfSchedule({ every }: Experiment["evaluation"]): Draft["evaluation"] {
  return typeof every === "number" ? { when: "steps", steps: every } : { when: every, steps: usualSteps };
}

/** Whether the model can learn from blocks of a text drawn at random; false while its fields are incomplete. */
export function canDrawBlocks({ dataset, model }: Pick<Draft, "dataset" | "model">): boolean {
  if (!isText({ dataset })) return false;
  const parsed = modelSchema.safeParse(modelOf(model));
  return parsed.success && attends(parsed.data);
}

/** The experiment for requests; not validated. */
export function experimentOf(draft: Draft): unknown {
  const { name, dataset, model, levels, batchSize, shuffle, epochs, stepsPerEpoch, evaluation, seed, generator, engine, guard, weights } = draft;
  const budget = { epochs, ...(canDrawBlocks(draft) && shuffle && stepsPerEpoch !== "" ? { stepsPerEpoch } : {}) };
  const every = evaluation.when === "steps" ? evaluation.steps : evaluation.when;
  return { name, dataset, model: modelOf(model), tower: toTower(levels), batchSize, shuffle, budget, evaluation: { every }, seed, generator, engine, guard, ...(weights ? { weights } : {}) };
}

/** Length of the draft's runs, whatever its tower is; null while it has other errors. */
export function runLengthOf(draft: Draft): RunLength | null {
  const result = validateExperiment({ ...(experimentOf(draft) as object), tower: [{ optimizer: "sgd" }] });
  return result.ok ? { stepsPerEpoch: stepsPerEpoch(result.experiment), totalSteps: totalSteps(result.experiment) } : null;
}

export function validateDraft(draft: Draft): Validation {
  return validateExperiment(experimentOf(draft));
}

/** The default draft of a new experiment. */
export function defaultDraft(): Draft {
  const result = validateExperiment(asNew(newExperiment));
  if (!result.ok) throw new Error("the default experiment is not valid");
  return draftOf(result.experiment);
}

export const storedEntry = z.union([z.number(), z.string()]);
const storedSettings = {
  optimizer: z.enum(optimizerNames),
  values: z.record(z.string(), storedEntry),
  learned: z.array(z.string()).optional(),
  options: z.record(z.string(), z.union([storedEntry, z.boolean()])).optional(),
  bounds: z.record(z.string(), z.tuple([storedEntry, storedEntry])).optional(),
  schedules: storedSchedules.optional(),
  frozen: z.boolean().optional(),
};
export const storedLevel = z
  .object({ ...storedSettings, groups: z.array(z.object({ ...storedSettings, name: z.string(), match: z.array(z.string()) })).optional() })
  .transform((level) => newLevel(level.optimizer, level.values, level));
const storedFields = z.object({
  name: z.string(),
  // Drafts of earlier versions hold nothing out.
  dataset: z.object({ kind: z.string(), facts: ownFacts.optional(), trainExamples: storedEntry, testExamples: storedEntry, validation: storedEntry.default(0), augmentation: z.object({ crop: storedEntry, flip: z.boolean() }).default({ crop: 0, flip: false }), splitSeed: storedEntry.default(0) }),
  model: z.custom<DraftModel>(isDraftModel).transform(draftOfModel),
  levels: z.array(storedLevel).min(1),
  batchSize: storedEntry,
  usualBatch: z.number().nullable().optional(),
  shuffle: z.boolean().default(true),
  epochs: storedEntry,
  stepsPerEpoch: storedEntry.default(""),
  // Drafts of earlier versions evaluate after every epoch.
  evaluation: z.object({ when: z.enum(["epoch", "steps", "end"]), steps: storedEntry }).default({ when: "epoch", steps: usualSteps }),
  seed: storedEntry,
  generator: z.literal(generatorVersions).default(latestGenerator),
  engine: z.object({ kind: z.enum(engineChoices), threads: storedEntry }),
  // Drafts of earlier versions have no guard.
  guard: z.object({ on: z.boolean(), ...(Object.fromEntries(guardSpecs.map(({ name }) => [name, storedEntry])) as Record<GuardSpec["name"], typeof storedEntry>) }).default(guardSchema.parse({})),
  weights: startingWeights.optional(),
});

// Drafts of earlier versions do not say whether it was typed.
export const storedDraft = storedFields.transform(({ usualBatch, ...draft }): Draft => ({ ...draft, usualBatch: usualBatch === undefined && typeof draft.batchSize === "number" ? draft.batchSize : (usualBatch ?? null) }));

export function serializeDraft(draft: Draft): string {
  return JSON.stringify(draft);
}

/** Parses a remembered value; undefined if it does not match the schema (older or damaged). */
export function parseStored<T>(form: z.ZodType<T>, text: string): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const result = form.safeParse(value);
  return result.success ? result.data : undefined;
}

export function parseDraft(text: string): Draft | undefined {
  return parseStored(storedDraft, text);
}

/** Whether two drafts describe the same experiment, apart from the name. */
export function sameExperiment(a: Draft, b: Draft): boolean {
  const plain = (draft: Draft) => JSON.stringify(experimentOf({ ...draft, name: "" }));
  return plain(a) === plain(b);
}

/**
 * Applies another dataset. A model that cannot learn it is replaced by the default one, and a batch
 * size that was not typed by one that fits.
 */
export function withDataset(draft: Draft, info: DatasetInfo): Draft {
  const chosen = chooseDataset(draft, info);
  if (chosen.usualBatch === null) return chosen;
  const validation = typeof chosen.dataset.validation === "number" && chosen.dataset.validation <= 0.9 ? chosen.dataset.validation : 0;
  const { kind, facts } = chosen.dataset;
  const dataset = { kind, facts, trainExamples: info.trainExamples, testExamples: info.testExamples, validation };
  return { ...chosen, batchSize: fittingBatch(chosen.usualBatch, { dataset, model: chosen.model }) };
}

/** Why the batch size is not the default; null if it is, or was typed. */
export function batchHint({ batchSize, usualBatch, dataset }: Draft, title: string): string | null {
  if (usualBatch === null || typeof batchSize !== "number" || batchSize >= usualBatch || typeof dataset.trainExamples !== "number") return null;
  return `Lowered from ${formatCount(usualBatch)}: ${title} has ${formatCount(dataset.trainExamples)} training ${isText({ dataset }) ? symbolsOf(dataset.facts) : "examples"}.`;
}

function chooseDataset(draft: Draft, info: DatasetInfo): Draft {
  const { kind, trainExamples, testExamples, task } = info;
  const { validation, splitSeed } = draft.dataset;
  const augmentation = info.exampleShape.length === 3 ? draft.dataset.augmentation : { crop: 0, flip: false };
  const dataset = { kind, facts: ownFactsOf(info), trainExamples, testExamples, validation, augmentation, splitSeed };
  const usual = draftOfModel(modelSchema.parse(defaultModel(task)));
  // tanh cannot output every number.
  if (task === "regression" && draft.model.kind === "mlp") return { ...draft, dataset, model: { ...draft.model, outputActivation: "identity" } };
  const { input } = dataShape({ dataset, model: draft.model });
  return { ...draft, dataset, model: suits(draft.model.kind, input) ? draft.model : usual };
}

/**
 * Model and number of parameters: `mlp 128 tanh/tanh · 101,770 with biases`; only the kind while
 * invalid.
 */
export function weightsInWords({ model, dataset }: Draft): string {
  const parsed = modelSchema.safeParse(modelOf(model));
  try {
    if (parsed.success) return `${modelText(parsed.data)} · ${formatCount(weightCount(describedModel(parsed.data, dataShape({ dataset, model: parsed.data }))))} with biases`;
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
  }
  return modelTitles[model.kind];
}

/** Names of the model's parameters; none while invalid. */
export function namesOfParameters({ model, dataset }: Draft): string[] {
  const parsed = modelSchema.safeParse(modelOf(model));
  try {
    return parsed.success ? parameterNames({ model: parsed.data, dataset }) : [];
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return [];
  }
}
