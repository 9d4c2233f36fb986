/** Optimizers by constructors: what nests, what is filled in, and what is refused by name. */
import { describe, expect, it } from "vitest";
import { adaGrad, adam, adamBaydin, OptimizerError, rmsProp, rmsPropAlpha, sgd, sgdPerParam, stack, type Optimizer } from "../../../src/library/index.ts";
import { experiment } from "../../../src/shared/experiment.ts";

function refusal(make: () => unknown): OptimizerError {
  try {
    make();
  } catch (error) {
    if (error instanceof OptimizerError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("constructors", () => {
  it("nest into the levels an experiment has", () => {
    const made = adam({ optimizer: sgd(1e-5) });
    expect(made.levels).toEqual(experiment.parse({}).tower);
    expect(String(made)).toBe("Adam / SGD(1e-5)");
  });

  it("take the step size alone, or hyperparameters by name", () => {
    expect(sgd(0.5).levels).toEqual(sgd({ alpha: 0.5 }).levels);
    expect(sgd().levels[0]).toMatchObject({ optimizer: "sgd", alpha: 0.01, mu: 0 });
    expect(rmsProp({ gamma: 0.9 }).levels[0]).toMatchObject({ optimizer: "rmsProp", alpha: 0.01, gamma: 0.9 });
  });

  it.each([
    [sgd(), "SGD"],
    [adam(), "Adam"],
    [adamBaydin(), "Adam^α"],
    [adaGrad(), "AdaGrad"],
    [rmsProp(), "RMSProp"],
    [rmsPropAlpha(), "RMSProp^α"],
    [sgdPerParam({ alphas: { w: 0.1, b: 0.05 }, optimizer: sgd(0.02) }), "SGDPerParam(w 0.1, b 0.05) / SGD(0.02)"],
    [adam({ freeze: "embedding.*", groups: [{ name: "bias", match: "*.bias", optimizer: "sgd", mu: 0.9 }] }), "Adam{frozen: frozen, bias: SGD(μ 0.9)}"],
    [adam({ learned: ["alpha", "beta1"], optimizer: adaGrad({ optimizer: sgd() }) }), "Adam^{α,β₁} / AdaGrad / SGD"],
  ])("%s", (made, notation) => {
    expect(String(made)).toBe(notation);
  });

  it("leave an optimizer as it was, to be used again", () => {
    const above = sgd(1e-5);
    expect(adam({ optimizer: above }).levels).toHaveLength(2);
    expect(rmsProp({ optimizer: above }).levels).toHaveLength(2);
    expect(above.levels).toHaveLength(1);
    expect(() => Object.assign(above, { levels: [] })).toThrow(TypeError);
  });

  it("hint at a tower that cannot learn anything", () => {
    expect(adam({ optimizer: sgd() }).hints).toEqual([]);
    expect(adam({ learned: [], optimizer: sgd() }).hints).toHaveLength(1);
  });

  it("stack() reads the levels of an experiment file", () => {
    expect(stack([{ optimizer: "adamBaydin" }, { optimizer: "sgd", alpha: 1e-5 }]).levels).toEqual(adamBaydin({ optimizer: sgd(1e-5) }).levels);
  });
});

describe("refusals", () => {
  it.each([
    [() => adam({ beta1: 1 }), "adam: beta1: Adam beta1 is 1; allowed: strictly between 0 and 1"],
    [() => sgd(-1), "sgd: alpha: SGD alpha is -1; allowed: 0 or more"],
    [() => sgd(NaN), "sgd: alpha:"],
    [() => adam({ learned: ["mu"] }), "Adam cannot learn mu; allowed: alpha, beta1, beta2"],
    [() => stack([]), "stack: tower has no levels"],
    [() => sgdPerParam({ alphas: {} }), "sgdPerParam: alphas: SGDPerParam needs alphas"],
    [() => sgdPerParam({ alphas: { w: -1 } }), "sgdPerParam: groups.0.alpha: SGD alpha is -1; allowed: 0 or more"],
    [() => adam({ groups: [{ name: "a", match: "*" }, { name: "a", match: "*" }] }), "adam: groups.1.name: two groups are named a"],
    [() => stack([{ optimizer: "adam" }, { optimizer: "sgd", freeze: "mu" }]), "stack: 1.groups.0.match: group frozen: mu matches none of what level 0 learns; they are alpha, beta1, beta2"],
  ])("%s", (make, message) => {
    expect(refusal(make).message).toContain(message);
  });

  it("name every mistake at once, by field", () => {
    const wrong = { beta1: 2, momentum: 0.9 };
    expect(refusal(() => adam(wrong)).fields.map(({ path }) => path).sort()).toEqual(["beta1", "momentum"]);
  });

  it("tell an optimizer from something else", () => {
    const notOne = { levels: [] } as unknown as Optimizer;
    expect(refusal(() => adam({ optimizer: notOne })).message).toBe("adam: optimizer: must be an optimizer, such as sgd(1e-5)");
  });

});
