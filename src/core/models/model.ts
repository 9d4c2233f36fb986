/** What a model is: named parameters and buffers, and a forward pass as program nodes. */
import type { BufferDescription, MaskDescription } from "../../shared/models/describe.ts";
import type { Node, Shape } from "../program/node.ts";
import type { Activations } from "./activations.ts";
import type { Source } from "./initialization.ts";

export interface Parameter {
  /** As PyTorch names it: `layer1.weight`. */
  readonly name: string;
  readonly shape: Shape;
  /** Fresh values, row-major. */
  initialize(random: Source): Float64Array;
}

/** Buffers by full name: `bn1.running_mean`. */
export type Buffer = BufferDescription;

/** By full name: `dropout1.mask`, under which a program has it as an input. */
export type Mask = MaskDescription;

export interface Pass {
  /** In the order of the model's parameters. */
  readonly parameters: readonly Node[];
  /** By name; of a carried one, `[batch, ...shape]`. */
  readonly buffers: Readonly<Record<string, Node>>;
  /** In training a batch is normalized by its own statistics, otherwise by the running ones. */
  readonly training: boolean;
}

export interface Forward {
  readonly output: Activations;
  /** New values of the buffers that the pass replaces. */
  readonly buffers: Readonly<Record<string, Node>>;
}

export interface Model {
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Buffer[];
  /** Inputs of a pass in training: uint8, 1 in places that stay and 0 in those that are left out. */
  readonly masks: readonly Mask[];
  /** Scores of classes `[batch, classes]`, before any softmax; of a sequence, those of every step. */
  forward(input: Activations, pass: Pass): Forward;
}
