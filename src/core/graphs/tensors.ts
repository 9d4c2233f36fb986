/** Values of an imported network's arrays, by the initializers' names. */
import type { GraphDType } from "../../shared/models/graph.ts";

export interface GraphTensor {
  readonly dtype: GraphDType;
  readonly shape: readonly number[];
  /** Row-major. Integers beyond 2^53 are rounded; booleans are 0 and 1. */
  readonly data: Float32Array | Float64Array;
}

export type GraphTensors = ReadonlyMap<string, GraphTensor>;
