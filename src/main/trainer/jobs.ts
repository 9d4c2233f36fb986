/** Jobs on a trained model, and their results. */
import type { Experiment } from "../../shared/experiment.ts";
import { dataShape } from "../../shared/models/data.ts";
import type { Model } from "../../core/models/model.ts";
import { modelOf } from "../../core/networks/model.ts";
import type { Feed } from "../../core/feeds/feed.ts";
import { loadFeed } from "../../core/feeds/loadFeed.ts";
import type { NamedArray } from "../../core/weights/file.ts";
import { generate, type Continuation } from "../../core/prediction/generate.ts";
import { buildPredictor, scoresOf } from "../../core/prediction/program.ts";
import { readExample, type ReadExample, type Reading } from "../../core/prediction/reading.ts";
import { exportOnnx, type OnnxJob, type OnnxResult } from "./exportOnnx.ts";

export type { AttentionMap, Reading } from "../../core/prediction/reading.ts";

export type PredictionJob =
  /** The model's outputs for every evaluation example. */
  | { readonly kind: "outputs" }
  /** Some of those examples, by index. */
  | { readonly kind: "examples"; readonly indices: readonly number[] }
  | ({ readonly kind: "text" } & Continuation)
  | { readonly kind: "reading"; readonly example: ReadExample }
  | OnnxJob;

/** `sums` of the task's metrics over `examples`; for labelled examples also labels and outputs. */
export interface Outputs {
  readonly kind: "outputs";
  readonly examples: number;
  readonly sums: Readonly<Record<string, number>>;
  readonly labelled: { readonly labels: Float32Array; readonly scores: Float32Array; readonly width: number } | null;
}

export interface ShownExamples {
  readonly kind: "examples";
  /** Row-major values of each example, in the requested order. */
  readonly values: readonly Float32Array[];
  /** Largest feature value: 255 for most images; null where features have no common range. */
  readonly range: number | null;
}

export type PredictionResult = Outputs | ShownExamples | OnnxResult | ({ readonly kind: "reading" } & Reading) | { readonly kind: "text"; readonly text: string };

/**
 * @param weights weights of the model; only the examples job works without
 * @param networks folder of imported networks
 * @throws Error when the data, weights or engine cannot be used, or the text has no such character
 */
export async function predict(experiment: Experiment, weights: readonly NamedArray[], job: PredictionJob, networks?: string): Promise<PredictionResult> {
  if (job.kind === "onnx") return exportOnnx(experiment, weights, job, networks);
  const data = dataShape(experiment);
  const model = await modelOf(experiment.model, data, networks);
  if (job.kind === "reading") return { kind: "reading", ...(await readExample({ experiment, model, feedOf: (of) => loadFeed(experiment, of), weights, example: job.example })) };
  const feed = await loadFeed(experiment, model);
  switch (job.kind) {
    case "outputs":
      return outputs(experiment, feed, model, weights);
    case "examples":
      return examples(feed, job.indices);
    case "text":
      if (!feed.alphabet) throw new Error("the model was not trained on a text; it generates none");
      return { kind: "text", text: await generate(experiment, feed.alphabet, weights, job, networks) };
  }
}

/** Maximum number of outputs that are kept of all test examples: half a gigabyte. */
const maxScores = 2 ** 27;

async function outputs(experiment: Experiment, feed: Feed, model: Model, weights: readonly NamedArray[]): Promise<Outputs> {
  const { task, evaluationBatchSizes: batchSizes, alphabet } = feed;
  const { executable, width } = await buildPredictor({ experiment, model, task, batchSizes, weights });
  const values = experiment.dataset.testExamples * width;
  if (!alphabet && values > maxScores) throw new Error(`${experiment.dataset.testExamples} test examples of ${width} classes have ${values} probabilities; at most ${maxScores} can be shown: test on fewer examples`);
  const sums: Record<string, number> = {};
  const [labels, scores]: [number[], Float32Array[]] = [[], []];
  let count = 0;
  try {
    for (const { size, examples: counted, inputs } of feed.evaluation("test")) {
      for (const [name, sum] of Object.entries(await executable.run(`predict@${size}`, inputs))) sums[name] = (sums[name] ?? 0) + sum;
      count += counted;
      // Nobody needs the outputs for every character of a text.
      if (alphabet) continue;
      const name = scoresOf(size);
      scores.push(Float32Array.from((await executable.state([name]))[name]!));
      for (const label of inputs["labels"]!) labels.push(label);
    }
  } finally {
    await executable.dispose();
  }
  const all = new Float32Array(scores.reduce((length, one) => length + one.length, 0));
  let at = 0;
  for (const one of scores) {
    all.set(one, at);
    at += one.length;
  }
  return { kind: "outputs", examples: count, sums, labelled: alphabet ? null : { labels: Float32Array.from(labels), scores: all, width } };
}

function examples(feed: Feed, indices: readonly number[]): ShownExamples {
  const found = new Map<number, Float32Array>();
  const wanted = new Set(indices);
  let first = 0;
  for (const { size, inputs } of feed.evaluation("test")) {
    const features = inputs["features"];
    if (!features) throw new Error("a text has no examples to show");
    const width = features.length / size;
    for (let i = 0; i < size; i++) if (wanted.has(first + i)) found.set(first + i, Float32Array.from(features.subarray(i * width, (i + 1) * width)));
    first += size;
  }
  const values = indices.map((index) => {
    const one = found.get(index);
    if (!one) throw new Error(`there is no example ${index}; there are ${first}`);
    return one;
  });
  return { kind: "examples", values, range: feed.range };
}
