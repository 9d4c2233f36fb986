/** Lowers each operation to ONNX. Scalars are arrays of shape [1]. */
import { isScalar, sizeOf, type DType, type Node, type NodeOf, type OpName, type Shape } from "../../program/node.ts";
import { onnxType, type OnnxType } from "./model.ts";
import { convolutionLowerings } from "./lowering/convolution.ts";
import { deviceLowerings } from "./lowering/device.ts";
import { fusions, writeChannelSum } from "./lowering/fusion.ts";
import { lowerImage } from "./lowering/images.ts";
import { indexingLowerings } from "./lowering/indexing.ts";
import { varianceLowering } from "./lowering/variance.ts";
import { writeMask } from "./lowering/pooling.ts";
import type { Lowering } from "./lowering/rule.ts";
import type { GraphWriter } from "./lowering/writer.ts";

export const onnxTypeOf: Record<DType, OnnxType> = { float: "float", int32: "int32", uint8: "uint8", bool: "bool" };

export const onnxShape = (shape: Shape): Shape => (shape.length === 0 ? [1] : shape);

function direct<N extends OpName>(type: string): Lowering<N> {
  return (_, inputs, write) => write.emit(type, inputs);
}

function reduce(type: string): Lowering<"reduceSum"> & Lowering<"reduceMax"> {
  return (node: NodeOf<"reduceSum"> | NodeOf<"reduceMax">, [x]: readonly string[], write: GraphWriter) => {
    const { axes, keepAxes } = node.attributes;
    const reduced = write.emit(type, [x!, write.integers(axes)], { keepdims: { int: keepAxes || isScalar(node) ? 1 : 0 } });
    return isScalar(node) ? write.emit("Reshape", [reduced, write.integers([1])]) : reduced;
  };
}

const gemm: Lowering<"matmul"> = ({ attributes: { transposeA, transposeB, scale }, inputs: [x, y] }, [a, b, ...added], write) => {
  // Gemm repacks a transposed left side per column block: transpose it once where the right side is
  // large or many products share it.
  const transposed = transposeA && (write.sharedLefts.has(x!) || sizeOf(x!.shape) * 4 <= sizeOf(y!.shape));
  const left = transposed ? write.once("Transpose", [a!], { perm: { ints: [1, 0] } }) : a!;
  return write.emit("Gemm", [left, b!, ...added], {
    transA: { int: Number(transposeA && !transposed) },
    transB: { int: Number(transposeB) },
    ...(scale === 1 ? {} : { alpha: { float: scale } }),
  });
};

/** A batch of products. ONNX Runtime fuses the transpositions into the product. */
const batchedMatmul: Lowering<"matmul"> = ({ attributes: { transposeA, transposeB, scale }, inputs: [x, y] }, [a, b], write) => {
  const transposed = ({ shape: { length } }: Node, value: string, transpose: boolean) =>
    transpose ? write.emit("Transpose", [value], { perm: { ints: [...Array(length - 2).keys(), length - 1, length - 2] } }) : value;
  const product = write.emit("MatMul", [transposed(x!, a!, transposeA), transposed(y!, b!, transposeB)]);
  return scale === 1 ? product : write.emit("Mul", [product, write.float(scale)]);
};

/** Operations to lower; the engine names the inputs and state, the writer the constants. */
type Lowered = Exclude<OpName, "input" | "state" | "constant" | "constantArray">;

const lowerings: { readonly [N in Lowered]: Lowering<N> } = {
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  pow: direct("Pow"),
  mod: (_, inputs, write) => write.emit("Mod", inputs, { fmod: { int: 1 } }),
  maximum: direct("Max"),
  minimum: direct("Min"),
  neg: direct("Neg"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  tanh: direct("Tanh"),
  sigmoid: direct("Sigmoid"),
  relu: direct("Relu"),
  erf: direct("Erf"),
  sin: direct("Sin"),
  cos: direct("Cos"),
  abs: direct("Abs"),
  floor: direct("Floor"),
  greater: direct("Greater"),
  equal: direct("Equal"),
  and: direct("And"),
  or: direct("Or"),
  not: direct("Not"),
  select: direct("Where"),
  stopGradient: direct("Identity"),
  cast: (node, inputs, write) => write.emit("Cast", inputs, { to: { int: onnxType[onnxTypeOf[node.attributes.to]] } }),
  matmul: (node, inputs, write) => (node.shape.length === 2 ? gemm : batchedMatmul)(node, inputs, write),
  // Row times column: one pass over both, without an intermediate array.
  dot: (node, [a, b], write) => {
    const row = write.integers([1, sizeOf(node.inputs[0]!.shape)]);
    const product = write.emit("Gemm", [write.emit("Reshape", [a!, row]), write.emit("Reshape", [b!, row])], { transB: { int: 1 } });
    return write.emit("Reshape", [product, write.integers([1])]);
  },
  softmax: ({ attributes: { axis } }, inputs, write) => write.emit("Softmax", inputs, { axis: { int: axis } }),
  logSoftmax: ({ attributes: { axis } }, inputs, write) => write.emit("LogSoftmax", inputs, { axis: { int: axis } }),
  reduceSum: (node, inputs, write) => {
    const { shape } = node.inputs[0]!;
    const { axes, keepAxes } = node.attributes;
    if (shape.length !== 2 || axes.length !== 1 || axes[0] !== 0) return reduce("ReduceSum")(node, inputs, write);
    // Sums over rows: a matrix product adds whole rows, whereas ReduceSum walks the columns.
    const sums = write.emit("Gemm", [write.ones([1, shape[0]!]), inputs[0]!]);
    return keepAxes ? sums : write.emit("Reshape", [sums, write.integers([shape[1]!])]);
  },
  reduceMax: reduce("ReduceMax"),
  variance: varianceLowering,
  argMax: (node, inputs, write) => {
    const index = write.emit("ArgMax", inputs, { axis: { int: node.inputs[0]!.shape.length - 1 }, keepdims: { int: 0 } });
    return write.emit("Cast", [index], { to: { int: onnxType.int32 } });
  },
  // A comparison is faster than ONNX's OneHot.
  oneHot: (node, [indices], write) => {
    const column = write.emit("Reshape", [indices!, write.integers([...node.inputs[0]!.shape, 1])]);
    const hit = write.emit("Equal", [column, write.iota(node.attributes.classes)]);
    return write.emit("Cast", [hit], { to: { int: onnxType.float } });
  },
  broadcast: (node, [x], write) => write.emit("Expand", [x!, write.integers(onnxShape(node.shape))]),
  reshape: (node, [x], write) => write.emit("Reshape", [x!, write.integers(onnxShape(node.shape))]),
  transpose: (node, inputs, write) => write.emit("Transpose", inputs, { perm: { ints: node.attributes.permutation } }),
  slice: ({ inputs: [whole], attributes: { axis, start, end, step = 1 } }, [x], write) => {
    // An end of -1 would count from the end of the axis.
    const bounds = [[start], [end < 0 ? end - whole!.shape[axis]! : end], [axis], ...(step === 1 ? [] : [[step]])];
    return write.emit("Slice", [x!, ...bounds.map((values) => write.integers(values))]);
  },
  concat: (node, inputs, write) => write.emit("Concat", inputs, { axis: { int: node.attributes.axis } }),
  ...indexingLowerings,
  ...convolutionLowerings,
};

/** Matrices that are the transposed left side of at least two products. */
function sharedLefts(nodes: readonly Node[]): Node[] {
  const left = nodes.flatMap((node) => (node.op === "matmul" && node.attributes.transposeA ? [node.inputs[0]!] : []));
  return left.filter((node, i) => left.indexOf(node) < i);
}

/**
 * Adds ONNX nodes for an ordered list of nodes whose sources have names.
 * @param results nodes of the list that are read from outside
 */
export function lower(nodes: readonly Node[], results: Iterable<Node>, write: GraphWriter): void {
  const fused = fusions(nodes, results);
  const table = write.forDevice ? { ...lowerings, ...deviceLowerings } : lowerings;
  for (const node of sharedLefts(nodes)) write.sharedLefts.add(node);
  const lowerOne = (node: Node) => {
    if (lowerImage(node, fused, write)) return;
    const inner = fused.rectified.get(node) ?? fused.joined.get(node)?.product;
    if (inner) lowerOne(inner);
    const channelSum = fused.channelSums.get(node);
    if (channelSum) return write.setName(node, writeChannelSum(channelSum, write));
    const masked = fused.masks.get(node);
    if (masked) return write.setName(node, writeMask(write.nameOf(masked), write));
    const biased = fused.biased.get(node);
    const lowered = biased ? biased.product : node;
    const names = [...lowered.inputs, ...(biased ? [biased.bias] : [])].map((input) => write.nameOf(input));
    write.setName(node, (table[lowered.op as Lowered] as Lowering<OpName>)(lowered, names, write));
  };
  for (const node of nodes) {
    const isNamed = node.op === "input" || node.op === "state" || node.op === "constant" || node.op === "constantArray";
    if (!isNamed && !fused.inside.has(node)) lowerOne(node);
  }
}
