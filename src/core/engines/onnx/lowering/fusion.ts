/**
 * Finds sums for which ONNX has a single operator: a bias on a product or on an array of its shape,
 * a factor and summand per channel.
 */
import { isScalar, sameShape, type Node, type NodeOf } from "../../../program/node.ts";
import type { GraphWriter } from "./writer.ts";

type Product = NodeOf<"matmul"> | NodeOf<"conv2d">;

/** factor * image + summand, plus `rest` if the sum has another term. */
export interface ChannelSum {
  readonly image: Node;
  readonly factor: Node;
  readonly summand: Node;
  readonly rest: Node | null;
}

export interface Fusions {
  /** By the addition: a product with no other reader, and what is added to it. */
  readonly biased: ReadonlyMap<Node, { readonly product: Product; readonly bias: Node }>;
  /** By the last addition of the sum. */
  readonly channelSums: ReadonlyMap<Node, ChannelSum>;
  /**
   * By the addition: a convolution's input gradient with no other reader, and an image added to it.
   */
  readonly joined: ReadonlyMap<Node, { readonly product: NodeOf<"conv2dInputGradient">; readonly image: Node }>;
  /** By the relu: a product with a bias, or a sum, with no other reader. */
  readonly rectified: ReadonlyMap<Node, Node>;
  /** By the cast of a comparison with 0: the compared value. */
  readonly masks: ReadonlyMap<Node, Node>;
  /** Poolings whose gradient needs the indices of the maxima. */
  readonly withPlaces: ReadonlySet<Node>;
  /** Nodes inside a fusion that need no value of their own. */
  readonly inside: ReadonlySet<Node>;
}

/** Whether x has one value per channel, broadcast over the image. */
export function isPerChannel(x: Node, image: Node): boolean {
  const shape = [...Array<number>(Math.max(0, 4 - x.shape.length)).fill(1), ...x.shape];
  return image.shape.length === 4 && !isScalar(x) && shape.every((n, axis) => n === (axis === 1 ? image.shape[1] : 1));
}

function fitsProduct(product: Product, bias: Node): boolean {
  if (product.op === "conv2d") return isPerChannel(bias, product);
  // Gemm adds a bias, MatMul does not.
  if (product.shape.length !== 2) return false;
  const [rows, columns] = product.shape;
  const isRow = bias.shape.length === 1 && bias.shape[0] === columns;
  const isColumn = bias.shape.length === 2 && bias.shape[0] === rows && bias.shape[1] === 1;
  return isRow || isColumn || sameShape(bias.shape, product.shape);
}

/** @param results nodes that are read from outside */
export function fusions(nodes: readonly Node[], results: Iterable<Node>): Fusions {
  const uses = new Map<Node, number>();
  for (const read of [...nodes.flatMap(({ inputs }) => inputs), ...results]) uses.set(read, (uses.get(read) ?? 0) + 1);
  const usedOnce = (node: Node | undefined): node is Node => node !== undefined && uses.get(node) === 1;
  const present = new Set(nodes);
  const biased = new Map<Node, { product: Product; bias: Node }>();
  const channelSums = new Map<Node, ChannelSum>();
  const inside = new Set<Node>();

  /** An image times a factor per channel. */
  const scaledImage = (x: Node): { image: Node; factor: Node } | null => {
    const [a, b] = x.inputs;
    if (x.op !== "mul" || !a || !b || !usedOnce(x) || !present.has(x) || inside.has(x)) return null;
    if (isPerChannel(b, a)) return { image: a, factor: b };
    return isPerChannel(a, b) ? { image: b, factor: a } : null;
  };

  const isFreeProduct = (x: Node): x is Product => (x.op === "matmul" || x.op === "conv2d") && usedOnce(x) && present.has(x) && !inside.has(x);
  for (const node of nodes) {
    if (node.op !== "add") continue;
    const [first, last] = node.inputs as readonly [Node, Node];
    const [product, bias] = isFreeProduct(first) ? [first, last] : [last, first];
    if (isFreeProduct(product) && fitsProduct(product, bias)) {
      biased.set(node, { product, bias });
      inside.add(product);
      continue;
    }
    for (const [sum, summand] of [[first, last], [last, first]] as const) {
      if (channelSums.has(node) || !isPerChannel(summand, sum)) continue;
      const whole = scaledImage(sum);
      if (whole) {
        channelSums.set(node, { ...whole, summand, rest: null });
        inside.add(sum);
        continue;
      }
      // (factor * image + rest) + summand: pair the summand with the factor.
      if (sum.op !== "add" || !usedOnce(sum) || !present.has(sum) || inside.has(sum) || biased.has(sum) || channelSums.has(sum)) continue;
      for (const [term, rest] of [[sum.inputs[0]!, sum.inputs[1]!], [sum.inputs[1]!, sum.inputs[0]!]] as const) {
        const part = scaledImage(term);
        if (!part || channelSums.has(node)) continue;
        channelSums.set(node, { ...part, summand, rest });
        inside.add(sum).add(term);
      }
    }
  }

  const joined = new Map<Node, { product: NodeOf<"conv2dInputGradient">; image: Node }>();
  const rectified = new Map<Node, Node>();
  const masks = new Map<Node, Node>();
  const pooledImages = new Set<Node>();
  for (const node of nodes) {
    const [x] = node.inputs;
    if (node.op === "relu" && usedOnce(x) && (biased.has(x) || channelSums.has(x))) {
      rectified.set(node, x);
      inside.add(x);
    }
    if (node.op === "cast" && node.dtype === "float" && x?.op === "greater" && present.has(x)) {
      const [left, right] = x.inputs as readonly [Node, Node];
      if (right.op !== "constant" || right.attributes.value !== 0 || isScalar(left)) continue;
      masks.set(node, left);
      if (usedOnce(x)) inside.add(x);
    }
    if (node.op === "add" && !inside.has(node) && !channelSums.has(node)) {
      const product = node.inputs.find((input) => input.op === "conv2dInputGradient" && usedOnce(input) && present.has(input) && !inside.has(input));
      const image = node.inputs.find((input) => input !== product && sameShape(input.shape, node.shape));
      if (product?.op === "conv2dInputGradient" && image) {
        joined.set(node, { product, image });
        inside.add(product);
      }
    }
    if (node.op === "maxPool2dGradient") pooledImages.add(x!);
  }
  const withPlaces = new Set(nodes.filter((node) => node.op === "maxPool2d" && pooledImages.has(node.inputs[0]!)));
  return { biased, channelSums, joined, rectified, masks, withPlaces, inside };
}

/** Batch normalization with mean 0 and variance 1: one pass, where Mul and Add take two. */
export function writeChannelSum({ image, factor, summand, rest }: ChannelSum, write: GraphWriter): string {
  const channels = image.shape[1]!;
  const vector = (x: Node) => write.emit("Reshape", [write.nameOf(x), write.integers([channels])]);
  const neutral = [write.zeros([channels]), write.ones([channels])];
  const sum = write.emit("BatchNormalization", [write.nameOf(image), vector(factor), vector(summand), ...neutral], { epsilon: { float: 0 } });
  return rest ? write.emit("Add", [sum, write.nameOf(rest)]) : sum;
}
