/** A training task: parameters, loss and metrics as nodes of the program. */
import type { Measures } from "../../shared/metrics.ts";
import type { Node, Shape } from "../program/node.ts";
import type { ProcedureSpec } from "../program/program.ts";

/** A loss, and the buffers that its forward pass updates. */
export interface Loss {
  /** A scalar. */
  readonly loss: Node;
  /**
   * New values by state variable (running statistics, hidden states). Not optimized; no gradient
   * passes through.
   */
  readonly buffers?: Readonly<Record<string, Node>>;
}

/** Parameters and a loss on a batch. The input nodes are the task's own. */
export interface Task {
  readonly parameters: readonly { readonly name: string; readonly shape: Shape }[];
  /** Initial values of the buffers by state variable: one for every entry, or each. */
  readonly buffers: Readonly<Record<string, number | Float64Array>>;
  /** Mean loss of a batch of `batchSize` examples. */
  loss(parameters: readonly Node[], batchSize: number): Loss;
  /** Sums over a batch (not means) by metric, and the buffers that evaluation updates. */
  metrics(parameters: readonly Node[], batchSize: number): ProcedureSpec;
  /** Converts sums over `count` examples to measures. */
  measures(sums: Readonly<Record<string, number>>, count: number): Measures;
}

/** A task whose model can make predictions. */
export interface PredictiveTask extends Task {
  /**
   * Per example or character of a batch: log probabilities of the classes, or the predicted value.
   */
  scores(parameters: readonly Node[], batchSize: number): Node;
}
