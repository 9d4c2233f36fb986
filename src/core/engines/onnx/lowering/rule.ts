import type { NodeOf, OpName } from "../../../program/node.ts";
import type { GraphWriter } from "./writer.ts";

/** Writes a node's ONNX form and returns the name of its value. */
export type Lowering<N extends OpName> = (node: NodeOf<N>, inputs: readonly string[], write: GraphWriter) => string;
