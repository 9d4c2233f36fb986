import { describe, expect, it } from "vitest";
import { validateExperiment } from "../../../src/shared/experiment.ts";
import { assign, parseAssignment } from "../../../src/main/headless/setValue.ts";

const defaults = () => {
  const result = validateExperiment({});
  if (!result.ok) throw new Error("the default experiment is invalid");
  return result.experiment;
};

const set = (target: unknown, ...texts: string[]) => texts.map(parseAssignment).reduce<unknown>(assign, target);

describe("parseAssignment", () => {
  it.each([
    ["seed=3", ["seed"], 3],
    ["tower.0.alpha=1e-3", ["tower", "0", "alpha"], 0.001],
    ["model.hidden=[64, 32]", ["model", "hidden"], [64, 32]],
    ["name=a=b", ["name"], "a=b"],
    ['name="5"', ["name"], "5"],
    ["name=", ["name"], ""],
    ["model.activation=relu", ["model", "activation"], "relu"],
  ])("%s", (text, path, value) => {
    expect(parseAssignment(text)).toEqual({ path, value });
  });

  it.each(["seed", "=3", "tower..alpha=1", ".seed=1", "seed.=1", "__proto__.polluted=1"])("refuses %s", (text) => {
    expect(() => parseAssignment(text)).toThrow("expected PATH=VALUE");
  });
});

describe("assign", () => {
  it("sets a value and leaves its argument alone", () => {
    const before = defaults();
    const after = set(before, "tower.1.alpha=1e-4", "budget.epochs=2");
    expect(after).toMatchObject({ tower: [{ optimizer: "adam" }, { alpha: 1e-4 }], budget: { epochs: 2 } });
    expect(before).toEqual(defaults());
  });

  it("names an index out of range and what is allowed", () => {
    expect(() => set(defaults(), "tower.2.alpha=1")).toThrow("--set tower.2.alpha: tower has no entry 2; allowed: 0 to 1");
    expect(() => set(defaults(), "tower.x.alpha=1")).toThrow("tower has no entry x");
    expect(() => set(defaults(), "tower.length=0")).toThrow("tower has no entry length");
  });

  it("refuses a path through a plain value", () => {
    expect(() => set(defaults(), "seed.low=1")).toThrow("seed is 0, which has no field low");
  });

  it("lets validation name unknown fields", () => {
    const result = validateExperiment(set(defaults(), "modle.hidden=[3]", "tower.0.gamma=1"));
    expect(result.ok ? [] : result.errors.map((error) => error.path).sort()).toEqual(["modle", "tower.0.gamma"]);
  });

  it("changes a level's optimizer, keeping only what was chosen and still exists", () => {
    const result = validateExperiment(set(defaults(), "tower.0.alpha=0.5", "tower.0.beta1=0.8", "tower.0.optimizer=sgd"));
    expect(result).toMatchObject({ ok: true, experiment: { tower: [{ optimizer: "sgd", alpha: 0.5, mu: 0 }, { optimizer: "sgd" }] } });
    const fresh = validateExperiment(set(defaults(), "tower.0.optimizer=sgd"));
    expect(fresh).toMatchObject({ ok: true, experiment: { tower: [{ optimizer: "sgd", alpha: 0.01 }, { alpha: 1e-5 }] } });
  });
});

describe("a hostile value", () => {
  it("nested beyond any definition is refused, not copied until the stack overflows", () => {
    const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(() => parseAssignment(`x=${deep(50_000)}`)).toThrow(/^--set x=\[+…: at most 100 values may be nested$/);
    expect(() => parseAssignment(`${"a.".repeat(5_000)}a=1`)).toThrow("at most 100 values may be nested");
    expect(parseAssignment(`x=[${new Array(500).fill("[1]").join()}]`).value).toHaveLength(500);
  });

  it("is shown by its beginning alone", () => {
    expect(() => set(defaults(), `batchSize.${"x".repeat(50_000)}=1`)).toThrow(/^--set .{1,1000}$/);
    const result = validateExperiment({ ["x".repeat(50_000)]: 1 });
    expect(result.ok ? "" : result.errors.map(({ path, message }) => path + message).join("")).toMatch(/^x{200}….{1,300}$/);
    const many = validateExperiment(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`x${i}`, 1])));
    expect(many.ok ? [] : many.errors).toHaveLength(200);
  });
});

describe("another dataset", () => {
  const dataset = (...texts: string[]) => validateExperiment(set(defaults(), ...texts));

  it("comes whole, unless a number was chosen", () => {
    expect(dataset("dataset.kind=iris", "batchSize=16")).toMatchObject({ ok: true, experiment: { dataset: { kind: "iris", trainExamples: 120, testExamples: 30 } } });
    expect(dataset("dataset.trainExamples=100", "dataset.kind=iris", "batchSize=16")).toMatchObject({ ok: true, experiment: { dataset: { trainExamples: 100, testExamples: 30 } } });
  });

  it("has no more examples than it has", () => {
    expect(dataset("dataset.kind=digits", "dataset.trainExamples=2000")).toEqual({
      ok: false,
      errors: expect.arrayContaining([{ path: "dataset.trainExamples", message: "dataset.trainExamples is 2000; UCI digits has 1437" }]) as unknown,
    });
  });
});
