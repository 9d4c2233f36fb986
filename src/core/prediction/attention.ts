/** Finds the weights of softmax attention in a forward pass, whatever layer or imported node made them. */
import { sameShape, type Node } from "../program/node.ts";
import type { Model } from "../models/model.ts";

/** Output of a layer or node, in the order of the forward pass. */
export interface ModuleOutput {
  readonly name: string;
  readonly outputs: readonly Node[];
}

export interface FoundAttention {
  /** Module that the attention belongs to; a second one of the same module ends in " (2)". */
  readonly name: string;
  /** `[..., queries, keys]`; rows sum to 1. */
  readonly weights: Node;
}

/** The model, with a record of the modules of its latest forward pass. */
export function recorded(model: Model): { model: Model; modules: () => readonly ModuleOutput[] } {
  let modules: ModuleOutput[] = [];
  return {
    model: {
      ...model,
      forward(x, pass) {
        const seen: ModuleOutput[] = (modules = []);
        return model.forward(x, { ...pass, onModule: (name, outputs) => seen.push({ name, outputs }) });
      },
    },
    modules: () => modules,
  };
}

/** Operations between a product and its softmax: scale, mask, soft cap, layout. */
const between = new Set<Node["op"]>(["add", "sub", "mul", "div", "neg", "tanh", "maximum", "minimum", "select", "cast", "broadcast", "reshape", "transpose", "slice", "concat", "stopGradient", "exp"]);

/**
 * Every softmax over a product of two activations below `root`, in the order of the forward pass.
 * @param modules of the same forward pass
 */
export function attentionIn(root: Node, modules: readonly ModuleOutput[]): FoundAttention[] {
  const nodes = below(root);
  const fed = new Set<Node>();
  const uses = new Map<Node, Node[]>();
  for (const node of nodes) {
    if (node.op === "input" || node.inputs.some((input) => fed.has(input))) fed.add(node);
    for (const input of node.inputs) uses.set(input, [...(uses.get(input) ?? []), node]);
  }
  const isProduct = (node: Node) => node.op === "matmul" && node.inputs.every((input) => fed.has(input));
  const found = nodes.filter((node) => {
    const scores = scoresBelow(node);
    return scores !== null && comesFrom(scores, isProduct, fed);
  });
  const seen = new Map<string, number>();
  return found.map((softmax) => {
    const module = modules.find(({ outputs }) => outputs.some(({ id }) => id >= softmax.id))?.name ?? "attention";
    const number = (seen.get(module) ?? 0) + 1;
    seen.set(module, number);
    return { name: number === 1 ? module : `${module} (${number})`, weights: cleaned(softmax, uses) };
  });
}

/** Nodes that `root` depends on, inputs first. */
function below(root: Node): Node[] {
  const seen = new Set<Node>([root]);
  const open = [root];
  for (let node = open.pop(); node; node = open.pop()) {
    for (const input of node.inputs) {
      if (seen.has(input)) continue;
      seen.add(input);
      open.push(input);
    }
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/** What a softmax over the last axis, whole or spelled out, is taken of; null for other nodes. */
function scoresBelow(node: Node): Node | null {
  const rank = node.shape.length;
  if (rank < 2) return null;
  if (node.op === "softmax") return node.attributes.axis === rank - 1 ? node.inputs[0]! : null;
  if (node.op !== "div" || node.inputs[0]?.op !== "exp") return null;
  let sum = node.inputs[1]!;
  while (sum.op === "broadcast" || sum.op === "reshape" || sum.op === "stopGradient") sum = sum.inputs[0]!;
  const isSum = sum.op === "reduceSum" && sum.inputs[0] === node.inputs[0] && sum.attributes.axes.length === 1 && sum.attributes.axes[0] === rank - 1;
  return isSum ? node.inputs[0] : null;
}

function comesFrom(scores: Node, isProduct: (node: Node) => boolean, fed: ReadonlySet<Node>): boolean {
  const seen = new Set<Node>();
  const open = [scores];
  for (let node = open.pop(); node; node = open.pop()) {
    if (isProduct(node)) return true;
    if (seen.has(node) || !fed.has(node) || !between.has(node.op)) continue;
    seen.add(node);
    open.push(...node.inputs);
  }
  return false;
}

/** The weights after rows that see no key were set to 0. */
function cleaned(softmax: Node, uses: ReadonlyMap<Node, readonly Node[]>): Node {
  return uses.get(softmax)?.find((use) => use.op === "select" && use.inputs.indexOf(softmax) > 0 && sameShape(use.shape, softmax.shape)) ?? softmax;
}
