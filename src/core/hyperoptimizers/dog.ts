/** DoG and LDoG (Ivgi et al. 2023), as in the authors' package: distance over gradients, with polynomial-decay averaging. */
import type { Node } from "../program/node.ts";
import { add, constant, div, maximum, mul, sqrt, sub } from "../program/operations/index.ts";
import { atFirst, innerProduct, norm } from "./groupNodes.ts";
import type { GroupArguments, MovedArray, RuleContext, UpdatedArray, UpdateRule } from "./rule.ts";
import { coupledGradient } from "./weightDecay.ts";

/** Keeps the reference's first step finite where all gradients are 0. */
const epsilon = 1e-8;

/** Largest distance so far and sum of squared gradients of some arrays, which give their step size. */
function measured(arrays: readonly MovedArray[], gradients: readonly Node[], slot: (name: string) => Node, { count }: GroupArguments, { initial }: RuleContext) {
  const first = mul(constant(initial["firstMove"]!), add(constant(1), norm(arrays.map(({ parameter }) => parameter))));
  const moved = norm(arrays.map((array) => sub(array.parameter, array.slot("start"))));
  return {
    distance: atFirst(count, first, maximum(slot("distance"), moved)),
    squares: add(atFirst(count, constant(epsilon), slot("squares")), innerProduct(gradients, gradients)),
  };
}

function movedArray({ parameter, slot }: MovedArray, gradient: Node, { distance, squares }: { distance: Node; squares: Node }, { hyper, count }: GroupArguments, { options }: RuleContext): UpdatedArray {
  const moved = sub(parameter, mul(div(mul(hyper("alpha"), distance), sqrt(squares)), gradient));
  if (options.averaging === null) return { parameter: moved, slots: {} };
  const share = div(constant(options.averaging + 1), add(constant(options.averaging), count));
  const average = add(mul(sub(constant(1), share), slot("average")), mul(share, moved));
  return { parameter: moved, slots: { average }, evaluated: average };
}

export const dog: UpdateRule = {
  optimizer: "dog",
  update(group, level) {
    const gradients = group.arrays.map((array) => coupledGradient(array, group.hyper, level));
    const measures = measured(group.arrays, gradients, group.groupSlot, group, level);
    return { arrays: group.arrays.map((array, i) => movedArray(array, gradients[i]!, measures, group, level)), groupSlots: measures };
  },
};

export const lDog: UpdateRule = {
  optimizer: "lDog",
  update(group, level) {
    return {
      arrays: group.arrays.map((array) => {
        const gradient = coupledGradient(array, group.hyper, level);
        const measures = measured([array], [gradient], array.slot, group, level);
        const { slots, ...moved } = movedArray(array, gradient, measures, group, level);
        return { ...moved, slots: { ...slots, ...measures } };
      }),
    };
  },
};
