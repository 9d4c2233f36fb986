import { describe, expect, it } from "vitest";
import { gradients } from "../../../src/core/program/gradients.ts";
import type { OpName } from "../../../src/core/program/node.ts";
import { add, exp, input, mul, operations, reduceSum, state, sub } from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { gradientError } from "../../support/finiteDifferences.ts";
import { samples, sampleState } from "../../support/operationSamples.ts";

/** Central differences with h = 1e-6 leave about 1e-10 of rounding and h^2 of truncation. */
const tolerance = 1e-7;

describe("every operation's gradient rule agrees with finite differences in float64", () => {
  for (const op of Object.keys(operations) as OpName[]) {
    it(`${op} has samples`, () => {
      expect(samples[op]?.length).toBeGreaterThan(0);
    });
    for (const { what, ...check } of samples[op]) {
      it(`${op}: ${what}`, () => {
        expect(gradientError({ ...check, state: sampleState })).toBeLessThan(tolerance);
      });
    }
  }

  it("would notice a wrong rule", () => {
    const x = input("x0", [3]);
    // exp with its value held constant: right value, wrong (half) gradient.
    const values = Float64Array.of(0.1, 0.2, 0.3);
    const broken = mul(operations.stopGradient.rebuild([exp(x)], {}), x);
    expect(gradientError({ inputs: [{ node: x, values }], result: broken })).toBeGreaterThan(0.1);
  });
});

describe("gradients()", () => {
  const run = (outputs: Parameters<typeof makeProgram>[0][string]["outputs"], given: Record<string, Float64Array>) =>
    new ReferenceExecutable(makeProgram({ run: { outputs } })).runNow("run", given);

  it("differentiates with respect to inner nodes: everything below them counts, nothing above", () => {
    const a = input("a", []);
    const inner = mul(a, a);
    const loss = add(mul(inner, inner), inner);
    const [toInner] = gradients(loss, [inner]);
    expect(run({ g: toInner! }, { a: Float64Array.of(3) })).toEqual({ g: 2 * 9 + 1 });
  });

  it("sums over several uses and passes through a target to targets above it", () => {
    const a = input("a", []);
    const inner = mul(a, a);
    const loss = sub(mul(inner, a), inner);
    const [toA, toInner] = gradients(loss, [a, inner]);
    expect(run({ a: toA!, inner: toInner! }, { a: Float64Array.of(2) })).toEqual({ a: 3 * 4 - 2 * 2, inner: 2 - 1 });
  });

  it("is zero, in shape, where the loss does not depend", () => {
    const x = input("x", [2, 2]);
    const [toState] = gradients(reduceSum(x), [state("s", [3])]);
    expect(toState!.shape).toEqual([3]);
    expect(run({ g: reduceSum(toState!) }, {})).toEqual({ g: 0 });
  });

  it("refuses a loss that is not a scalar", () => {
    expect(() => gradients(input("x", [2]), [])).toThrow("the loss must be a scalar");
  });
});
