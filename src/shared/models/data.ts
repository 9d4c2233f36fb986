/** What each dataset gives a model and asks of it. */
import { factsOf } from "../datasets.ts";
import type { Experiment } from "../experiment.ts";
import type { DataShape } from "./shape.ts";

export function dataShape({ dataset }: { readonly dataset: Pick<Experiment["dataset"], "kind"> }): DataShape {
  const { exampleShape, classNames } = factsOf(dataset.kind)!;
  return { input: { kind: "values", shape: exampleShape }, classes: classNames.length };
}
