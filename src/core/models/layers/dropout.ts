import type { Node } from "../../program/node.ts";
import { cast, constant, mul } from "../../program/operations/index.ts";
import type { Apply, Scope } from "./layer.ts";

/**
 * Srivastava et al. 2014 as in PyTorch: training divides kept values by their probability;
 * evaluation changes nothing.
 */
export function dropped(x: Node, p: number, mask: string, scope: Scope): Node {
  return scope.training && p > 0 ? mul(x, mul(constant(1 / (1 - p)), cast(scope.mask(mask, x.shape), "float"))) : x;
}

const dropout: Apply<"dropout"> = (x, { p }, scope) => ({ ...x, node: dropped(x.node, p, "mask", scope) });

export const dropoutLayers = { dropout };
