/** Inputs and outputs that a dataset requires of a model. */
import { dataFacts, type DatasetChoice } from "../datasets.ts";
import { describeModel, parametersOf } from "./architecture.ts";
import { usualSteps, type ModelConfig } from "./schema.ts";
import type { DataShape } from "./shape.ts";

/** Characters per step of a model of texts; gradients reach back no further. */
export function textSteps(model: object | undefined): number {
  const steps: unknown = model && "steps" in model ? model.steps : undefined;
  return typeof steps === "number" && Number.isInteger(steps) && steps >= 1 ? steps : usualSteps;
}

export interface DataChoice {
  readonly dataset: DatasetChoice;
  /** May be incomplete while typed. */
  readonly model?: object;
}

export function dataShape({ dataset, model }: DataChoice): DataShape {
  const { task, exampleShape, classNames, symbols } = dataFacts(dataset);
  if (symbols !== undefined) return { input: { kind: "tokens", shape: [textSteps(model)], vocabulary: symbols }, classes: symbols };
  return { input: { kind: "values", shape: exampleShape }, classes: task === "regression" ? 1 : classNames.length };
}

type ModelOnData = { readonly model: ModelConfig } & Pick<DataChoice, "dataset">;

/** An experiment's parameters, in the model's order. @throws ModelError */
export function parametersOn(of: ModelOnData): { readonly name: string; readonly shape: readonly number[] }[] {
  return parametersOf(describeModel(of.model, dataShape(of)));
}

/** Names of an experiment's parameters, in the model's order. @throws ModelError */
export function parameterNames(of: ModelOnData): string[] {
  return parametersOn(of).map(({ name }) => name);
}
