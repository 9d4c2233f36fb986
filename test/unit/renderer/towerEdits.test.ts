import { describe, expect, it } from "vitest";
import {
  addGroup,
  addLevel,
  changeLevel,
  duplicateLevel,
  fromTower,
  learnedNames,
  learnedSymbols,
  moveLevel,
  newLevel,
  onePerName,
  patternsFor,
  removeLevel,
  setLevelCount,
  toTower,
  withGroups,
  withLearned,
  withOptimizer,
  withOption,
  withValue,
  type DraftLevel,
} from "@/lib/towerEdits.ts";
import { maxLevels, tower } from "@shared/tower.ts";

const names = (levels: readonly DraftLevel[]) => levels.map(({ optimizer }) => optimizer);
const three = () => [newLevel("adam"), newLevel("sgd", { alpha: 1e-5 }), newLevel("rmsProp")];

describe("a tower while it is composed", () => {
  it("comes back from a stored tower and goes into one unchanged", () => {
    const stored = tower.parse([{ optimizer: "adam", beta1: 0.8 }, { optimizer: "sgd", alpha: 1e-5, mu: 0.5 }]);
    expect(tower.parse(toTower(fromTower(stored)))).toEqual(stored);
  });

  it("adds on top with the optimizer's defaults", () => {
    const levels = addLevel(three(), "sgd");
    expect(names(levels)).toEqual(["adam", "sgd", "rmsProp", "sgd"]);
    expect(levels[3]?.values).toMatchObject({ alpha: 0.01, mu: 0 });
  });

  it("never loses its last level, nor grows past the limit", () => {
    expect(removeLevel([newLevel("sgd")], 0)).toHaveLength(1);
    const full = setLevelCount([newLevel("sgd")], maxLevels + 10);
    expect(full).toHaveLength(maxLevels);
    expect(addLevel(full, "sgd")).toHaveLength(maxLevels);
    expect(duplicateLevel(full, 3)).toHaveLength(maxLevels);
  });

  it("puts a copy right above, with an identity of its own", () => {
    const levels = duplicateLevel(three(), 1);
    expect(names(levels)).toEqual(["adam", "sgd", "sgd", "rmsProp"]);
    expect(levels[2]?.values).toEqual(levels[1]?.values);
    expect(new Set(levels.map(({ id }) => id)).size).toBe(4);
  });

  it("moves levels, keeping their identity, and stays within its ends", () => {
    const levels = three();
    expect(moveLevel(levels, 0, 2).map(({ id }) => id)).toEqual([levels[1]?.id, levels[2]?.id, levels[0]?.id]);
    expect(moveLevel(levels, 2, 3)).toEqual(levels);
    expect(moveLevel(levels, 0, -1)).toEqual(levels);
  });

  it("keeps what was set when the optimizer changes, and takes the new defaults elsewhere", () => {
    const set = changeLevel(three(), 0, (of) => withValue(of, "alpha", 0.7));
    const changed = changeLevel(set, 0, (of) => withOptimizer(of, "rmsProp"))[0];
    expect(changed?.values).toMatchObject({ alpha: 0.7, gamma: 0.99 });
    expect(changed?.values).not.toHaveProperty("beta1");
    expect(changed?.learned).toEqual(["alpha", "gamma"]);
    expect(changed?.id).toBe(set[0]?.id);
    expect(changeLevel(three(), 0, (of) => withOptimizer(of, "sgd"))[0]?.values).toMatchObject({ alpha: 0.01, mu: 0 });
    expect(changeLevel(three(), 1, (of) => withOptimizer(of, "adam"))[1]?.values["alpha"]).toBe(1e-5);
  });

  it("grows with copies of its top and shrinks from the top", () => {
    const grown = setLevelCount(three(), 5);
    expect(names(grown)).toEqual(["adam", "sgd", "rmsProp", "rmsProp", "rmsProp"]);
    expect(new Set(grown.map(({ id }) => id)).size).toBe(5);
    expect(names(setLevelCount(three(), 1))).toEqual(["adam"]);
    expect(setLevelCount(three(), 0)).toHaveLength(1);
  });

  it("chooses what is learned, in the optimizer's order", () => {
    const held = changeLevel(three(), 0, (of) => withLearned(of, "beta1", false));
    expect(held[0]?.learned).toEqual(["alpha", "beta2"]);
    expect(changeLevel(held, 0, (of) => withLearned(of, "beta1", true))[0]?.learned).toEqual(["alpha", "beta1", "beta2"]);
    expect(tower.parse(toTower(held))[0]?.learned).toEqual(["alpha", "beta2"]);
    expect(duplicateLevel(held, 0)[1]?.learned).toEqual(["alpha", "beta2"]);
  });

  it("sets options; empty text is one that is off", () => {
    const set = changeLevel(three(), 1, (of) => withOption(withOption(of, "clipValue", 0.5), "every", 10));
    expect(tower.parse(toTower(set))[1]).toMatchObject({ clipValue: 0.5, every: 10, clipNorm: null });
    expect(tower.parse(toTower(changeLevel(set, 1, (of) => withOption(of, "clipValue", ""))))[1]).toMatchObject({ clipValue: null, every: 10 });
    expect(duplicateLevel(set, 1)[2]?.options).toEqual(set[1]?.options);
  });

  it("keeps groups, which come back from a stored tower and go into one unchanged", () => {
    const bias = { name: "bias", match: "*.bias", optimizer: "sgd", alpha: 0.1, mu: 0.5 } as const;
    const stored = tower.parse([
      { optimizer: "adam", clipNorm: 1, groups: [bias, { name: "first", match: ["layer1.*", "layer2.*"], frozen: true }] },
      { optimizer: "sgdPerParam", alphas: { alpha: 0.1, "mu[bias]": 0.2 } },
    ]);
    const levels = fromTower(stored);
    expect(tower.parse(toTower(levels))).toEqual(stored);
    expect(tower.parse(toTower(duplicateLevel(levels, 1)).slice(0, 2))).toEqual(stored);
    expect(learnedNames(levels[0]!)).toEqual(["alpha", "beta1", "beta2", "alpha[bias]", "mu[bias]"]);
    expect(learnedSymbols(levels[1]!)).toEqual(["α[alpha]", "α[mu[bias]]"]);
  });

  it("adds SGDPerParam with a step size for each of what it moves", () => {
    const [, added] = addLevel([newLevel("adam")], "sgdPerParam");
    expect(added).toMatchObject({ optimizer: "sgd", frozen: true });
    expect(added?.groups.map(({ name, match, learned }) => ({ name, match, learned }))).toEqual(
      ["alpha", "beta1", "beta2"].map((name) => ({ name, match: [name], learned: ["alpha"] })),
    );
  });

  it("adds groups with the level's settings under a free name, and one for each parameter", () => {
    const [level] = [newLevel("adam", { alpha: 0.5 })];
    const two = addGroup(addGroup(level!));
    expect(two.groups.map(({ name, match, values }) => [name, match, values["alpha"]])).toEqual([["group1", [], 0.5], ["group2", [], 0.5]]);
    expect(addGroup(withGroups(two, two.groups.slice(1))).groups.map(({ name }) => name)).toEqual(["group2", "group3"]);
    expect(tower.parse(toTower([onePerName(level!, ["w", "b"])]))[0]).toMatchObject({ frozen: true, groups: [{ name: "w", match: ["w"], alpha: 0.5 }, { name: "b" }] });
  });

  it("offers patterns that match several names before the names themselves", () => {
    expect(patternsFor(["layer1.weight", "layer1.bias", "layer2.bias"])).toEqual([
      "*.weight", "layer1.*", "*.bias", "layer2.*", "layer1.weight", "layer1.bias", "layer2.bias",
    ]);
    expect(patternsFor(["alpha", "alpha[bias]"])).toEqual(["alpha[*", "*[bias]", "alpha", "alpha[bias]"]);
  });

  it("changes nothing in place", () => {
    const levels = three();
    const before = structuredClone(levels);
    changeLevel(levels, 0, (of) => withValue(of, "alpha", 5));
    removeLevel(levels, 1);
    moveLevel(levels, 0, 1);
    changeLevel(levels, 0, (of) => withOptimizer(of, "sgd"));
    expect(levels).toEqual(before);
  });
});

it("names what a level above would learn", () => {
  expect(learnedSymbols(newLevel("adam"))).toEqual(["α", "β₁", "β₂"]);
  expect(learnedSymbols(newLevel("adamBaydin"))).toEqual(["α"]);
  expect(learnedSymbols(newLevel("sgd"))).toEqual(["α"]);
  expect(learnedSymbols(newLevel("sgd", { mu: 0.9 }))).toEqual(["α", "μ"]);
});
