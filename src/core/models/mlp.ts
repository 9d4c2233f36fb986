/** A multilayer perceptron on vectors, with the layers of an experiment's MLP. */
import { describeModel } from "../../shared/models/architecture.ts";
import type { Activation } from "../../shared/models/layers.ts";
import { values } from "../../shared/models/shape.ts";
import { buildModel } from "./build.ts";
import type { Model } from "./model.ts";

export interface MlpOptions {
  /** Width of every layer, including input and output. */
  readonly widths: readonly number[];
  readonly activation: Activation;
  /** Applied to the last layer, before log-softmax. */
  readonly outputActivation: Activation;
}

export function mlp({ widths, activation, outputActivation }: MlpOptions): Model {
  const data = { input: values(widths[0]!), classes: widths.at(-1)! };
  return buildModel(describeModel({ kind: "mlp", hidden: widths.slice(1, -1), activation, outputActivation, dropout: 0, initialization: "default" }, data));
}
