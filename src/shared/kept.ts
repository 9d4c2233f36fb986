/** The weights that a run saves: of its best evaluation and of its latest. */
import { z } from "zod";
import { isText, type Experiment } from "./experiment.ts";
import { keptAs } from "./metrics.ts";
import { evaluation, type Evaluation } from "./run.ts";

export const keptNames = ["best", "last"] as const;
export type KeptName = (typeof keptNames)[number];
export const keptName = z.enum(keptNames, { error: `checkpoint must be one of: ${keptNames.join(", ")}` });

/** Saved weights, usable for predictions. */
export const kept = z.object({
  name: keptName,
  /** The evaluation of these weights. */
  evaluation,
  savedAt: z.number(),
  bytes: z.number().int(),
});
export type WeightsSummary = z.infer<typeof kept>;

/** Files of saved weights: the weights alone, or the model for inference. */
export const weightsFormats = [
  { name: "safetensors", label: "Weights, safetensors", help: "Parameters and running statistics; PyTorch's load_state_dict takes them.", mediaType: "application/octet-stream" },
  { name: "npz", label: "Weights, NumPy", help: "The same arrays for numpy.load.", mediaType: "application/zip" },
  { name: "onnx", label: "Model, ONNX", help: "The forward pass with its weights, for ONNX Runtime and the like.", mediaType: "application/octet-stream" },
] as const;
export type WeightsFormat = (typeof weightsFormats)[number]["name"];
export const weightsFormatNames = weightsFormats.map(({ name }) => name) as [WeightsFormat, ...WeightsFormat[]];

/** Name of the file with these weights. */
export const weightsFile = (name: KeptName, format: WeightsFormat = "npz") => `${format === "onnx" ? "model" : "weights"}-${name}.${format}`;

/** The weights and format that a file name stands for; undefined where it stands for none. */
export function weightsOfFile(file: string): { readonly name: KeptName; readonly format: WeightsFormat } | undefined {
  return keptNames.flatMap((name) => weightsFormatNames.map((format) => ({ name, format }))).find(({ name, format }) => weightsFile(name, format) === file);
}

/** The set that ranks evaluations: validation, or test if there is none. */
export function chosenOn({ dataset }: Pick<Experiment, "dataset">): "validation" | "test" {
  return dataset.validation > 0 ? "validation" : "test";
}

/** Says which data chose the best evaluation. */
export function choiceText(experiment: Pick<Experiment, "dataset">): string {
  return choiceNote(experiment) || "chosen on validation data";
}

/** Says that a choice was made on the test set; empty where it was not. */
export function choiceNote(experiment: Pick<Experiment, "dataset">): string {
  return chosenOn(experiment) === "test" ? "chosen on the test set, for want of validation data" : "";
}

/** Scores that rank evaluations, lower first: classification error or loss; then the loss. */
export function scores(of: Evaluation, experiment: Pick<Experiment, "dataset">): [number, number] {
  const set = chosenOn(experiment);
  const [error, loss] = [of[keptAs(set, "error")], of[keptAs(set, "loss")] ?? Infinity];
  return [isText(experiment) ? loss : (error ?? loss), loss];
}

/** Whether an evaluation beats another; a tie keeps the earlier one. */
export function isBetter(a: Evaluation, b: Evaluation, experiment: Pick<Experiment, "dataset">): boolean {
  const [[first, second], [thanFirst, thanSecond]] = [scores(a, experiment), scores(b, experiment)];
  return first === thanFirst ? second < thanSecond : first < thanFirst;
}
