import { describe, expect, it } from "vitest";
import { fingerprint } from "../../../src/core/program/fingerprint.ts";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { topologicalOrder, type Node } from "../../../src/core/program/node.ts";
import * as ops from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import { simplify } from "../../../src/core/program/simplify.ts";
import { samples } from "../../support/operationSamples.ts";

const { constant, input, mul } = ops;
const only = (node: Node) => simplify([node])[0]!;
const count = (roots: readonly Node[], op: string) => topologicalOrder(roots).filter((node) => node.op === op).length;

describe("simplify", () => {
  it("folds scalar constants", () => {
    const node = only(ops.sqrt(ops.add(constant(7), mul(constant(3), constant(3)))));
    expect(node.op === "constant" && node.attributes.value).toBe(4);
  });

  it("folds the larger and the smaller of two constants on one side of 0", () => {
    const nodes = simplify([ops.maximum(constant(-3), constant(-5)), ops.minimum(constant(3), constant(5)), ops.minimum(constant(Infinity), constant(Infinity))]);
    expect(nodes.map((node) => node.op === "constant" && node.attributes.value)).toEqual([-3, 3, Infinity]);
  });

  it("keeps Infinity, -Infinity, NaN, 0 and -0 apart", () => {
    const values = [Infinity, -Infinity, NaN, 0, -0];
    const nodes = simplify(values.map(constant));
    expect(nodes.map((node) => node.op === "constant" && node.attributes.value)).toEqual(values);
    const [, larger] = simplify([constant(Infinity), ops.maximum(input("x", []), constant(-Infinity))]);
    const bound = larger!.inputs[1]!;
    expect(bound.op === "constant" && bound.attributes.value).toBe(-Infinity);
    const prints = values.map((value) => fingerprint(makeProgram({ run: { outputs: { y: constant(value) } } })));
    expect(new Set(prints).size).toBe(values.length);
  });

  it("merges equal nodes, whatever the order of a commutative operation's inputs", () => {
    const [x, y] = [input("x", [3]), input("y", [3])];
    const [a, b] = simplify([ops.add(x, y), ops.add(input("y", [3]), input("x", [3]))]);
    expect(a).toBe(b);
  });

  it("keeps states of one name and inputs of one name apart", () => {
    const [a, b] = simplify([input("x", [3]), ops.state("x", [3])]);
    expect(a).not.toBe(b);
  });

  it("pulls scalar factors out of chains of array work", () => {
    const [s, t] = [input("s", []), input("t", [])];
    const [x, y] = [input("x", [4]), input("y", [4])];
    const node = only(ops.div(mul(s, mul(x, ops.neg(y))), mul(t, y)));
    // One product and one quotient of arrays, then one factor.
    const arrays = topologicalOrder([node]).filter(({ shape, op }) => shape.length > 0 && op !== "input");
    expect(arrays.map(({ op }) => op)).toEqual(["mul", "div", "mul"]);
  });

  it("makes sums of products dot products", () => {
    const [x, y] = [input("x", [2, 3]), input("y", [2, 3])];
    const node = only(ops.reduceSum(mul(mul(constant(2), x), y)));
    expect(count([node], "dot")).toBe(1);
    expect(count([node], "reduceSum")).toBe(0);
  });

  it("joins padded parts, so that cutting a vector and joining its adjoints costs one concat", () => {
    const x = input("x", [6]);
    const zeros = (n: number) => ops.filled(0, [n]);
    const parts = [0, 2, 4].map((start) =>
      ops.concat([zeros(start), ops.slice(x, 0, start, start + 2), zeros(4 - start)].filter((p) => p.shape[0] !== 0), 0),
    );
    const node = only(ops.add(ops.add(parts[0]!, parts[1]!), parts[2]!));
    expect(node.op).toBe("concat");
    expect(count([node], "broadcast")).toBe(0);
  });

  it("takes a slice from the part of a concat that holds it", () => {
    const [x, y] = [input("x", [2, 3]), input("y", [2, 4])];
    const all = ops.concat([x, y], 1);
    expect(only(ops.slice(all, 1, 3, 7))).toBe(only(y));
    expect(only(ops.slice(all, 1, 4, 6))).toMatchObject({ op: "slice", inputs: [y], attributes: { axis: 1, start: 1, end: 3 } });
    expect(only(ops.slice(all, 1, 2, 4))).toMatchObject({ op: "slice", inputs: [{ op: "concat" }] });
    expect(only(ops.slice(all, 0, 0, 1))).toMatchObject({ op: "slice", inputs: [{ op: "concat" }] });
  });

  it("adds up what is broadcast first, and goes through the whole array once", () => {
    const [x, y] = [input("x", [2, 3, 4, 4]), input("y", [2, 3, 4, 4])];
    const [a, b, c] = [input("a", [1, 3, 1, 1]), input("b", [1, 3, 1, 1]), input("c", [1, 3, 1, 1])];
    const node = only(ops.sub(ops.add(ops.sub(ops.mul(x, a), b), ops.sub(y, c)), ops.broadcast(a, x.shape)));
    const whole = topologicalOrder([node]).filter(({ shape, op }) => shape.length === 4 && shape[3] === 4 && op !== "input");
    expect(whole.map(({ op }) => op).sort()).toEqual(["add", "mul", expect.stringMatching(/add|sub/) as string]);
  });

  it("leaves a bias with its product", () => {
    const [x, w, bias] = [input("x", [2, 3]), input("w", [3, 4]), input("bias", [4])];
    const node = only(ops.add(ops.add(ops.matmul(x, w), bias), input("y", [2, 4])));
    expect(node.inputs.map(({ op }) => op)).toEqual(["add", "input"]);
  });

  it("does not join parts that overlap", () => {
    const [x, y] = [input("x", [2]), input("y", [2])];
    const zero = ops.filled(0, [1]);
    const node = only(ops.add(ops.concat([x, zero], 0), ops.concat([zero, y], 0)));
    expect(node.op).toBe("add");
  });

  it("puts a variable factor of a matrix product on the smallest of the three, a constant one inside", () => {
    const s = input("s", []);
    const [a, b] = [input("a", [8, 8]), input("b", [8, 2])];
    const outside = only(ops.matmul(mul(s, a), b));
    expect(outside.op).toBe("mul");
    const inside = only(ops.matmul(mul(constant(0.5), a), b));
    expect(inside.op === "matmul" && inside.attributes.scale).toBe(0.5);
  });

  it("changes no value, for every sample of every operation", () => {
    for (const [op, list] of Object.entries(samples)) {
      for (const { what, inputs, result } of list) {
        const order = topologicalOrder([result]);
        if (order.some((node) => node.op === "state")) continue;
        const size = result.shape.reduce((product, n) => product * n, 1);
        const flat = ops.reshape(result, [size]);
        const outputs = Object.fromEntries(
          Array.from({ length: size }, (_, i) => [`${i}`, ops.reshape(ops.slice(flat, 0, i, i + 1), [])]),
        );
        const given = Object.fromEntries(inputs.map(({ node, values }) => [node.op === "input" ? node.attributes.name : "", values]));
        const plain = new ReferenceExecutable({
          state: [],
          procedures: {
            run: { inputs: order.flatMap((node) => (node.op === "input" ? [node] : [])), outputs, updates: {}, transient: false },
          },
        }).runNow("run", given);
        const simplified = new ReferenceExecutable(makeProgram({ run: { outputs } })).runNow("run", given);
        for (const key of Object.keys(plain)) {
          expect(Math.abs(simplified[key]! - plain[key]!), `${op}: ${what} [${key}]`).toBeLessThanOrEqual(1e-14 * (1 + Math.abs(plain[key]!)));
        }
      }
    }
  });
});
