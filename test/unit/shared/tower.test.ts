import { optimizerNames } from "../../../src/shared/optimizers.ts";
import { describe, expect, it } from "vitest";
import { robustTower } from "../../../src/shared/robust.ts";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { hyperparameterColumns, learnedHyperparameters, level, levelLabel, notation, tower, towerHints, type Level, type LevelInput } from "../../../src/shared/tower.ts";

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
      errors: [{ path: "tower.0.learned.0", message: "Adam cannot learn gamma; allowed: alpha, beta1, beta2, logEps, weightDecay, sInit, sDecay, sLogEps" }],
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
    // Nothing moves a top level's hyperparameters, whatever the list says.
    expect(named({ optimizer: "adam", learned: [] })).toBe("Adam");
    expect(named({ optimizer: "adam" }, { optimizer: "sgd", alpha: 0.02, learned: [] })).toBe("Adam / SGD(0.02)");
    expect(named({ optimizer: "adam" }, { optimizer: "sgd", learned: [], groups: [{ name: "beta1", match: ["beta1"], optimizer: "adam", learned: [] }] })).toBe("Adam / SGD{beta1: Adam}");
    expect(named(...robustTower({ optimizer: "adam" }))).toBe("Adam^α(log α) / SGD(0.02, μ 0.9, normalized)");
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

describe("groups of a level", () => {
  const errors = (...levels: unknown[]) => {
    const result = validateExperiment({ tower: levels });
    return result.ok ? [] : result.errors.map(({ path, message }) => `${path}: ${message}`);
  };
  const bias = { name: "bias", match: "*.bias" };

  it("take over what they leave out from their level, where the optimizer is the same", () => {
    const of = level.parse({ optimizer: "sgd", alpha: 0.5, mu: 0.9, clipNorm: 1, learned: ["mu"], groups: [{ ...bias, alpha: 0.1 }, { name: "last", match: ["a", "b"], optimizer: "adamBaydin" }] });
    expect(of.groups).toEqual([
      { ...ofGroup(level.parse({ optimizer: "sgd", alpha: 0.1, mu: 0.9, learned: ["mu"] })), name: "bias", match: ["*.bias"] },
      { ...ofGroup(level.parse({ optimizer: "adamBaydin" })), name: "last", match: ["a", "b"] },
    ]);
    // What a store or a file holds is spelled out, and stays as it is.
    expect(level.parse(of)).toEqual(of);
  });

  it("have the library's SGDPerParam and a list of what to freeze as spellings", () => {
    const alphas = { "layer1.weight": 0.1, "layer1.bias": 0.05 };
    const of = level.parse({ optimizer: "sgdPerParam", alphas });
    expect(of.frozen).toBe(true);
    expect(of.groups.map(({ name, match, alpha, learned, frozen }) => ({ name, match, alpha, learned, frozen }))).toEqual([
      { name: "layer1.weight", match: ["layer1.weight"], alpha: 0.1, learned: ["alpha"], frozen: false },
      { name: "layer1.bias", match: ["layer1.bias"], alpha: 0.05, learned: ["alpha"], frozen: false },
    ]);
    expect(level.parse({ optimizer: "sgdPerParam", alphas: [["layer1.weight", 0.1], ["layer1.bias", 0.05]] })).toEqual(of);
    const frozen = level.parse({ optimizer: "adam", freeze: "layer1.*", groups: [bias] });
    expect(frozen.groups.map(({ name, match, frozen }) => ({ name, match, frozen }))).toEqual([
      { name: "frozen", match: ["layer1.*"], frozen: true },
      { name: "bias", match: ["*.bias"], frozen: false },
    ]);
  });

  it("show in the stack's name", () => {
    const groups = [{ ...bias, optimizer: "sgd" as const, alpha: 0.1 }, { name: "first", match: "layer1.*", frozen: true }];
    expect(named({ optimizer: "adam", groups }, { optimizer: "sgd" })).toBe("Adam{bias: SGD(0.1), first: frozen} / SGD");
    expect(named({ optimizer: "adam", frozen: true, groups: [{ ...bias, alpha: 0.1 }] })).toBe("frozen{bias: Adam(0.1)}");
    expect(named({ optimizer: "sgdPerParam", alphas: { w: 0.1, b: 0.05 } }, { optimizer: "sgd" })).toBe("SGDPerParam(w 0.1, b 0.05) / SGD");
    expect(levelLabel(level.parse({ optimizer: "adam", groups }))).toBe("Adam + 2 groups");
  });

  it("have names for their hyperparameters", () => {
    const levels = tower.parse([
      { optimizer: "adam", learned: ["alpha"], groups: [{ ...bias, optimizer: "sgd", alpha: 0.1 }] },
      { optimizer: "sgd", freeze: "alpha", groups: [{ name: "bias", match: "*[bias]" }] },
    ]);
    expect(hyperparameterColumns(levels).map(({ metric, initial }) => [metric, initial])).toEqual([
      ["L0.alpha", 0.001],
      ["L0.alpha[bias]", 0.1],
      ["L1.alpha", 0.01],
      ["L1.alpha[bias]", 0.01],
    ]);
  });

  it("are refused by name where they hold nothing or cannot be", () => {
    const known = "they are layer1.weight, layer1.bias, layer2.weight, layer2.bias";
    expect(errors({ optimizer: "sgd", groups: [{ name: "emb", match: ["*.bias", "embedding.*"] }] })).toEqual([
      `tower.0.groups.0.match: group emb: embedding.* matches none of the model's parameters; ${known}`,
    ]);
    expect(errors({ optimizer: "sgd", groups: [{ name: "all", match: "*" }, bias] })).toEqual([
      "tower.0.groups.1.match: group bias holds nothing: the groups before it have all that it matches",
    ]);
    expect(errors({ optimizer: "adam", groups: [bias] }, { optimizer: "sgd", groups: [{ name: "x", match: "mu*" }] })).toEqual([
      "tower.1.groups.0.match: group x: mu* matches none of what level 0 learns; they are alpha, beta1, beta2, alpha[bias], beta1[bias], beta2[bias]",
    ]);
    expect(errors({ optimizer: "sgd", groups: [bias, { ...bias, match: "*.weight" }] })).toEqual(["tower.0.groups.1.name: two groups are named bias"]);
    expect(errors({ optimizer: "sgd", groups: [{ match: "*.bias" }] })).toEqual(["tower.0.groups.0.name: a group needs a name"]);
    expect(errors({ optimizer: "sgd", groups: [{ name: "a b", match: "*.bias" }] })).toEqual([
      'tower.0.groups.0.name: a group is named "a b"; allowed: 1 to 100 letters, digits and _ . - [ ]',
    ]);
    expect(errors({ optimizer: "sgd", groups: [{ ...bias, match: [] }] })).toEqual(["tower.0.groups.0.match: match has no pattern"]);
    expect(errors({ optimizer: "sgd", groups: [{ ...bias, match: 7 }] })).toEqual(["tower.0.groups.0.match: match must be a pattern, such as *.bias, or a list of them"]);
    expect(errors({ optimizer: "sgd", groups: [{ ...bias, alpha: -1 }] })).toEqual(["tower.0.groups.0.alpha: SGD alpha is -1; allowed: 0 or more"]);
    expect(errors({ optimizer: "sgd", groups: [{ ...bias, clipNorm: 1 }] })).toEqual(["tower.0.groups.0.clipNorm: there is no field named clipNorm"]);
    expect(errors({ optimizer: "sgd", groups: [{ ...bias, warmUp: 3 }] })).toEqual([
      "tower.0.groups.0.warmUp: warmUp is for levels that move hyperparameters, not for the first one",
    ]);
    expect(errors({ optimizer: "sgd", groups: [{ ...bias, optimizer: "rprop" }] })).toEqual([
      `tower.0.groups.0.optimizer: optimizer must be one of: ${optimizerNames.join(", ")}, adamBaydin, rmsPropAlpha`,
    ]);
    expect(errors({ optimizer: "sgd", groups: "bias" })).toEqual(["tower.0.groups: groups must be a list of groups"]);
    expect(errors({ optimizer: "sgd", groups: [null] })).toHaveLength(1);
    expect(errors({ optimizer: "sgdPerParam" })).toEqual(['tower.0.alphas: SGDPerParam needs alphas: a step size for each name, such as { "layer1.weight": 0.1 }']);
    expect(errors({ optimizer: "sgdPerParam", alphas: { "layer1.weight": 0.1 }, groups: [bias] })).toEqual(["tower.0.groups: SGDPerParam has alphas in place of groups"]);
    expect(errors({ optimizer: "sgdPerParam", alphas: { "layer9.weight": 0.1 } })).toHaveLength(1);
    expect(errors({ optimizer: "adam", freeze: "layer9.*" })).toEqual([`tower.0.groups.0.match: group frozen: layer9.* matches none of the model's parameters; ${known}`]);
  });

  it("get a hint where nothing is left to move", () => {
    const hints = (...levels: LevelInput[]) => towerHints(tower.parse(levels), ["layer1.weight", "layer1.bias"]);
    expect(hints({ optimizer: "sgd", groups: [bias] }, { optimizer: "sgd" })).toEqual([]);
    expect(hints({ optimizer: "sgd", freeze: "*" })).toEqual(["Level 0 (SGD + 1 group) moves nothing: all that it could move is frozen."]);
    expect(hints({ optimizer: "sgd", frozen: true })).toEqual(["Level 0 (frozen) moves nothing: all that it could move is frozen."]);
    expect(hints({ optimizer: "sgd" }, { optimizer: "sgd", freeze: "alpha" })).toEqual(["Level 1 (SGD + 1 group) moves nothing: all that it could move is frozen."]);
    expect(hints({ optimizer: "sgd", groups: [{ name: "all", match: "layer1.*" }] })).toEqual([
      "Level 0 (SGD + 1 group): every one of the model's parameters is in a group, so its own settings move nothing.",
    ]);
  });
});

const ofGroup = (of: Level) => Object.fromEntries(Object.entries(of).filter(([field]) => !["clipNorm", "lookahead", "groups"].includes(field)));
