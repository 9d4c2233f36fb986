/** What a run's kept weights say: how they do on the test examples, example by example, and the text that they write. */
import { z } from "zod";
import { kept, keptName } from "./kept.ts";

const runId = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "not a run id");
const from = z.strictObject({ run: runId, checkpoint: keptName.default("best") });

const classificationReport = z.object({
  task: z.literal("classification"),
  kept,
  examples: z.number().int(),
  /** Mean negative log-likelihood of the right class. */
  loss: z.number(),
  /** In percent. */
  error: z.number(),
  classNames: z.array(z.string()),
  /** Examples by their class (row) and the one predicted (column). */
  confusion: z.array(z.array(z.number().int())),
});

const regressionReport = z.object({
  task: z.literal("regression"),
  kept,
  examples: z.number().int(),
  /** Mean of what training made smaller. */
  loss: z.number(),
  /** Square root of the mean squared residual, and the mean absolute one. */
  rmse: z.number(),
  mae: z.number(),
  /** Mean residual, prediction minus truth. */
  bias: z.number(),
  /** Share of the variance that is explained: 1 - residual sum of squares / total sum of squares. Null where the truth does not vary. */
  r2: z.number().nullable(),
  /** True and predicted values, of at most 2,000 examples spread evenly. */
  points: z.array(z.tuple([z.number(), z.number()])),
  /** Residuals: `counts[i]` lie between `edges[i]` and `edges[i + 1]`. */
  histogram: z.object({ edges: z.array(z.number()), counts: z.array(z.number().int()) }),
});

const textReport = z.object({
  task: z.literal("text"),
  kept,
  /** Symbols predicted. */
  examples: z.number().int(),
  /** Mean negative log-likelihood of the next symbol, in nats. */
  loss: z.number(),
  /** Symbols of which another was more probable, in percent. */
  error: z.number(),
});

export const predictionReport = z.discriminatedUnion("task", [classificationReport, regressionReport, textReport]);
export type PredictionReport = z.infer<typeof predictionReport>;
export type ClassificationReport = z.infer<typeof classificationReport>;
export type RegressionReport = z.infer<typeof regressionReport>;

export const sampleOrders = ["wrong", "random", "class"] as const;
export type SampleOrder = (typeof sampleOrders)[number];

export const samplesRequest = from.extend({
  /** `wrong`: the least probable truths first, of the misclassified alone; `random` by the seed; `class`: from each class in turn. */
  order: z.enum(sampleOrders).default("wrong"),
  /** Only those of one cell of the confusion matrix. */
  cell: z.strictObject({ actual: z.int().min(0), predicted: z.int().min(0) }).nullable().default(null),
  seed: z.int().min(0).max(4294967295).default(0),
  /** Of the evaluation after so many steps, which a report was made of; null for the one kept now. */
  step: z.int().min(0).nullable().default(null),
  limit: z.int().min(1).max(100).default(24),
});
export type SamplesRequest = z.output<typeof samplesRequest>;

export const samplesReply = z.object({
  /** Examples that were asked for; the samples are the first of them. */
  total: z.number().int(),
  samples: z.array(
    z.object({
      /** Place among the test examples. */
      index: z.number().int(),
      actual: z.number().int(),
      predicted: z.number().int(),
      /** Of every class. */
      probabilities: z.array(z.number()),
      /** Its features, row-major. */
      values: z.array(z.number()),
    }),
  ),
  exampleShape: z.array(z.number().int()),
  /** Largest value a feature can take: 255 for pixels; null where features have no common range. */
  range: z.number().nullable(),
});
export type SamplesReply = z.infer<typeof samplesReply>;
export type Sample = SamplesReply["samples"][number];

export const mostCharacters = 10_000;

export const textRequest = from.extend({
  prime: z.string({ error: "prime must be a text" }).min(1, "prime needs at least one character").max(mostCharacters, `prime: at most ${mostCharacters} characters`),
  /** Characters to add. */
  length: z
    .int(`length must be a whole number from 1 to ${mostCharacters}`)
    .min(1, `length must be from 1 to ${mostCharacters}`)
    .max(mostCharacters, `length must be from 1 to ${mostCharacters}`)
    .default(500),
  /** Divides the scores: 1 as trained, less is more careful, 0 always takes the most probable character. */
  temperature: z.number({ error: "temperature must be a number from 0 to 10" }).min(0, "temperature must be from 0 to 10").max(10, "temperature must be from 0 to 10").default(0.8),
  seed: z.int("seed must be a whole number from 0 to 4294967295").min(0, "seed must be from 0 to 4294967295").max(4294967295, "seed must be from 0 to 4294967295").default(0),
});
export type TextRequest = z.output<typeof textRequest>;

export const predictionRequests = {
  /** What can be predicted from: best and last, or why nothing can, in words. */
  "predictions.kept": { input: z.strictObject({ run: runId }), output: z.object({ kept: z.array(kept), problem: z.string().nullable() }) },
  "predictions.report": { input: from, output: predictionReport },
  "predictions.samples": { input: samplesRequest, output: samplesReply },
  /** What follows the prime, without it; the same for the same weights and seed. */
  "predictions.text": { input: textRequest, output: z.object({ kept, text: z.string() }) },
} as const;
