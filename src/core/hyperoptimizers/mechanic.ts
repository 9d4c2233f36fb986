/**
 * Mechanic (Cutkosky, Defazio and Mehta 2023), as in the authors' package: the weights are the
 * initial ones plus the sum of a rule's updates, delta, times a scale. The scale is a sum of
 * several, each tuned with a decay of its own by the product of the gradient with delta.
 *
 * Where the paper differs, the package is followed: the decay of the scale is along the weights
 * that the rule proposes, epsilon is added to every denominator, and the largest product starts at
 * 1e-6. By default the package recomputes delta from the weights; the paper stores it. Float32
 * loses digits of the first updates in the weights, so storing is the default here.
 */
import { estimateSlot, type MechanicEstimate } from "../../shared/optimizers/mechanic.ts";
import type { Node } from "../program/node.ts";
import { add, constant, div, maximum, mul, sqrt, sub } from "../program/operations/index.ts";
import { epsilonOf, innerProduct, magnitude, sum, underflow } from "./groupNodes.ts";
import type { GroupArguments, RuleContext, UpdateRule } from "./rule.ts";
import { decays } from "./weightDecay.ts";

/** Euclidean norm that has a slope at 0. */
const length = (arrays: readonly Node[]) => sqrt(add(innerProduct(arrays, arrays), constant(underflow)));

/** Product of the gradient, and of the decay of the scale, with delta; a scalar. */
function alongDelta({ arrays, hyper }: GroupArguments, level: RuleContext, deltas: readonly Node[], proposed: readonly Node[], scale: Node, epsilon: Node): Node {
  const gradients = arrays.map(({ gradient }) => gradient);
  const product = innerProduct(deltas, gradients);
  if (!decays(level, "sDecay")) return product;
  const decay = div(mul(mul(hyper("sDecay"), scale), length(gradients)), add(length(proposed), epsilon));
  return add(product, mul(decay, innerProduct(deltas, proposed)));
}

/** Slots of each scale by name; every one is a scalar, which the host computes. */
function tuned({ hyper, groupSlot }: GroupArguments, { options: { mechanicBetas } }: RuleContext, product: Node, epsilon: Node): Record<string, Node> {
  const [size, square] = [magnitude(product), mul(product, product)];
  const first = mul(constant(1 / mechanicBetas.length), hyper("sInit"));
  const slots = mechanicBetas.map((decay, i) => {
    const [beta, slot] = [constant(decay), (name: MechanicEstimate) => groupSlot(estimateSlot(name, i))];
    const largestProduct = maximum(mul(beta, slot("largestProduct")), size);
    const squaredProducts = add(mul(constant(decay ** 2), slot("squaredProducts")), square);
    const reward = maximum(sub(mul(beta, slot("reward")), mul(slot("scale"), product)), constant(0));
    const scale = div(add(mul(largestProduct, first), reward), add(sqrt(add(squaredProducts, constant(underflow))), epsilon));
    return Object.entries({ scale, largestProduct, squaredProducts, reward }).map(([name, value]) => [estimateSlot(name as MechanicEstimate, i), value] as const);
  });
  return Object.fromEntries(slots.flat());
}

/** The rule, with the scale of its updates tuned. */
export function mechanized(rule: UpdateRule): UpdateRule {
  return {
    ...rule,
    update(group, level) {
      const { arrays, hyper, groupSlot } = group;
      const base = rule.update(group, level);
      const proposed = base.arrays.map(({ parameter }) => parameter);
      const scales = level.options.mechanicBetas.map((_, i) => estimateSlot("scale", i));
      const [epsilon, scale] = [epsilonOf(hyper, "sLogEps"), sum(scales.map(groupSlot))];
      const recomputes = level.options.mechanicUpdates === "recomputed";
      const deltas = arrays.map(({ parameter, slot }) => (recomputes ? div(sub(parameter, slot("start")), add(scale, epsilon)) : slot("delta")));
      const tuner = tuned(group, level, alongDelta(group, level, deltas, proposed, scale, epsilon), epsilon);
      const nextScale = sum(scales.map((name) => tuner[name]!));
      return {
        arrays: arrays.map(({ parameter, slot }, i) => {
          const delta = add(deltas[i]!, sub(proposed[i]!, parameter));
          return { parameter: add(slot("start"), mul(nextScale, delta)), slots: { ...base.arrays[i]!.slots, ...(recomputes ? {} : { delta }) } };
        }),
        groupSlots: { ...base.groupSlots, ...tuner },
      };
    },
  };
}
