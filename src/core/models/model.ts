/** A model: named parameters and buffers, and a forward pass as program nodes. */
import type { BufferDescription, MaskDescription } from "../../shared/models/describe.ts";
import type { Node, Shape } from "../program/node.ts";
import type { Activations } from "./activations.ts";
import type { Source } from "./initialization.ts";

export interface Parameter {
  /** PyTorch's name: `layer1.weight`. */
  readonly name: string;
  readonly shape: Shape;
  /** Fresh values, row-major. */
  initialize(random: Source): Float64Array;
}

/** Buffers by full name, such as `bn1.running_mean`. */
export interface Buffer extends Omit<BufferDescription, "initial"> {
  /** Of every entry, or of each. */
  readonly initial: number | Float64Array;
}

/** Dropout masks by full name, such as `dropout1.mask`, which is also the input's name. */
export type Mask = MaskDescription;

export interface Pass {
  /** In the order of Model.parameters. */
  readonly parameters: readonly Node[];
  /** By name; a carried buffer is `[batch, ...shape]`. */
  readonly buffers: Readonly<Record<string, Node>>;
  /** Training normalizes by the batch's statistics, evaluation by the running ones. */
  readonly training: boolean;
  /** Called after each layer, or node of an imported network, with its module's name and its outputs. */
  readonly onModule?: ((name: string, outputs: readonly Node[]) => void) | undefined;
}

export interface Forward {
  readonly output: Activations;
  /** New values of the buffers that the pass updates. */
  readonly buffers: Readonly<Record<string, Node>>;
}

export interface Model {
  /** The batch size that the model calculates with; other batches are filled up or divided. */
  readonly batch?: number | undefined;
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Buffer[];
  /** Training inputs: uint8, 1 where a value is kept and 0 where it is dropped. */
  readonly masks: readonly Mask[];
  /** Logits `[batch, classes]`; for a sequence, those of every step. */
  forward(input: Activations, pass: Pass): Forward;
}
