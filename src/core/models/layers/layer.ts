import type { LayerDescription } from "../../../shared/models/describe.ts";
import type { Config, LayerKind } from "../../../shared/models/layers.ts";
import type { Node, Shape } from "../../program/node.ts";
import type { Activations } from "../activations.ts";

/** What a layer's forward pass may use, by the names in its description. */
export interface Scope {
  readonly training: boolean;
  parameter(name: string): Node;
  /** A parameter of another layer, by that layer's full name. */
  parameterOf(layer: string, name: string): Node;
  buffer(name: string): Node;
  /** Training only: 1 where an activation is kept, 0 where it is dropped. */
  mask(name: string, shape: Shape): Node;
  /** New value of a buffer after the pass. */
  setBuffer(name: string, value: Node): void;
}

/** A layer's forward pass; describing the model has checked the shapes. */
export type Apply<K extends LayerKind> = (x: Activations, config: Config<K>, scope: Scope, description: LayerDescription) => Activations;
