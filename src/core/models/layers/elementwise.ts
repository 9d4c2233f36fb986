import type { Node } from "../../program/node.ts";
import { relu, sigmoid, tanh } from "../../program/operations/index.ts";
import type { Activations } from "../activations.ts";
import { silu } from "../functions.ts";

const elementwise = (apply: (x: Node) => Node) => (x: Activations): Activations => ({ ...x, node: apply(x.node) });

export const elementwiseLayers = {
  tanh: elementwise(tanh),
  relu: elementwise(relu),
  sigmoid: elementwise(sigmoid),
  silu: elementwise(silu),
  identity: elementwise((x) => x),
};
