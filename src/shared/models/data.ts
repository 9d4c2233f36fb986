/** What each dataset gives a model and asks of it. */
import { factsOf } from "../datasets.ts";
import type { Experiment } from "../experiment.ts";
import { describeModel, parametersOf } from "./architecture.ts";
import type { DataShape } from "./shape.ts";

export function dataShape({ dataset }: { readonly dataset: Pick<Experiment["dataset"], "kind"> }): DataShape {
  const { exampleShape, classNames } = factsOf(dataset.kind)!;
  return { input: { kind: "values", shape: exampleShape }, classes: classNames.length };
}

/** Names of an experiment's parameters, in the model's order. @throws ModelError */
export function parameterNames({ model, dataset }: Pick<Experiment, "model"> & Parameters<typeof dataShape>[0]): string[] {
  return parametersOf(describeModel(model, dataShape({ dataset }))).map(({ name }) => name);
}
