/** Normalizations. */
import { sizeOf, type Node, type Shape } from "../../program/node.ts";
import { add, constant, div, mean, mul, reshape, sqrt, sub, variance } from "../../program/operations/index.ts";
import type { Context } from "../context.ts";
import { computed, floatOf, type ArrayValue } from "../values.ts";
import type { Operators } from "./operator.ts";

/** x with mean 0 and variance 1 over axes. */
function standardized(x: Node, axes: readonly number[], epsilon: number): Node {
  return div(sub(x, mean(x, axes)), sqrt(add(variance(x, axes), constant(epsilon))));
}

/** Scale and shift of the channels on axis 1. */
function perChannel(context: Context, x: Node, scale: number, bias: number): Node {
  const placed = (index: number): Node => {
    const value = floatOf(context.array(index));
    return reshape(value, [sizeOf(value.shape), ...x.shape.slice(2).map(() => 1)]);
  };
  return add(mul(x, placed(scale)), placed(bias));
}

/**
 * Training uses the batch's statistics whatever mode the file states: exporters write the mode of
 * inference for networks that are going to be trained.
 */
function batchNormalization(context: Context): readonly ArrayValue[] {
  const { attributes, pass } = context;
  const x = floatOf(context.array(0));
  const channels = x.shape[1]!;
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const placed: Shape = x.shape.map((n, axis) => (axis === 1 ? n : 1));
  const [scale, bias, oldMean, oldVariance] = [1, 2, 3, 4].map((index) => floatOf(context.array(index))) as [Node, Node, Node, Node];
  const [center, spread] = pass.training ? [mean(x, axes), variance(x, axes)] : [reshape(oldMean, placed), reshape(oldVariance, placed)];
  if (pass.training) {
    const momentum = attributes.float("momentum", 0.9);
    const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
    // PyTorch keeps the unbiased variance, Keras and Flax the biased one.
    const factor = pass.producer.startsWith("pytorch") ? count / Math.max(count - 1, 1) : 1;
    const update = (old: Node, to: Node, share: number) => pass.setStatistics(old, add(mul(constant(momentum), old), mul(constant(share), reshape(to, [channels]))));
    update(oldMean, center, 1 - momentum);
    update(oldVariance, spread, (1 - momentum) * factor);
  }
  const slope = div(reshape(scale, placed), sqrt(add(spread, constant(attributes.float("epsilon", 1e-5)))));
  const summand = sub(reshape(bias, placed), mul(center, slope));
  return [computed(add(mul(x, slope), summand))];
}

function layerNormalization(context: Context): readonly ArrayValue[] {
  const x = floatOf(context.array(0));
  const first = context.axis(context.attributes.int("axis", -1), x.shape.length);
  const axes = x.shape.flatMap((_, axis) => (axis < first ? [] : [axis]));
  const y = mul(standardized(x, axes, context.attributes.float("epsilon", 1e-5)), floatOf(context.array(1)));
  const bias = context.optional(2);
  return [computed(bias ? add(y, floatOf(bias)) : y)];
}

function rmsNormalization(context: Context): readonly ArrayValue[] {
  const x = floatOf(context.array(0));
  const first = context.axis(context.attributes.int("axis", -1), x.shape.length);
  const axes = x.shape.flatMap((_, axis) => (axis < first ? [] : [axis]));
  const root = sqrt(add(mean(mul(x, x), axes), constant(context.attributes.float("epsilon", 1e-5))));
  return [computed(mul(div(x, root), floatOf(context.array(1))))];
}

function groupNormalization(context: Context): readonly ArrayValue[] {
  const x = floatOf(context.array(0));
  const [batch, channels, ...rest] = x.shape as [number, number, ...number[]];
  const groups = context.attributes.int("num_groups");
  const grouped = reshape(x, [batch, groups, (channels / groups) * sizeOf(rest)]);
  const y = reshape(standardized(grouped, [2], context.attributes.float("epsilon", 1e-5)), x.shape);
  if (context.array(1).shape[0] === channels) return [computed(perChannel(context, y, 1, 2))];
  // Opset 18 has a scale for each group.
  const repeated = (index: number) => reshape(floatOf(context.array(index)), [groups, 1, ...rest.map(() => 1)]);
  const parts = reshape(y, [batch, groups, channels / groups, ...rest]);
  return [computed(reshape(add(mul(parts, repeated(1)), repeated(2)), x.shape))];
}

function instanceNormalization(context: Context): readonly ArrayValue[] {
  const x = floatOf(context.array(0));
  const axes = x.shape.flatMap((_, axis) => (axis < 2 ? [] : [axis]));
  return [computed(perChannel(context, standardized(x, axes, context.attributes.float("epsilon", 1e-5)), 1, 2))];
}

function meanVariance(context: Context): readonly ArrayValue[] {
  const x = floatOf(context.array(0));
  const axes = (context.attributes.ints("axes") ?? [0, 2, 3]).map((axis) => context.axis(axis, x.shape.length));
  return [computed(standardized(x, axes, 1e-9))];
}

export const normalizationOperators: Operators = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: rmsNormalization,
  SimplifiedLayerNormalization: rmsNormalization,
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  MeanVarianceNormalization: meanVariance,
};
