/** MoMo and MoMo-Adam (Schaipp et al. 2024), as in the authors' package: a Polyak step size from running means of losses and gradients. */
import type { Node } from "../program/node.ts";
import { add, constant, div, maximum, minimum, mul, pow, sub } from "../program/operations/index.ts";
import { adamDenominator, innerProduct, orOne, startingAt } from "./groupNodes.ts";
import type { GroupArguments, RuleContext, UpdateRule } from "./rule.ts";
import { runningMean } from "./runningMean.ts";
import { decays } from "./weightDecay.ts";

interface Means {
  /** Running means of the gradients, and what divides them. */
  readonly m: readonly Node[];
  readonly directions: readonly Node[];
  readonly meanLoss: Node;
  /** Running mean of <gradients, weights>. */
  readonly meanProduct: Node;
  /** What running means that start at 0 lack of 1. */
  readonly weight: Node;
}

/** The step size: as far as the model of the loss falls to its lower bound, at most alpha. */
function polyakStep({ arrays, hyper }: GroupArguments, { m, directions, meanLoss, meanProduct, weight }: Means, level: RuleContext): Node {
  const product = innerProduct(arrays.map(({ parameter }) => parameter), m);
  const grows = decays(level) ? add(constant(1), mul(hyper("alpha"), hyper("weightDecay"))) : constant(1);
  const above = sub(meanLoss, mul(weight, hyper("lowerBound")));
  const fall = sub(add(mul(grows, above), product), mul(grows, meanProduct));
  return minimum(div(hyper("alpha"), weight), div(maximum(fall, constant(0)), orOne(innerProduct(m, directions))));
}

/** Proximal weight decay: divided rather than multiplied. */
function decayed(moved: Node, { hyper }: GroupArguments, level: RuleContext): Node {
  return decays(level) ? div(moved, add(constant(1), mul(hyper("alpha"), hyper("weightDecay")))) : moved;
}

const productOf = ({ arrays }: GroupArguments) => innerProduct(arrays.map(({ parameter }) => parameter), arrays.map(({ gradient }) => gradient));

export const moMo: UpdateRule = {
  optimizer: "moMo",
  usesLoss: true,
  update(group, level) {
    const { arrays, hyper, groupSlot, count, loss } = group;
    const beta = hyper("beta1");
    // Running means begin at their first value.
    const mean = (before: Node, value: Node) => runningMean(startingAt(count, value, before), value, beta);
    const m = arrays.map(({ slot, gradient }) => mean(slot("m"), gradient));
    const [meanLoss, meanProduct] = [mean(groupSlot("meanLoss"), loss()), mean(groupSlot("meanProduct"), productOf(group))];
    const step = polyakStep(group, { m, directions: m, meanLoss, meanProduct, weight: constant(1) }, level);
    return {
      arrays: arrays.map(({ parameter }, i) => ({ parameter: decayed(sub(parameter, mul(step, m[i]!)), group, level), slots: { m: m[i]! } })),
      groupSlots: { meanLoss, meanProduct },
    };
  },
};

export const moMoAdam: UpdateRule = {
  optimizer: "moMoAdam",
  usesLoss: true,
  update(group, level) {
    const { arrays, hyper, groupSlot, count, loss } = group;
    const [one, beta1, beta2] = [constant(1), hyper("beta1"), hyper("beta2")];
    const moments = arrays.map(({ slot, gradient }) => ({ m: runningMean(slot("m"), gradient, beta1), v: runningMean(slot("v"), mul(gradient, gradient), beta2) }));
    const directions = moments.map(({ m, v }) => div(m, adamDenominator(v, group, level)));
    const meanLoss = runningMean(groupSlot("meanLoss"), loss(), beta1);
    const meanProduct = runningMean(groupSlot("meanProduct"), productOf(group), beta1);
    const step = polyakStep(group, { m: moments.map(({ m }) => m), directions, meanLoss, meanProduct, weight: sub(one, pow(beta1, count)) }, level);
    return {
      arrays: arrays.map(({ parameter }, i) => ({ parameter: decayed(sub(parameter, mul(step, directions[i]!)), group, level), slots: moments[i]! })),
      groupSlots: { meanLoss, meanProduct },
    };
  },
};
