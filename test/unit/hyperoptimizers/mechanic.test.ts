/** Mechanic: what it does to a rule's updates, where it is refused, and how it is named. */
import { describe, expect, it } from "vitest";
import { ReferenceExecutable } from "../../../src/core/engines/reference/engine.ts";
import { adam, prodigy, sgd } from "../../../src/library/index.ts";
import { assign, parseAssignment } from "../../../src/main/headless/setValue.ts";
import { fieldErrors } from "../../../src/shared/experiment.ts";
import { learnedNames, notation, tower, type LevelInput } from "../../../src/shared/tower.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { study } from "../../../src/shared/study/study.ts";
import { level, smallProblem } from "../../support/problems.ts";

/** Total scale and loss before each step. */
function trained(changes: Record<string, unknown>, steps: number, optimizer = "sgd") {
  const { training, initialState, batchSize, batch } = smallProblem([level(optimizer, changes)]);
  const engine = new ReferenceExecutable(training.program);
  engine.restore(initialState);
  const states = [];
  const losses = [];
  for (let t = 0; t < steps; t++) {
    losses.push(engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, batch(0))["loss"]!);
    states.push(engine.stateNow());
  }
  return { states, losses, initialState };
}

const refusals = (...levels: readonly object[]) => {
  const parsed = tower.safeParse(levels);
  return parsed.success ? [] : fieldErrors(parsed.error).map(({ path, message }) => `${path}: ${message}`);
};

describe("Mechanic", () => {
  it("keeps the weights at the start plus the scale times the sum of updates", () => {
    const { states, initialState } = trained({ alpha: 1, mu: 0.5, mechanic: true, sInit: 1e-3 }, 10);
    const { "L0.delta.small": delta, "L0.start.small": start, small } = states[9]!;
    const scales = [1, 2, 3, 4, 5, 6].map((i) => states[9]![`L0.scale${i}`]![0]!);
    const scale = scales.reduce((sum, s) => sum + s);
    expect(start).toEqual(initialState["small"]);
    small!.forEach((weight, i) => expect(weight).toBeCloseTo(start![i]! + scale * delta![i]!, 12));
  });

  it("finds a scale from first scales and step sizes that are decades apart", () => {
    const [plain] = [trained({ alpha: 1e-4 }, 60).losses];
    const ends = [1e-2, 1, 100].map((alpha) => trained({ alpha, mechanic: true, sInit: 1e-8 / alpha, sLogEps: -12 }, 60).losses.at(-1)!);
    // SGD at a step size that is too small hardly moves; tuned, all end far below it.
    expect(plain!.at(-1)).toBeGreaterThan(0.95 * plain![0]!);
    for (const end of ends) expect(end).toBeLessThan(0.8 * plain![0]!);
  });

  it("keeps estimates for each of its decays, and no sum of updates where it recomputes it", () => {
    const { states } = trained({ mechanic: true, mechanicBetas: [0.5, 0.9], mechanicUpdates: "recomputed" }, 2);
    expect(Object.keys(states[1]!).filter((name) => name.startsWith("L0.reward"))).toEqual(["L0.reward1", "L0.reward2"]);
    expect(Object.keys(states[1]!).filter((name) => name.includes("delta"))).toEqual([]);
  });
});

describe("settings of Mechanic", () => {
  it("are refused by name where they mean nothing", () => {
    const mechanic: LevelInput = { optimizer: "sgd", mechanic: true };
    expect(refusals({ optimizer: "sgd" }, mechanic)).toEqual(["1.mechanic: mechanic is for the first level, which moves the weights"]);
    expect(refusals({ optimizer: "adam", groups: [{ name: "bias", match: "*.bias", optimizer: "dog", mechanic: true }] })).toEqual([
      "0.groups.0.mechanic: mechanic is not for DoG, which finds its step size itself; allowed: optimizers whose step size Mechanic can tune, such as sgd or adam",
    ]);
    expect(refusals({ optimizer: "scheduleFreeAdam", mechanic: true })[0]).toMatch("ScheduleFree AdamW, which evaluates an average that Mechanic does not know");
    expect(refusals({ optimizer: "sgd", sInit: 1e-4, learned: ["alpha", "sDecay"], schedules: { sDecay: "cosine" } })).toEqual([
      "0.sInit: SGD sInit is for mechanic, which is off: set mechanic to true",
      "0.learned: SGD sDecay is for mechanic, which is off: set mechanic to true",
      "0.schedules.sDecay: SGD sDecay is for mechanic, which is off: set mechanic to true",
    ]);
    expect(refusals({ ...mechanic, sInit: 0 })[0]).toMatch("SGD sInit is 0; allowed: greater than 0");
    expect(refusals({ ...mechanic, mechanicBetas: [] })[0]).toMatch("SGD mechanicBetas must be a list of 1 to 20 numbers, each from 0 (excluded) to 1");
    expect(refusals({ ...mechanic, mechanicBetas: [0.9, 2] })[0]).toMatch("0.mechanicBetas.1: SGD mechanicBetas has 2; allowed:");
    expect(refusals({ ...mechanic, mechanicBetas: "0.9" })[0]).toMatch("SGD mechanicBetas must be a list");
  });

  it("are learned where they are named, and show in the notation", () => {
    const [bottom] = tower.parse([{ optimizer: "adam", alpha: 1, mechanic: true, sInit: 1e-6, mechanicBetas: [0.9, 0.99], learned: ["alpha", "sInit"] }]);
    expect(learnedNames(bottom!)).toEqual(["alpha", "sInit"]);
    expect(notation([bottom!])).toBe("Adam^{α,s₀}(1, s₀ 1e-6, Mechanic, βₛ 0.9 0.99)");
    expect(notation(tower.parse([{ optimizer: "adam" }]))).toBe("Adam");
  });

  it("come from constructors and the command line", () => {
    expect(String(sgd({ alpha: 1, mechanic: true, sInit: 1e-4, optimizer: adam(1e-3) }))).toBe("SGD(1, s₀ 1e-4, Mechanic) / Adam");
    expect(() => prodigy({ mechanic: true } as object)).toThrow("mechanic is not for Prodigy, which finds its step size itself");
    const assigned = ["tower.0.mechanic=true", "tower.0.sInit=1e-4", "tower.0.mechanicBetas=[0.5, 0.9]"].map(parseAssignment).reduce<unknown>(assign, { tower: [{ optimizer: "sgd" }] });
    expect(assigned).toEqual({ tower: [{ optimizer: "sgd", mechanic: true, sInit: 1e-4, mechanicBetas: [0.5, 0.9] }] });
    // Another optimizer keeps what it has.
    const changed = (optimizer: string) => [`tower.0.optimizer=${optimizer}`].map(parseAssignment).reduce<unknown>(assign, assigned);
    expect(changed("lion")).toEqual({ tower: [{ optimizer: "lion", mechanic: true, sInit: 1e-4, mechanicBetas: [0.5, 0.9] }] });
    expect(changed("dog")).toEqual({ tower: [{ optimizer: "dog" }] });
  });

  it("do not come along when a study of heights repeats the first level above itself", () => {
    const base = { tower: [{ optimizer: "sgd", alpha: 1, mechanic: true, sInit: 1e-4, learned: ["alpha", "sInit"] }] } as const;
    const expanded = expandStudy(study.parse({ base, heights: { values: [0, 1], rule: { kind: "base" } } }));
    expect(expanded.ok ? expanded.cells.map(({ experiment }) => notation(experiment.tower)) : expanded.errors).toEqual(["SGD^{α,s₀}(1, s₀ 1e-4, Mechanic)", "SGD^{α,s₀}(1, s₀ 1e-4, Mechanic) / SGD(1)"]);
  });
});
