/**
 * Random graphs whose constants may be Infinity, -Infinity, NaN, 0 or -0. Uses only operations whose
 * order of evaluation does not matter for such values: factoring out of a sum is exact only
 * for finite factors, and x + 0 loses the sign of a zero.
 */
import fc from "fast-check";
import type { Node } from "../../src/core/program/node.ts";
import * as ops from "../../src/core/program/operations/index.ts";

const specials = [Infinity, -Infinity, NaN, 0, -0, 1, -1, 2, 0.5];
const shapes = [[], [3], [2, 3]] as const;
const inputs = { x: Float64Array.of(-1.5), y: Float64Array.of(0.5, 0, 2), z: Float64Array.of(1, -2, 0, 3, 0.25, -1) };

type Pick = (choices: number) => number;
type Build = (pick: Pick, one: () => Node, constant: () => Node) => Node;

const select: Build = (_, one, constant) => {
  const [a, b] = [one(), constant()];
  const condition = ops.greater(a, b);
  return ops.select(condition, a, ops.broadcast(b, condition.shape));
};

const builds: Readonly<Record<string, Build>> = {
  constant: (pick, _, constant) => ops.broadcast(constant(), shapes[pick(3)]!),
  maximum: (_, one, constant) => ops.maximum(one(), constant()),
  minimum: (_, one, constant) => ops.minimum(constant(), one()),
  maximumOfTwo: (_, one) => ops.maximum(one(), one()),
  greater: (_, one, constant) => ops.cast(ops.greater(one(), constant()), "float"),
  equal: (_, one, constant) => ops.cast(ops.equal(constant(), one()), "float"),
  select,
  add: (_, one, constant) => ops.add(one(), constant()),
  sub: (_, one, constant) => ops.sub(constant(), one()),
  mul: (_, one, constant) => ops.mul(constant(), one()),
  mulOfTwo: (_, one) => ops.mul(one(), one()),
  div: (_, one, constant) => ops.div(one(), constant()),
  neg: (_, one) => ops.neg(one()),
  tanh: (_, one) => ops.tanh(one()),
  sigmoid: (_, one) => ops.sigmoid(one()),
  relu: (_, one) => ops.relu(one()),
  exp: (_, one) => ops.exp(ops.minimum(one(), ops.constant(3))),
  square: (_, one) => ops.pow(one(), ops.constant(2)),
  reshape: (_, one) => {
    const x = one();
    return ops.reshape(x, [1, ...x.shape]);
  },
  concat: (_, one, constant) => {
    const x = one();
    return x.shape.length === 0 ? ops.maximum(constant(), x) : ops.concat([x, ops.broadcast(constant(), x.shape)], 0);
  },
  slice: (_, one) => {
    const x = one();
    return x.shape.length === 0 ? x : ops.slice(x, 0, 0, 1);
  },
};

export const specialRecipes = fc.array(fc.record({ build: fc.constantFrom(...Object.keys(builds)), picks: fc.array(fc.nat(29), { minLength: 4, maxLength: 4 }) }), { minLength: 1, maxLength: 12, size: "max" });

type Recipe = typeof specialRecipes extends fc.Arbitrary<infer T> ? T : never;

export function specialRoots(recipe: Recipe): { readonly roots: readonly Node[]; readonly values: Readonly<Record<string, Float64Array>> } {
  const nodes: Node[] = [ops.input("x", []), ops.input("y", [3]), ops.input("z", [2, 3])];
  for (const { build, picks } of recipe) {
    const left = [...picks];
    const pick: Pick = (choices) => (left.shift() ?? 0) % choices;
    try {
      nodes.push(builds[build]!(pick, () => nodes[nodes.length - 1 - pick(nodes.length)]!, () => ops.constant(specials[pick(specials.length)]!)));
    } catch (error) {
      // The shapes do not fit: omit this operation.
      if (!/broadcast/.test(String(error))) throw error;
    }
  }
  return { roots: nodes.slice(3), values: inputs };
}
