/** Models: declared inputs, named parameters, and a forward pass. */
import { batchOf, rows } from "../core/models/activations.ts";
import { uniform as uniformValues } from "../core/models/initialization.ts";
import { mlp as multilayerPerceptron } from "../core/models/mlp.ts";
import type { Random } from "../core/models/random.ts";
import { sizeOf, type Node, type Shape } from "../core/program/node.ts";
import { logSoftmax } from "../core/program/operations/index.ts";
import { fans, kaimingUniformBound } from "../shared/models/initialization.ts";
import { activations, type Activation } from "../shared/models/layers.ts";
import { checkOptions } from "./options.ts";

/** Shape of one example, without the batch axis; `float` by default. */
export type InputSpec = Shape | { readonly shape: Shape; readonly dtype?: "float" | "int32" };

export interface ParameterSpec {
  readonly shape: Shape;
  /** Initial values, row-major. @param random the run's seeded generator */
  initialize(random: Pick<Random, "uniform">): Float64Array;
}

export interface Model<Input extends string = string, Parameter extends string = string> {
  /** Inputs per example. */
  readonly inputs: Readonly<Record<Input, InputSpec>>;
  /** Learned parameters. */
  readonly parameters: Readonly<Record<Parameter, ParameterSpec>>;
  /**
   * The outputs for a batch.
   * @param inputs nodes of shape `[batch, ...declared]`
   * @param parameters nodes of the declared shapes
   */
  forward(inputs: Readonly<Record<Input, Node>>, parameters: Readonly<Record<Parameter, Node>>): Node;
}

/**
 * Returns the model unchanged, so that TypeScript infers the names of inputs and parameters in
 * `forward`.
 */
export function defineModel<const Input extends string, const Parameter extends string>(model: Model<Input, Parameter>): Model<Input, Parameter> {
  return model;
}

/** A parameter initialized to `value`. */
export function constants(shape: Shape, value: number): ParameterSpec {
  return { shape, initialize: () => new Float64Array(sizeOf(shape)).fill(value) };
}

/** A parameter initialized to 0. */
export function zeros(shape: Shape): ParameterSpec {
  return constants(shape, 0);
}

/** A parameter initialized uniformly in [-bound, bound). */
export function uniform(shape: Shape, bound: number): ParameterSpec {
  return { shape, initialize: (random) => uniformValues(random, sizeOf(shape), bound) };
}

/**
 * A weight `[out, in, ...kernel]` initialized like PyTorch's nn.Linear and nn.Conv2d: Kaiming-uniform
 * with slope sqrt(5).
 */
export function kaimingUniform(shape: readonly [out: number, into: number, ...kernel: number[]]): ParameterSpec {
  return uniform(shape, kaimingUniformBound(fans(shape).fanIn, Math.sqrt(5)));
}

export interface MlpOptions {
  /** After every hidden layer; tanh by default. */
  readonly activation?: Activation;
  /** After the last layer, before log-softmax; tanh by default, as in the paper. */
  readonly outputActivation?: Activation;
}

/**
 * A multilayer perceptron for classification, initialized like PyTorch's nn.Linear.
 * Input `features` `[batch, widths[0]]`, output log-probabilities `[batch, classes]`.
 * @param widths sizes of all layers, including inputs and classes: `[784, 128, 10]`
 * @throws RangeError naming an invalid width or activation
 */
export function mlp(widths: readonly number[], options: MlpOptions = {}): Model<"features"> {
  checkOptions<Required<MlpOptions>>("mlp", options, { activation: true, outputActivation: true });
  const { activation = "tanh", outputActivation = "tanh" } = options;
  if (widths.length < 2) throw new RangeError(`mlp: ${widths.length} widths; allowed: at least two, for the inputs and the classes`);
  for (const width of widths) {
    if (!Number.isInteger(width) || width < 1) throw new RangeError(`mlp: a width is ${width}; allowed: whole numbers from 1`);
  }
  for (const [name, value] of Object.entries({ activation, outputActivation })) {
    if (!activations.includes(value)) throw new RangeError(`mlp: ${name} is ${value}; allowed: ${activations.join(", ")}`);
  }
  const { parameters, forward } = multilayerPerceptron({ widths, activation, outputActivation });
  return {
    inputs: { features: [widths[0]!] },
    parameters: Object.fromEntries(parameters.map(({ name, ...spec }) => [name, spec])),
    forward({ features }, values) {
      const pass = { parameters: parameters.map(({ name }) => values[name]!), buffers: {}, training: true };
      return logSoftmax(rows(forward(batchOf(features), pass).output));
    },
  };
}
