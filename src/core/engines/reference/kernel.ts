import type { NodeOf, OpName } from "../../program/node.ts";

/** Evaluates a node in float64, row-major. */
export type Kernel<N extends OpName> = (node: NodeOf<N>, inputs: readonly Float64Array[]) => Float64Array;
