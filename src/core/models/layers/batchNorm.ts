import { add, constant, div, mean, mul, reshape, sqrt, sub, variance } from "../../program/operations/index.ts";
import type { Apply } from "./layer.ts";

/**
 * Batch normalization (Ioffe and Szegedy 2015) as in PyTorch. Training uses the batch's mean and
 * variance and updates the running ones (with the unbiased variance); evaluation uses the running
 * ones.
 */
const batchNorm: Apply<"batchNorm"> = (x, { momentum, epsilon }, scope) => {
  const channelAxis = 1;
  const axes = x.node.shape.flatMap((_, axis) => (axis === channelAxis ? [] : [axis]));
  const channels = x.node.shape[channelAxis]!;
  const placed = x.node.shape.map((n, axis) => (axis === channelAxis ? n : 1));
  const place = (name: "running_mean" | "running_var") => reshape(scope.buffer(name), placed);

  const [center, spread] = scope.training ? [mean(x.node, axes), variance(x.node, axes)] : [place("running_mean"), place("running_var")];
  if (scope.training) {
    const count = axes.reduce((product, axis) => product * x.node.shape[axis]!, 1);
    const moved = (name: "running_mean" | "running_var", to: typeof center, factor: number) =>
      scope.setBuffer(name, add(mul(constant(1 - momentum), scope.buffer(name)), mul(constant(momentum * factor), reshape(to, [channels]))));
    moved("running_mean", center, 1);
    // A single value has no unbiased variance: 0 here, an error in PyTorch.
    moved("running_var", spread, count / Math.max(count - 1, 1));
  }
  // One factor and one summand per channel: the array work is one multiply-add.
  const factor = div(reshape(scope.parameter("weight"), placed), sqrt(add(spread, constant(epsilon))));
  const summand = sub(reshape(scope.parameter("bias"), placed), mul(center, factor));
  return { ...x, node: add(mul(x.node, factor), summand) };
};

export const normalizationLayers = { batchNorm };
