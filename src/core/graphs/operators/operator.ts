import type { Context } from "../context.ts";
import type { Value } from "../values.ts";

/** The outputs of a node, in ONNX's order; trailing ones that training never uses may be left out. */
export type Operator = (context: Context) => readonly Value[];

export type Operators = Readonly<Record<string, Operator>>;
