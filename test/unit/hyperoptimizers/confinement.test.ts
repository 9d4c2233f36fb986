/** Bounds and the largest change, in float64: values, and derivatives against finite differences. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { bounded, limitedChange, type Confined } from "../../../src/core/hyperoptimizers/confinement.ts";
import { toEffective, toStored } from "../../../src/core/hyperoptimizers/stored.ts";
import type { TowerLevel } from "../../../src/core/hyperoptimizers/tower.ts";
import { gradients } from "../../../src/core/program/gradients.ts";
import { state } from "../../../src/core/program/operations/index.ts";
import { makeProgram } from "../../../src/core/program/program.ts";
import type { Bounds } from "../../../src/shared/levelOptions.ts";
import { optimizerSpec, type Parameterisation } from "../../../src/shared/optimizers.ts";
import { level as levelSchema, notation } from "../../../src/shared/tower.ts";
import { level, smallProblem } from "../../support/problems.ts";

const alpha = optimizerSpec("adam").hyperparameters[0]!;
const beta1 = optimizerSpec("adam").hyperparameters[1]!;

/** Value and derivative of a confinement at a stored value; `held` is what was there before. */
function at(build: (moved: ReturnType<typeof state>, held: ReturnType<typeof state>) => ReturnType<typeof state>, moved: number, held = moved) {
  const [x, before] = [state("moved", []), state("held", [])];
  const out = build(x, before);
  const program = makeProgram({ p: { outputs: { out, slope: gradients(out, [x])[0]! } } });
  const engine = new ReferenceExecutable(program);
  const values = { moved: Float64Array.of(moved), held: Float64Array.of(held) };
  engine.restore(Object.fromEntries(Object.entries(values).filter(([name]) => program.state.some((variable) => variable.name === name))));
  return engine.runNow("p") as { out: number; slope: number };
}

describe("the largest change", () => {
  const change = (of: Confined, held: number, moved: number, share: number) => {
    const { out, slope } = at((x, before) => limitedChange(x, before, of, share), toStored(moved, of.storedAs), toStored(held, of.storedAs));
    return { value: toEffective(out, of.storedAs), slope };
  };

  it.each(["raw", "log", "squared"] satisfies Parameterisation[])("of a step size stored %s is a factor, up and down", (storedAs) => {
    const of = { spec: alpha, storedAs };
    for (const held of [0.01, 3]) {
      expect(change(of, held, held * 1.2, 0.25)).toEqual({ value: expect.closeTo(held * 1.2, 12) as number, slope: 1 });
      expect(change(of, held, held * 5, 0.25)).toEqual({ value: expect.closeTo(held * 1.25, 12) as number, slope: 0 });
      expect(change(of, held, held / 5, 0.25)).toEqual({ value: expect.closeTo(held / 1.25, 12) as number, slope: 0 });
    }
  });

  it("keeps a step size's sign, also of one that is negative, and lets one leave 0", () => {
    const raw = { spec: alpha, storedAs: "raw" as const };
    expect(change(raw, 0.1, -7, 0.25).value).toBeCloseTo(0.08, 12);
    expect(change(raw, -0.1, 7, 0.25).value).toBeCloseTo(-0.08, 12);
    expect(change(raw, -0.1, -7, 0.25).value).toBeCloseTo(-0.125, 12);
    expect(change(raw, 0, 1, 0.25).value).toBeGreaterThan(0);
  });

  it("of a coefficient is that of its stored value", () => {
    const of = { spec: beta1, storedAs: "tanh" as const };
    const stored = at((x, before) => limitedChange(x, before, of, 0.1), 9, 1.5);
    expect(stored).toEqual({ out: expect.closeTo(1.6, 12) as number, slope: 0 });
  });
});

describe("bounds", () => {
  const confined = (storedAs: Parameterisation, bounds: Bounds, atBounds: "clamp" | "reflect", moved: number, spec = alpha) =>
    at((x) => bounded(x, { spec, storedAs }, { bounds: { [spec.name]: bounds }, atBounds }), moved);

  it("clamp to the nearer one, where nothing depends on the move", () => {
    expect(confined("raw", [0.1, 0.5], "clamp", 0.3)).toEqual({ out: 0.3, slope: 1 });
    expect(confined("raw", [0.1, 0.5], "clamp", 4)).toEqual({ out: 0.5, slope: 0 });
    expect(confined("raw", [0.1, 0.5], "clamp", -4)).toEqual({ out: 0.1, slope: 0 });
    expect(confined("raw", [null, 0.5], "clamp", -4)).toEqual({ out: -4, slope: 1 });
    expect(confined("raw", [0.1, null], "clamp", 4)).toEqual({ out: 4, slope: 1 });
  });

  it("reflect as far inside as it went outside, with the opposite slope, and no further than the other", () => {
    expect(confined("raw", [0.1, 0.5], "reflect", 0.7)).toEqual({ out: expect.closeTo(0.3, 12) as number, slope: -1 });
    expect(confined("raw", [0.1, 0.5], "reflect", 0.05)).toEqual({ out: expect.closeTo(0.15, 12) as number, slope: -1 });
    expect(confined("raw", [0.1, 0.5], "reflect", 4)).toEqual({ out: 0.1, slope: expect.closeTo(0, 12) as number });
    expect(confined("raw", [0.1, 0.5], "reflect", 0.2)).toEqual({ out: 0.2, slope: 1 });
  });

  it("are in effective form whatever is stored", () => {
    expect(toEffective(confined("log", [0.1, 0.5], "clamp", Math.log(7)).out, "log")).toBeCloseTo(0.5, 12);
    expect(toEffective(confined("squared", [0.04, 0.25], "clamp", 3).out, "squared")).toBeCloseTo(0.25, 12);
    expect(toEffective(confined("squared", [0.04, 0.25], "clamp", -3).out, "squared")).toBeCloseTo(0.04, 12);
    // Through 0 to the square's other root.
    expect(confined("squared", [null, 0.25], "clamp", -3).out).toBe(-0.5);
    expect(toEffective(confined("tanh", [0.5, 0.95], "clamp", 9, beta1).out, "tanh")).toBeCloseTo(0.95, 12);
  });

  it("that are no bounds are refused by name", () => {
    const errors = (fields: object) => {
      const result = levelSchema.safeParse({ optimizer: "adam", ...fields });
      return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    };
    expect(errors({ bounds: { alpha: [1e-5, 1], beta1: [0.5, null] } })).toEqual([]);
    expect(errors({ bounds: { alpha: [0.1, 0.01] } })).toEqual(["bounds.alpha: Adam: the bounds on alpha are [0.1, 0.01]; the first must be the smaller"]);
    expect(errors({ bounds: { alpha: [0.1, null] } })).toEqual(["bounds.alpha: Adam: alpha starts at 0.001, outside its bounds ≥ 0.1"]);
    expect(errors({ bounds: { alpha: [0, 1] }, alphaAs: "log" })).toEqual(["bounds.alpha: Adam: a bound on alpha is 0; in log space it must be greater than 0"]);
    expect(errors({ bounds: { beta1: [0, 0.99] } })).toEqual(["bounds.beta1: Adam: a bound on beta1 is 0; the value itself could not be"]);
    expect(errors({ bounds: { mu: [0, 1] } })).toEqual(["bounds.mu: Adam: there are no bounds for mu; allowed: alpha, beta1, beta2, logEps, weightDecay, sInit, sDecay, sLogEps"]);
    expect(errors({ bounds: { alpha: [1] } })[0]).toMatch(/^bounds\.alpha: /);
  });

  it("show in a stack's name", () => {
    const stack = [{ optimizer: "sgd" as const, bounds: { alpha: [1e-5, 1] as const } }, { optimizer: "sgd" as const, maxChange: 0.1 }];
    expect(notation(stack.map((of) => levelSchema.parse(of)))).toBe("SGD(α in [1e-5, 1]) / SGD(change 0.1)");
  });
});

/** Steps of a small problem; hyperparameters and hypergradients of each. */
function trained(levels: readonly TowerLevel[], steps: number) {
  const { training, initialState, batchSize, batch } = smallProblem(levels);
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  return Array.from({ length: steps }, (_, t) => engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(t)));
}

describe("in a tower", () => {
  const wild = level("sgd", { alpha: 1e3 });
  const stack = (bounds: Bounds) => [level("sgd", { alpha: 0.1, bounds: { alpha: bounds } }), wild, level("sgd", { alpha: 1e-6 })];

  it("a value at its bound keeps its hypergradient, and the mover has none: finite differences agree", () => {
    // The step size is thrown to a bound in the update before step 2.
    const loss = (bounds: Bounds) => trained(stack(bounds), 3)[2]!;
    const here = loss([0.05, 0.2]);
    const value = here["L0.alpha"]!;
    expect([0.05, 0.2]).toContain(value);
    expect(here["L1.alpha.hypergradient"]).toBeCloseTo(0, 12);
    const h = 1e-5;
    const [low, high]: Bounds[] = value === 0.2 ? [[0.05, 0.2 - h], [0.05, 0.2 + h]] : [[0.05 - h, 0.2], [0.05 + h, 0.2]];
    const numeric = (loss(high!)["loss"]! - loss(low!)["loss"]!) / (2 * h);
    expect(here["L0.alpha.hypergradient"]).toBeCloseTo(numeric, 6);
    expect(here["L0.alpha.hypergradient"]).not.toBe(0);
  });

  it("a step size stays within its bounds and leaves them again; it would not without", () => {
    const values = (levels: readonly TowerLevel[]) => trained(levels, 60).map((o) => o["L0.alpha"]!);
    const inside = values(stack([0.05, 0.2]));
    expect(Math.min(...inside)).toBeGreaterThanOrEqual(0.05);
    expect(Math.max(...inside)).toBeLessThanOrEqual(0.2);
    expect(new Set(inside.map((value) => value === 0.05 || value === 0.2))).toEqual(new Set([true, false]));
    expect(inside).toContain(0.05);
    expect(inside).toContain(0.2);
    const free = values(stack([null, null]));
    expect(Math.max(...free.map(Math.abs))).toBeGreaterThan(1);
  });

  it("the largest change is one of the level that moves: every ratio of a step size is within it", () => {
    const values = trained([level("sgd", { alpha: 0.1 }), level("sgd", { alpha: 1e3, maxChange: 0.1 })], 40).map((o) => o["L0.alpha"]!);
    const ratios = values.slice(1).map((value, t) => value / values[t]!);
    expect(Math.max(...ratios)).toBeCloseTo(1.1, 10);
    expect(Math.min(...ratios)).toBeCloseTo(1 / 1.1, 10);
  });
});
