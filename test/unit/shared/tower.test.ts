import { describe, expect, it } from "vitest";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { learnedHyperparameters, level, notation, tower, towerHints, type LevelInput } from "../../../src/shared/tower.ts";

const named = (...levels: LevelInput[]) => notation(tower.parse(levels));
const learns = (of: LevelInput) => learnedHyperparameters(level.parse(of)).map(({ name }) => name);

describe("what a level learns", () => {
  it("is everything learnable unless chosen, momentum only where it is in use", () => {
    expect(learns({ optimizer: "adam" })).toEqual(["alpha", "beta1", "beta2"]);
    expect(learns({ optimizer: "rmsProp" })).toEqual(["alpha", "gamma"]);
    expect(learns({ optimizer: "sgd" })).toEqual(["alpha"]);
    expect(learns({ optimizer: "sgd", mu: 0.9 })).toEqual(["alpha", "mu"]);
    expect(learns({ optimizer: "adam", learned: ["beta2"] })).toEqual(["beta2"]);
    expect(learns({ optimizer: "adam", learned: [] })).toEqual([]);
  });

  it("has the library's alpha-only optimizers as spellings", () => {
    expect(level.parse({ optimizer: "adamBaydin", alpha: 0.01 })).toEqual(level.parse({ optimizer: "adam", alpha: 0.01, learned: ["alpha"] }));
    expect(level.parse({ optimizer: "rmsPropAlpha" })).toEqual(level.parse({ optimizer: "rmsProp", learned: ["alpha"] }));
  });

  it("is refused by name where the optimizer has no such hyperparameter", () => {
    const result = validateExperiment({ tower: [{ optimizer: "adam", learned: ["gamma"] }] });
    expect(result).toEqual({
      ok: false,
      errors: [{ path: "tower.0.learned.0", message: "Adam cannot learn gamma; allowed: alpha, beta1, beta2, logEps, weightDecay" }],
    });
  });
});

describe("a stack's name", () => {
  it("shows what differs from the defaults", () => {
    expect(named({ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 })).toBe("Adam / SGD(1e-5)");
    expect(named({ optimizer: "sgd", mu: 0.9 }, { optimizer: "sgd" })).toBe("SGD(μ 0.9) / SGD");
    expect(named({ optimizer: "sgd" }, { optimizer: "sgd" }, { optimizer: "sgd" })).toBe("SGD ×3");
  });

  it("shows what is learned where that is not everything", () => {
    expect(named({ optimizer: "adamBaydin" }, { optimizer: "adam" })).toBe("Adam^α / Adam");
    expect(named({ optimizer: "adam", learned: ["alpha", "beta1"] })).toBe("Adam^{α,β₁}");
    expect(named({ optimizer: "sgd", learned: ["alpha"] })).toBe("SGD");
    expect(named({ optimizer: "rmsProp", learned: [] }, { optimizer: "sgd" })).toBe("RMSProp^{} / SGD");
  });
});

it("hints at a tower whose levels have nothing to move", () => {
  const hints = (...levels: LevelInput[]) => towerHints(tower.parse(levels));
  expect(hints({ optimizer: "adam" })).toEqual([]);
  expect(hints({ optimizer: "adam" }, { optimizer: "sgd" })).toEqual([]);
  expect(hints({ optimizer: "adam", learned: [] }, { optimizer: "sgd" })).toEqual([
    "Level 0 (Adam^{}) learns nothing, so what stands above it has nothing to move.",
  ]);
});

describe("a level's options", () => {
  const errors = (...levels: unknown[]) => {
    const result = validateExperiment({ tower: levels });
    return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
  };

  it("are as published where nothing is chosen, and show in the name where something is", () => {
    expect(named({ optimizer: "sgd", mu: 0.9, nesterov: true }, { optimizer: "sgd", alphaAs: "log", clipValue: 1, every: 10 })).toBe(
      "SGD(μ 0.9, Nesterov) / SGD(log α, clip 1, every 10)",
    );
    expect(named({ optimizer: "rmsProp", alphaAs: "squared" })).toBe("RMSProp");
    expect(named({ optimizer: "adam", weightDecay: 0.01, amsgrad: true })).toBe("Adam(λ 0.01, AMSGrad)");
  });

  it("are refused by name where they make no sense", () => {
    expect(errors({ optimizer: "sgd", alpha: 0, alphaAs: "log" })).toEqual(["tower.0.alpha: SGD alpha is 0; in log space it must be greater than 0"]);
    expect(errors({ optimizer: "sgd", nesterov: true })).toEqual(["tower.0.nesterov: SGD nesterov needs momentum: mu is 0"]);
    expect(errors({ optimizer: "sgd", warmUp: 5 })).toEqual(["tower.0.warmUp: warmUp is for levels that move hyperparameters, not for the first one"]);
    expect(errors({ optimizer: "rmsProp", amsgrad: true })).toEqual(["tower.0.amsgrad: there is no field named amsgrad"]);
    expect(errors({ optimizer: "sgd", clipNorm: 0 })).toEqual(["tower.0.clipNorm: SGD clipNorm is 0; allowed: greater than 0, or null for off"]);
    expect(errors({ optimizer: "sgd" }, { optimizer: "sgd", every: 1.5 })).toEqual(["tower.1.every: SGD every is 1.5; allowed: a whole number, 1 or more"]);
  });
});
