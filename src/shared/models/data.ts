/** Inputs and outputs that a dataset requires of a model. */
import { dataFacts, outputsOf, type DatasetChoice } from "../datasets.ts";
import { describedModel, type DescribedParameter } from "./described.ts";
import { usualContext, usualSteps, type ModelConfig } from "./schema.ts";
import type { DataShape } from "./shape.ts";

/** Steps that an imported network takes, where it takes only so many. */
function fixedSteps(model: object): unknown {
  const facts: unknown = "kind" in model && model.kind === "graph" && "facts" in model ? model.facts : undefined;
  const input: unknown = typeof facts === "object" && facts !== null && "input" in facts ? facts.input : undefined;
  return typeof input === "object" && input !== null && "steps" in input ? input.steps : undefined;
}

/** Symbols per row of a batch of a text: gradients, and a transformer's attention, reach back no further. */
export function textSteps(model: object | undefined): number {
  const fixed = model && fixedSteps(model);
  if (typeof fixed === "number") return fixed;
  const attends = model && "kind" in model && model.kind === "transformer";
  const steps: unknown = attends ? "context" in model && model.context : model && "steps" in model && model.steps;
  return typeof steps === "number" && Number.isInteger(steps) && steps >= 1 ? steps : attends ? usualContext : usualSteps;
}

/** Whether a model of texts sees its symbols at once, as by attention, and carries nothing from batch to batch. */
export function attends(model: ModelConfig): boolean {
  if (model.kind !== "sequential") return model.kind === "transformer" || model.kind === "graph";
  const layers = model.layers.flatMap((layer) => (layer.kind === "residual" ? layer.layers : [layer]));
  return layers.some(({ kind }) => kind === "causalAttention" || kind === "attention") && !layers.some((layer) => "carry" in layer && layer.carry);
}

/** Factor of the auxiliary loss log^2 Z of a model of texts. */
export const zLossOf = (model: ModelConfig): number => ("zLoss" in model && model.zLoss) || 0;

export interface DataChoice {
  readonly dataset: DatasetChoice;
  /** May be incomplete while typed. */
  readonly model?: object;
}

export function dataShape({ dataset, model }: DataChoice): DataShape {
  const facts = dataFacts(dataset);
  const { exampleShape, symbols } = facts;
  if (symbols !== undefined) return { input: { kind: "tokens", shape: [textSteps(model)], vocabulary: symbols }, classes: symbols };
  return { input: { kind: "values", shape: exampleShape }, classes: outputsOf(facts) };
}

type ModelOnData = { readonly model: ModelConfig } & Pick<DataChoice, "dataset">;

/** An experiment's parameters, in the model's order. @throws ModelError */
export function parametersOn(of: ModelOnData): readonly DescribedParameter[] {
  return describedModel(of.model, dataShape(of)).parameters;
}

/** Names of an experiment's parameters, in the model's order. @throws ModelError */
export function parameterNames(of: ModelOnData): string[] {
  return parametersOn(of).map(({ name }) => name);
}
