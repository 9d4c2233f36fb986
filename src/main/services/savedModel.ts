/** Exports of saved weights: the arrays, or the model for inference. */
import type { Experiment } from "../../shared/experiment.ts";
import { movingParts } from "../../shared/groups.ts";
import { weightsFile, weightsFormats, type KeptName, type WeightsFormat } from "../../shared/kept.ts";
import { optionsOf } from "../../shared/levelOptions.ts";
import type { RunDetail } from "../../shared/run.ts";
import { fileStem } from "../reports/index.ts";
import type { WeightsHeader } from "../../core/weights/file.ts";
import type { OnnxResult } from "../trainer/exportOnnx.ts";

export interface OnnxExportOptions {
  /** Symbols of a text that the model reads at once; null for as many as in training. */
  readonly steps: number | null;
  /** Whether the state of recurrent layers is an input and an output. */
  readonly states: boolean;
}

export const defaultOnnxOptions: OnnxExportOptions = { steps: null, states: false };

export const mediaTypeOf = (format: WeightsFormat): string => weightsFormats.find(({ name }) => name === format)!.mediaType;

export const exportName = (run: Pick<RunDetail, "id" | "name">, name: KeptName, format: WeightsFormat): string => `${fileStem(run)}-${weightsFile(name, format)}`;

/** Whether the optimizer of the weights has an average of them evaluated, which is then what is saved. */
export function savesAverage({ tower }: Pick<Experiment, "tower">): boolean {
  return movingParts(tower[0]!).some(
    ({ settings }) =>
      settings.optimizer.startsWith("scheduleFree") ||
      ("averaging" in settings && settings.averaging !== null && optionsOf(settings.optimizer).some(({ name }) => name === "averaging")),
  );
}

/** What a file of weights says about itself. */
export function metadataOf({ id, name, experiment }: Pick<RunDetail, "id" | "name" | "experiment">, { evaluation }: WeightsHeader): Record<string, string> {
  return {
    // HuggingFace's loaders want to know whose layout the arrays have.
    format: "pt",
    producer: "hypertower",
    run: id,
    name,
    step: String(evaluation.step),
    epoch: String(evaluation.epoch),
    weights: savesAverage(experiment) ? "average" : "latest",
    experiment: JSON.stringify(experiment),
  };
}

/** What an exported model takes and gives, for people. */
export function remarksOn({ inputs, outputs, fixedBatch }: OnnxResult): string[] {
  const listed = (values: OnnxResult["inputs"]) => values.map(({ name, type, dims }) => `${name} ${type} [${dims.join(", ")}]`).join("; ");
  return [
    `inputs: ${listed(inputs)}`,
    `outputs: ${listed(outputs)}`,
    ...(fixedBatch === null ? [] : [`the batch size is fixed at ${fixedBatch}: this model's shapes depend on it in ways that a graph of any size cannot say`]),
  ];
}
