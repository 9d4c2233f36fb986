/** The job that writes a trained model for inference. */
import type { Experiment } from "../../shared/experiment.ts";
import { dataFacts } from "../../shared/datasets.ts";
import { dataShape } from "../../shared/models/data.ts";
import { loadFeed } from "../../core/feeds/loadFeed.ts";
import { modelOf } from "../../core/networks/model.ts";
import { inferenceModel, type InferenceModel } from "../../core/prediction/onnx/inferenceGraph.ts";
import { languageModelling } from "../../core/tasks/languageModelling.ts";
import type { NamedArray } from "../../core/weights/file.ts";

export interface OnnxJob {
  readonly kind: "onnx";
  /** Symbols of a text that the model reads at once; null for as many as in training. */
  readonly steps: number | null;
  /** Whether the state of recurrent layers is an input and an output. */
  readonly states: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

export type OnnxResult = { readonly kind: "onnx" } & InferenceModel;

/** @throws Error where the data or weights cannot be used, or an option does not apply to this model */
export async function exportOnnx(experiment: Experiment, weights: readonly NamedArray[], { steps, states, metadata }: OnnxJob, networks?: string): Promise<OnnxResult> {
  const data = dataShape(experiment);
  const { input } = data;
  if (steps !== null && input.kind !== "tokens") throw new Error("only models of texts read a number of symbols at once; leave --steps out");
  const shape = steps !== null && input.kind === "tokens" ? { ...data, input: { ...input, shape: [steps] as const } } : data;
  const model = await modelOf(experiment.model, shape, networks);
  if (states && !model.buffers.some(({ role }) => role === "carried")) throw new Error("the model carries no state from batch to batch; leave --states out");
  const feed = await loadFeed(experiment, model);
  const task = steps === null ? feed.task : languageModelling({ model, steps });
  const { classNames } = dataFacts(experiment.dataset);
  const about: Record<string, string> = feed.alphabet ? { symbols: JSON.stringify(feed.alphabet.symbols) } : classNames.length > 0 ? { classes: JSON.stringify(classNames) } : {};
  return { kind: "onnx", ...inferenceModel({ model, task, weights, perStep: feed.alphabet !== null, states, standardization: feed.standardization ?? null, metadata: { ...metadata, ...about } }) };
}
