/** What a task is to training: its parameters, its loss and its metrics as nodes of the program. */
import type { Measures } from "../../shared/metrics.ts";
import type { Node, Shape } from "../program/node.ts";
import type { ProcedureSpec } from "../program/program.ts";

/** A loss, and the state beside the weights that computing it replaces. */
export interface Loss {
  /** A scalar. */
  readonly loss: Node;
  /** New values by state variable: running statistics, hidden states. No optimizer moves them, no gradient passes through. */
  readonly buffers?: Readonly<Record<string, Node>>;
}

/** What is learned: parameters and a loss of them on a batch. Input nodes are the task's own. */
export interface Task {
  readonly parameters: readonly { readonly name: string; readonly shape: Shape }[];
  /** State beside the weights, by variable, and the value it starts with in every place. */
  readonly buffers: Readonly<Record<string, number>>;
  /** Mean loss of a batch of `batchSize` examples. */
  loss(parameters: readonly Node[], batchSize: number): Loss;
  /** Sums over a batch (not means), by metric, and what evaluating it replaces. */
  metrics(parameters: readonly Node[], batchSize: number): ProcedureSpec;
  /** What the sums over `count` examples say. */
  measures(sums: Readonly<Record<string, number>>, count: number): Measures;
}

/** A task whose model can be asked what it says. */
export interface PredictiveTask extends Task {
  /** Of a batch, an example or symbol a row: log probabilities of classes, or values of a regression. */
  scores(parameters: readonly Node[], batchSize: number): Node;
}
