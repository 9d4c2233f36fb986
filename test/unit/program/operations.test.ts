/** Builders: array constants, refused shapes, and the accuracy of functions that JavaScript lacks. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { erf } from "../../../src/core/program/erf.ts";
import { fingerprint } from "../../../src/core/program/fingerprint.ts";
import { gradients } from "../../../src/core/program/gradients.ts";
import type { Node } from "../../../src/core/program/node.ts";
import * as ops from "../../../src/core/program/operations/index.ts";
import { makeProgram, nodesOf } from "../../../src/core/program/program.ts";
import { pseudoRandom } from "../../support/finiteDifferences.ts";

function valueOf(result: Node, inputs: Readonly<Record<string, Float64Array>> = {}): number[] {
  const executable = new ReferenceExecutable(makeProgram({ run: { outputs: {}, updates: { result } } }));
  executable.runNow("run", inputs);
  return [...executable.stateNow()["result"]!];
}

describe("array constants", () => {
  const entries = pseudoRandom(24, 1);
  const print = (array: Node) => fingerprint(makeProgram({ run: { outputs: {}, updates: { result: ops.add(array, ops.state("x", array.shape)) } } }));

  it("keep their own copy of the entries", () => {
    const mine = Float64Array.of(1, 2);
    const constant = ops.constantArray(mine, [2]);
    mine[0] = 7;
    expect(valueOf(constant)).toEqual([1, 2]);
  });

  it("are told apart by every bit of any entry, by shape and by type, and equal ones are merged", () => {
    expect(print(ops.constantArray(entries, [4, 6]))).toBe(print(ops.constantArray(entries.slice(), [4, 6])));
    for (let i = 0; i < entries.length; i++) {
      const other = entries.slice();
      other[i]! += 2 ** -50;
      expect(print(ops.constantArray(other, [4, 6])), `entry ${i}`).not.toBe(print(ops.constantArray(entries, [4, 6])));
    }
    expect(print(ops.constantArray(Float64Array.of(0, 1), [2]))).not.toBe(print(ops.constantArray(Float64Array.of(-0, 1), [2])));
    const [once, again, turned] = [ops.constantArray(entries, [4, 6]), ops.constantArray(entries, [4, 6]), ops.constantArray(entries, [6, 4])];
    const sum = ops.add(ops.add(once, again), ops.transpose(turned));
    const program = makeProgram({ run: { outputs: {}, updates: { result: sum } } });
    expect(nodesOf(program.procedures["run"]!).filter(({ op }) => op === "constantArray")).toHaveLength(2);
  });

  it("of equal entries are a broadcast scalar, of every type", () => {
    expect(ops.constantArray(new Float64Array(6).fill(2), [2, 3]).op).toBe("broadcast");
    expect(valueOf(ops.cast(ops.constantArray(new Int32Array(2).fill(3), [2]), "float"))).toEqual([3, 3]);
    expect(valueOf(ops.select(ops.constantArray(Float64Array.of(1, 1), [2], "bool"), ops.constant(5), ops.constant(6)))).toEqual([5, 5]);
    expect(valueOf(ops.constantArray(Float64Array.of(4), []))).toEqual([4]);
  });

  it.each<[string, () => Node, string]>([
    ["too few entries", () => ops.constantArray(Float64Array.of(1, 2), [3]), "constantArray[3]: 2 values for 3 entries"],
    ["a fraction as int32", () => ops.constantArray(Float64Array.of(1, 2.5), [2], "int32"), "entry 1 is 2.5; allowed: whole numbers of 32 bits"],
    ["2 as a bool", () => ops.constantArray(Float64Array.of(2, 1), [2], "bool"), "entry 0 is 2; allowed: 0 and 1"],
  ])("refuse %s", (_, build, message) => {
    expect(build).toThrow(message);
  });
});

describe("shapes that do not fit are refused by name", () => {
  const x = ops.input("x", [2, 3]);
  it.each<[string, () => Node, string]>([
    ["inner sizes", () => ops.matmul(ops.input("a", [4, 2, 3]), x), "inner sizes differ"],
    ["leading axes", () => ops.matmul(ops.input("a", [4, 2, 3]), ops.input("b", [2, 3, 1])), "the axes before the last two do not broadcast"],
    ["one axis", () => ops.matmul(ops.input("a", [3]), x), "needs at least two axes on both sides"],
    ["an axis of softmax", () => ops.softmax(x, 2), "softmax(input[2, 3]): has no axis 2"],
    ["a negative axis", () => ops.logSoftmax(x, -3), "has no axis -3"],
    ["a scalar", () => ops.softmax(ops.constant(1)), "has no axis -1"],
    ["numbers as conditions", () => ops.and(x, x), "needs bool inputs"],
    ["conditions as numbers", () => ops.erf(ops.greater(x, x)), "needs float inputs"],
    ["choices", () => ops.select(ops.greater(x, x), ops.input("a", [2]), x), "shapes do not broadcast"],
  ])("%s", (_, build, message) => {
    expect(build).toThrow(message);
  });
});

it("erf is accurate to float64", () => {
  // Python's math.erf.
  const values = [[0, 0], [1e-8, 1.1283791670955126e-8], [0.1, 0.1124629160182849], [0.5, 0.5204998778130465], [1, 0.8427007929497149], [2.5, 0.999593047982555], [4, 0.9999999845827421], [7, 1]];
  for (const [x, expected] of values as [number, number][]) {
    expect(Math.abs(erf(x) - expected)).toBeLessThanOrEqual(1e-15 * expected);
    expect(erf(-x)).toBe(-erf(x));
  }
  expect(erf(NaN)).toBeNaN();
  expect(erf(-Infinity)).toBe(-1);
});

it("a masked softmax gives exact zeros, and no gradient to what is masked", () => {
  const x = ops.input("x", [3]);
  const mask = ops.constantArray(Float64Array.of(1, 0, 1), [3], "bool");
  const weights = ops.softmax(ops.select(mask, x, ops.constant(-Infinity)));
  const values = { x: Float64Array.of(1, 50, 2) };
  const [toX] = gradients(ops.dot(weights, ops.constantArray(Float64Array.of(1, 2, 3), [3])), [x]);
  expect(valueOf(weights, values)[1]).toBe(0);
  const adjoint = valueOf(toX!, values);
  expect(adjoint[1]).toBe(0);
  expect(adjoint[0]).toBeCloseTo(-2 * 0.2689414213699951 * 0.7310585786300049, 12);
});
