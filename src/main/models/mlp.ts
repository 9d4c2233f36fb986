/** A multilayer perceptron; weights `[out, in]` and initialization as in PyTorch's nn.Linear. */
import type { Experiment } from "../../shared/experiment.ts";
import type { Node } from "../program/node.ts";
import { add, logSoftmax, matmul, relu, reshape, sigmoid, tanh, transpose } from "../program/operations/index.ts";
import { kaimingUniformBound, uniform } from "./initialization.ts";
import type { Model, Parameter } from "./model.ts";

type Activation = Experiment["model"]["activation"];

const activate: Record<Activation, (x: Node) => Node> = { tanh, relu, sigmoid, identity: (x) => x };

export interface MlpOptions {
  /** Width of every layer, input and output included. */
  readonly widths: readonly number[];
  readonly activation: Activation;
  /** Applied to the last layer, before log-softmax. */
  readonly outputActivation: Activation;
}

export function mlp({ widths, activation, outputActivation }: MlpOptions): Model {
  const layers = widths.slice(1).map((out, i) => ({ out, in: widths[i]!, name: `layer${i + 1}` }));
  const parameters = layers.flatMap((layer): Parameter[] => {
    const weightBound = kaimingUniformBound(layer.in, Math.sqrt(5));
    return [
      {
        name: `${layer.name}.weight`,
        shape: [layer.out, layer.in],
        initialize: (random) => uniform(random, layer.out * layer.in, weightBound),
      },
      {
        name: `${layer.name}.bias`,
        shape: [layer.out],
        initialize: (random) => uniform(random, layer.out, 1 / Math.sqrt(layer.in)),
      },
    ];
  });
  return {
    parameters,
    forward(features, values) {
      // Activations are kept [width, batch]: then the backward pass, too, transposes nothing large.
      let x = features;
      layers.forEach(({ out }, i) => {
        const [weight, bias] = [values[2 * i]!, values[2 * i + 1]!];
        const last = i === layers.length - 1;
        const product = matmul(weight, x, { transposeB: i === 0 });
        x = activate[last ? outputActivation : activation](add(product, reshape(bias, [out, 1])));
      });
      return logSoftmax(transpose(x));
    },
  };
}
