/**
 * Runs each operation as TensorFlow.js kernels. Programs contain their backward pass: tfjs
 * gradients are not used.
 */
import { messageOf } from "../../../shared/errors.ts";
import { describe, sameShape, sizeOf, type DType, type Node, type NodeOf, type OpName } from "../../program/node.ts";
import { tf, type Tensor, type Tensor1D } from "./core.ts";
import { imageKernels, oneHot } from "./images.ts";

export type Kernel<N extends OpName> = (node: NodeOf<N>, inputs: readonly Tensor[]) => Tensor;

/** tfjs has no byte type. */
export const tensorType: Readonly<Record<DType, "float32" | "int32" | "bool">> = { float: "float32", int32: "int32", uint8: "int32", bool: "bool" };

const shape = (node: Node) => [...node.shape];

type Binary = (a: Tensor, b: Tensor) => Tensor;
type Unary = (x: Tensor) => Tensor;
const binary = (f: Binary) => (_: Node, [a, b]: readonly Tensor[]) => f(a!, b!);
const unary = (f: Unary) => (_: Node, [x]: readonly Tensor[]) => f(x!);

/** Entries 0, step, 2 step, .. along an axis; a strided slice is limited to few axes. */
function everyNth(x: Tensor, axis: number, step: number, to: number[]): Tensor {
  const [before, count, after] = [x.shape.slice(0, axis), to[axis]!, x.shape.slice(axis + 1)];
  const [outer, inner] = [before, after].map((sizes) => sizes.reduce((product, n) => product * n, 1)) as [number, number];
  const whole = tf.pad(tf.reshape(x, [outer, x.shape[axis]!, inner]), [[0, 0], [0, count * step - x.shape[axis]!], [0, 0]]);
  return tf.reshape(tf.slice(tf.reshape(whole, [outer * count, step, inner]), [0, 0, 0], [outer * count, 1, inner]), to);
}

/**
 * Merges neighboring axes that are all broadcast, or all not: WebGPU broadcasts at most four axes.
 * @returns sizes before and after
 */
function joinedAxes(from: readonly number[], to: readonly number[]): { from: number[]; to: number[] } {
  const joined: { from: number[]; to: number[] } = { from: [], to: [] };
  let stretchedBefore: boolean | undefined;
  to.forEach((size, axis) => {
    const before = from[axis - to.length + from.length] ?? 1;
    const stretched = before !== size;
    const goesOn = stretched === stretchedBefore;
    joined.from.push(goesOn ? joined.from.pop()! * before : before);
    joined.to.push(goesOn ? joined.to.pop()! * size : size);
    stretchedBefore = stretched;
  });
  return joined;
}

function broadcastTo(x: Tensor, sizes: readonly number[]): Tensor {
  const { from, to } = joinedAxes(x.shape, sizes);
  return tf.reshape(tf.broadcastTo(tf.reshape(x, from), to), [...sizes]);
}

const broadcast: Kernel<"broadcast"> = (node, [x]) => broadcastTo(x!, node.shape);

/** tf.where() wants whole arrays. */
const select: Kernel<"select"> = (node, inputs) => {
  const [condition, a, b] = inputs.map((x, i) => (sameShape(node.inputs[i]!.shape, node.shape) ? x : broadcastTo(x, node.shape)));
  return tf.where(condition!, a!, b!);
};

/** Backends multiply batches of equally many matrices. */
const matmul: Kernel<"matmul"> = (node, inputs) => {
  const { transposeA, transposeB, scale } = node.attributes;
  const leading = node.shape.slice(0, -2);
  const general = leading.length > 1 || inputs.some(({ shape: [first] }) => first === 1);
  const [a, b] = inputs.map((x) => {
    if (!general || leading.length === 0) return x;
    const matrix = x.shape.slice(-2);
    return tf.reshape(broadcastTo(x, [...leading, ...matrix]), [sizeOf(leading), ...matrix]);
  });
  const product = tf.matMul(a!, b!, transposeA, transposeB);
  const scaled = scale === 1 ? product : tf.mul(product, scale);
  return general && leading.length > 0 ? tf.reshape(scaled, shape(node)) : scaled;
};

/** Remainder with the sign of the first, as in JavaScript and ONNX (fmod). */
const remainder: Binary = (a, b) => {
  const size = tf.floor(tf.div(tf.abs(a), tf.abs(b)));
  return tf.mul(tf.sign(a), tf.sub(tf.abs(a), tf.mul(size, tf.abs(b))));
};

const kernels: { readonly [N in Exclude<OpName, "input" | "state">]: Kernel<N> } = {
  constant: (node) => tf.scalar(node.attributes.value),
  constantArray: ({ attributes: { values, dtype }, shape: [...sizes] }) => {
    const type = tensorType[dtype];
    return tf.tensor(type === "float32" ? Float32Array.from(values.entries) : type === "bool" ? Uint8Array.from(values.entries) : Int32Array.from(values.entries), sizes, type);
  },
  add: binary(tf.add),
  sub: binary(tf.sub),
  mul: binary(tf.mul),
  div: binary(tf.div),
  pow: binary(tf.pow),
  mod: binary(remainder),
  maximum: binary(tf.maximum),
  minimum: binary(tf.minimum),
  neg: unary(tf.neg),
  exp: unary(tf.exp),
  log: unary(tf.log),
  sqrt: unary(tf.sqrt),
  tanh: unary(tf.tanh),
  sigmoid: unary(tf.sigmoid),
  relu: unary(tf.relu),
  erf: unary(tf.erf),
  sin: unary(tf.sin),
  cos: unary(tf.cos),
  abs: unary(tf.abs),
  floor: unary(tf.floor),
  greater: binary(tf.greater),
  equal: binary(tf.equal),
  and: binary(tf.logicalAnd),
  or: binary(tf.logicalOr),
  not: unary(tf.logicalNot),
  select,
  cast: (node, [x]) => tf.cast(x!, tensorType[node.attributes.to]),
  stopGradient: unary((x) => x),
  matmul,
  dot: (_, [a, b]) => tf.sum(tf.mul(tf.reshape(a!, [-1]), tf.reshape(b!, [-1]))),
  softmax: ({ attributes: { axis } }, [x]) => {
    const weights = tf.exp(tf.sub(x!, tf.max(x!, axis, true)));
    return tf.div(weights, tf.sum(weights, axis, true));
  },
  logSoftmax: ({ attributes: { axis } }, [x]) => {
    const shifted = tf.sub(x!, tf.max(x!, axis, true));
    return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), axis, true)));
  },
  reduceSum: (node, [x]) => tf.reshape(tf.sum(x!, [...node.attributes.axes]), shape(node)),
  reduceMax: (node, [x]) => tf.reshape(tf.max(x!, [...node.attributes.axes]), shape(node)),
  variance: (node, [x]) => tf.reshape(tf.moments(x!, [...node.attributes.axes], true).variance, shape(node)),
  argMax: (_, [x]) => tf.argMax(x!, -1),
  oneHot: ({ attributes: { classes } }, [indices]) => oneHot(indices!, classes),
  broadcast,
  reshape: (node, [x]) => tf.reshape(x!, shape(node)),
  transpose: ({ attributes }, [x]) => tf.transpose(x!, [...attributes.permutation]),
  slice: (node, [x]) => {
    const { axis: along, start, end, step = 1 } = node.attributes;
    if (step < 0) return tf.reverse(x!, along);
    const begin = node.shape.map((_, axis) => (axis === along ? start : 0));
    if (step === 1) return tf.slice(x!, begin, shape(node));
    return everyNth(tf.slice(x!, begin, node.shape.map((n, axis) => (axis === along ? end - start : n))), along, step, shape(node));
  },
  concat: ({ attributes }, parts) => tf.concat([...parts], attributes.axis),
  gather: ({ attributes: { axis } }, [table, indices]) => tf.gather(table!, indices! as Tensor1D, axis),
  cumulativeSum: ({ attributes: { axis, exclusive, reverse } }, [x]) => tf.cumsum(x!, axis, exclusive, reverse),
  scatterAdd: ({ attributes: { rows } }, [values, indices]) => {
    const chosen = oneHot(tf.reshape(indices!, [-1]), rows);
    return tf.matMul(chosen, tf.reshape(values!, [chosen.shape[0]!, -1]), true, false);
  },
  ...imageKernels,
};

/**
 * Value of a node other than a source. The caller disposes the result.
 * @throws Error naming an operation that the backend has no kernel for
 */
export function evaluate(node: Node, inputs: readonly Tensor[]): Tensor {
  if (node.op === "input" || node.op === "state") throw new Error(`${node.op} ${node.attributes.name} has no kernel: its value is an input`);
  try {
    return (kernels[node.op] as Kernel<OpName>)(node, inputs);
  } catch (error) {
    throw new Error(`TensorFlow.js (${tf.getBackend()}) cannot compute ${describe(node)}: ${messageOf(error)}`, { cause: error });
  }
}
