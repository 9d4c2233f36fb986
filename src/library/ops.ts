/** Operations of models, losses and metrics, with static shapes and gradients. */
import { isScalar, shapeError, sizeOf, type Node } from "../core/program/node.ts";
import { add, constant, matmul, mul, reduceSum } from "../core/program/operations/index.ts";

export {
  abs,
  add,
  and,
  argMax,
  avgPool2d,
  broadcast,
  cast,
  concat,
  constant,
  constantArray,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  cos,
  cumulativeSum,
  div,
  dot,
  equal,
  erf,
  exp,
  filled,
  floor,
  gather,
  globalMaxPool,
  greater,
  log,
  logSoftmax,
  matmul,
  maximum,
  maxPool2d,
  minimum,
  mul,
  neg,
  not,
  oneHot,
  or,
  pad,
  pow,
  reduceMax,
  reduceSum,
  relu,
  reshape,
  scatterAdd,
  select,
  sigmoid,
  sin,
  slice,
  softmax,
  split,
  sqrt,
  stopGradient,
  sub,
  tanh,
  transpose,
} from "../core/program/operations/index.ts";

export { attention, causalMask, gelu, groupNorm, layerNorm, rmsNorm, rotary, silu, sinusoids } from "../core/models/functions.ts";
export type { AttentionOptions, GroupNormOptions, NormOptions } from "../core/models/functions.ts";

/** Mean of all entries; a scalar. */
export function mean(x: Node): Node {
  return isScalar(x) ? x : mul(constant(1 / sizeOf(x.shape)), reduceSum(x));
}

/** `x W^T + b` as in PyTorch: x `[batch, in]`, weight `[out, in]`, bias `[out]`. */
export function linear(x: Node, weight: Node, bias: Node): Node {
  if (bias.shape.length !== 1 || bias.shape[0] !== weight.shape[0]) throw shapeError("linear", [x, weight, bias], "bias needs one entry per row of weight");
  return add(matmul(x, weight, { transposeB: true }), bias);
}
