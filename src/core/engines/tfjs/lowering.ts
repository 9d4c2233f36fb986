/**
 * Runs each operation as TensorFlow.js kernels. Programs contain their backward pass: tfjs
 * gradients are not used.
 */
import { messageOf } from "../../../shared/errors.ts";
import { describe, sameShape, sizeOf, type Convolution, type DType, type Node, type NodeOf, type OpName } from "../../program/node.ts";
import { tf, type Tensor, type Tensor1D, type Tensor4D } from "./core.ts";

export type Kernel<N extends OpName> = (node: NodeOf<N>, inputs: readonly Tensor[]) => Tensor;

/** tfjs has no byte type. */
export const tensorType: Readonly<Record<DType, "float32" | "int32" | "bool">> = { float: "float32", int32: "int32", uint8: "int32", bool: "bool" };

const shape = (node: Node) => [...node.shape];

type Binary = (a: Tensor, b: Tensor) => Tensor;
type Unary = (x: Tensor) => Tensor;
const binary = (f: Binary) => (_: Node, [a, b]: readonly Tensor[]) => f(a!, b!);
const unary = (f: Unary) => (_: Node, [x]: readonly Tensor[]) => f(x!);

/**
 * Programs use [batch, channels, height, width]; most backends convolve only [batch, height, width,
 * channels].
 */
const toLast = (x: Tensor) => tf.transpose(x, [0, 2, 3, 1]) as Tensor4D;
const toFirst = (x: Tensor) => tf.transpose(x, [0, 3, 1, 2]);
/** Weights [out, in, h, w] to [h, w, in, out]. */
const filterOf = (weight: Tensor) => tf.transpose(weight, [2, 3, 1, 0]) as Tensor4D;

/** Pads explicitly, because backends differ in the paddings they support. */
const padded = (x: Tensor4D, { padding }: Convolution) => (padding === 0 ? x : tf.pad(x, [[0, 0], [padding, padding], [padding, padding], [0, 0]]));

const conv2d: Kernel<"conv2d"> = ({ attributes }, [x, weight]) =>
  toFirst(tf.conv2d(padded(toLast(x!), attributes), filterOf(weight!), attributes.stride, "valid"));

const conv2dInputGradient: Kernel<"conv2dInputGradient"> = (node, [g, weight]) => {
  const { padding, stride, size } = node.attributes;
  const [batch, channels] = node.shape as [number, number];
  const [height, width] = [size[0] + 2 * padding, size[1] + 2 * padding];
  const attributes = { strides: stride, pad: "valid", dataFormat: "NHWC", inputShape: [batch, height, width, channels] };
  const whole = tf.engine().runKernel("Conv2DBackpropInput", { dy: toLast(g!), filter: filterOf(weight!) }, attributes) as Tensor;
  return toFirst(padding === 0 ? whole : tf.slice(whole, [0, padding, padding, 0], [batch, size[0], size[1], channels]));
};

/**
 * Convolves the image, its channels as the batch, with the adjoint as kernel; the stride becomes a
 * dilation.
 */
const conv2dWeightGradient: Kernel<"conv2dWeightGradient"> = (node, [x, g]) => {
  const { stride, kernel } = node.attributes;
  const [out, channels] = node.shape as [number, number];
  const image = tf.transpose(padded(toLast(x!), node.attributes), [3, 1, 2, 0]) as Tensor4D;
  const filter = tf.transpose(g!, [2, 3, 0, 1]) as Tensor4D;
  const all = tf.conv2d(image, filter, 1, "valid", "NHWC", stride);
  // Rows and columns of the image that the kernel never reached make the result larger.
  return tf.transpose(tf.slice(all, [0, 0, 0, 0], [channels, kernel[0], kernel[1], out]), [3, 0, 1, 2]);
};

/**
 * int32 first: the wasm backend writes an integer's bits into a float. tf.oneHot() refuses a single
 * class.
 */
function oneHot(indices: Tensor, classes: number): Tensor {
  if (classes === 1) return tf.cast(tf.expandDims(tf.equal(indices, tf.scalar(0, "int32")), -1), "float32");
  return tf.cast(tf.oneHot(indices, classes, 1, 0, "int32"), "float32");
}

/** Entries 0, step, 2 step, .. along an axis; a strided slice is limited to few axes. */
function everyNth(x: Tensor, axis: number, step: number, to: number[]): Tensor {
  const [before, count, after] = [x.shape.slice(0, axis), to[axis]!, x.shape.slice(axis + 1)];
  const [outer, inner] = [before, after].map((sizes) => sizes.reduce((product, n) => product * n, 1)) as [number, number];
  const whole = tf.pad(tf.reshape(x, [outer, x.shape[axis]!, inner]), [[0, 0], [0, count * step - x.shape[axis]!], [0, 0]]);
  return tf.reshape(tf.slice(tf.reshape(whole, [outer * count, step, inner]), [0, 0, 0], [outer * count, 1, inner]), to);
}

/** Windows of an image as rows: [batch, channels, out h, out w, size * size]. */
function windows(x: Tensor, size: number): Tensor {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const [h, w] = [Math.floor(height / size), Math.floor(width / size)];
  const whole = tf.slice(x, [0, 0, 0, 0], [batch, channels, h * size, w * size]);
  const cut = tf.transpose(tf.reshape(whole, [batch * channels, h, size, w, size]), [0, 1, 3, 2, 4]);
  return tf.reshape(cut, [batch, channels, h, w, size * size]);
}

const maxPool2dGradient: Kernel<"maxPool2dGradient"> = (node, [x, g]) => {
  const { size } = node.attributes;
  const [batch, channels, height, width] = node.shape as [number, number, number, number];
  const [h, w] = g!.shape.slice(2) as [number, number];
  // argMax returns the first of equals, as PyTorch does.
  const first = oneHot(tf.argMax(windows(x!, size), 4), size * size);
  const spread = tf.mul(first, tf.expandDims(g!, 4));
  const back = tf.transpose(tf.reshape(spread, [batch * channels, h, w, size, size]), [0, 1, 3, 2, 4]);
  const whole = tf.reshape(back, [batch, channels, h * size, w * size]);
  return height === h * size && width === w * size ? whole : tf.pad(whole, [[0, 0], [0, 0], [0, height - h * size], [0, width - w * size]]);
};

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
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
  maxPool2d: (node, [x]) => tf.max(windows(x!, node.attributes.size), 4),
  maxPool2dGradient,
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
