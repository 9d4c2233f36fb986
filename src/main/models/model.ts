/** What a model is: named parameters, and a forward pass as program nodes. */
import type { Node, Shape } from "../program/node.ts";
import type { Random } from "./random.ts";

export interface Parameter {
  /** As PyTorch names it: `layer1.weight`. */
  readonly name: string;
  readonly shape: Shape;
  /** Fresh values, row-major. */
  initialize(random: Random): Float64Array;
}

export interface Model {
  readonly parameters: readonly Parameter[];
  /**
   * Log-probabilities `[batch, classes]` of features `[batch, ...example]`.
   * @param parameters in the order of `this.parameters`
   */
  forward(features: Node, parameters: readonly Node[]): Node;
}
