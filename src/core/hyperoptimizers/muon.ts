/**
 * Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"), as
 * optax.contrib.muon computes it: arrays with two axes move along their orthogonalized momentum, all
 * others (biases, convolutions) by Adam.
 *
 * Optax scales a matrix by √max(1, columns/rows), which is outputs/inputs where inputs are rows, as in
 * Flax. Here rows are outputs: `matrixScale` chooses between the meaning, which is the author's
 * and PyTorch's, and Optax's formula on the array as it is.
 */
import type { Node } from "../program/node.ts";
import { add, constant, div, matmul, mul, pow, sub } from "../program/operations/index.ts";
import { adamDenominator, epsilonOf, innerProduct, momentRoot } from "./groupNodes.ts";
import type { GroupArguments, MovedArray, RuleContext, UpdatedArray, UpdateRule } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { shrunk } from "./weightDecay.ts";

/** f(x) = 3.4445 x - 4.775 x³ + 2.0315 x⁵ takes singular values in (0, 1] to about 1 within a few steps. */
const [linear, cubic, quintic] = [3.4445, -4.775, 2.0315];

/** The mean of gradients divided by what it lacks of 1, with Nesterov's look ahead where that is asked for. */
function correctedMean(m: Node, gradient: Node, decay: Node, { count }: GroupArguments, { options }: RuleContext): Node {
  const one = constant(1);
  if (options.momentumAs === "plain") return div(m, sub(one, pow(decay, count)));
  const ahead = div(decay, sub(one, pow(decay, add(count, one))));
  const now = div(sub(one, decay), sub(one, pow(decay, count)));
  return add(mul(ahead, m), mul(now, gradient));
}

/** A nearly orthogonal matrix with the singular vectors of x, by Newton-Schulz steps. */
function orthogonalized(x: Node, epsilon: Node, level: RuleContext): Node {
  const [rows, columns] = x.shape as [number, number];
  const tall = rows > columns;
  let y = div(x, add(momentRoot(innerProduct([x], [x]), level, "beta"), epsilon));
  for (let step = 0; step < level.options.newtonSchulzSteps; step++) {
    // The smaller of y yᵀ and yᵀ y: both give the same step.
    const square = matmul(y, y, tall ? { transposeA: true } : { transposeB: true });
    const polynomial = add(mul(constant(cubic), square), matmul(square, square, { scale: quintic }));
    y = add(mul(constant(linear), y), tall ? matmul(y, polynomial) : matmul(polynomial, y));
  }
  return y;
}

function scaleOf([rows, columns]: readonly [number, number], { options: { consistentRms, matrixScale } }: RuleContext): number {
  if (consistentRms !== null) return consistentRms * Math.sqrt(Math.max(rows, columns));
  if (matrixScale === "none") return 1;
  return Math.sqrt(Math.max(1, matrixScale === "outputs" ? rows / columns : columns / rows));
}

function movedMatrix({ parameter, gradient, slot }: MovedArray, group: GroupArguments, level: RuleContext): UpdatedArray {
  const [alpha, decay] = [group.hyper("alpha"), group.hyper("beta")];
  const m = runningMean(slot("m"), gradient, decay);
  const direction = orthogonalized(correctedMean(m, gradient, decay, group, level), epsilonOf(group.hyper), level);
  const rate = mul(constant(scaleOf(parameter.shape as [number, number], level)), alpha);
  return { parameter: sub(shrunk(parameter, alpha, group.hyper, level), mul(rate, direction)), slots: { m } };
}

function movedByAdam({ parameter, gradient, slot }: MovedArray, group: GroupArguments, level: RuleContext): UpdatedArray {
  const { hyper } = group;
  const [beta1, beta2] = [hyper("beta1"), hyper("beta2")];
  const rate = mul(hyper("alpha"), hyper("adamScale"));
  const m = runningMean(slot("m"), gradient, beta1);
  const v = runningMean(slot("v"), mul(gradient, gradient), beta2);
  const direction = div(correctedMean(m, gradient, beta1, group, level), adamDenominator(v, group, level));
  return { parameter: sub(shrunk(parameter, rate, hyper, level, "adamWeightDecay"), mul(rate, direction)), slots: { m, v } };
}

export const muon: UpdateRule = {
  optimizer: "muon",
  update: (group, level) => ({ arrays: group.arrays.map((array) => (array.parameter.shape.length === 2 ? movedMatrix : movedByAdam)(array, group, level)) }),
};
