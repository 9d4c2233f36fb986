import type { LayerDescription } from "../../../shared/models/describe.ts";
import type { Config, LayerKind } from "../../../shared/models/layers.ts";
import type { Node, Shape } from "../../program/node.ts";
import type { Activations } from "../activations.ts";

/** What a layer's forward pass may ask for; names are those of its description. */
export interface Scope {
  readonly training: boolean;
  parameter(name: string): Node;
  buffer(name: string): Node;
  /** In training, which places of activations of a shape stay: 1, or 0. */
  mask(name: string, shape: Shape): Node;
  /** Replaces a buffer after the pass. */
  setBuffer(name: string, value: Node): void;
}

/** A layer's forward pass; shapes have been checked when it was described. */
export type Apply<K extends LayerKind> = (x: Activations, config: Config<K>, scope: Scope, description: LayerDescription) => Activations;
