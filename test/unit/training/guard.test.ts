/** The guard: what it notices, where it goes back to, whom it blames, and that a run under it repeats. */
import { describe, expect, it } from "vitest";
import { TowerProgram } from "../../../src/core/hyperoptimizers/tower.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../../src/core/checkpoint/file.ts";
import type { Saver } from "../../../src/core/checkpoint/saver.ts";
import { Guard } from "../../../src/core/training/guard.ts";
import { validateExperiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { guard as guardSchema, type GuardOptions } from "../../../src/shared/guard.ts";
import { level } from "../../support/problems.ts";
import { trainHere } from "../../support/trainHere.ts";

const options = (changes: Partial<GuardOptions> = {}) => guardSchema.parse({ on: true, window: 5, patience: 3, every: 10, rollbacks: 2, ...changes });
const adamUnderSgd = new TowerProgram([level("adam"), level("sgd", { alpha: 0.5 }), level("sgd", { alpha: 0.125 })], []);
/** L0.alpha, L0.beta1, L0.beta2, L1.alpha, L2.alpha */
const usual = [0.001, 0.9, 0.999, 0.5, 0.125];
const stateAt = (marker: number) => ({ ...adamUnderSgd.initialState({}), marker: Float64Array.of(marker) });

function watched(changes: Partial<GuardOptions> = {}) {
  const guard = new Guard(options(changes), adamUnderSgd.learned);
  const step = (t: number, loss: number, values: readonly number[] = usual) => {
    if (guard.wants(t)) guard.keep(t, t > 0, stateAt(t));
    return guard.observe(t, loss, values);
  };
  const steps = (from: number, to: number, loss: number) => {
    for (let t = from; t < to; t++) expect(step(t, loss)).toBeNull();
  };
  return { guard, step, steps };
}

describe("what it notices", () => {
  it("a loss or a hyperparameter that is not finite, at once", () => {
    const { step, steps } = watched();
    steps(0, 3, 1);
    expect(step(3, NaN)).toBe("the loss became NaN at step 3");
    expect(step(3, 1, [0.001, Infinity, 0.999, 0.5, 0.125])).toBe("L0.beta1 became Infinity at step 3");
  });

  it("a loss that stays far above its median, but no single spike", () => {
    const { step, steps } = watched();
    steps(0, 8, 1);
    expect([step(8, 9), step(9, 9), step(10, 1), step(11, 3.1), step(12, 3.1)]).toEqual([null, null, null, null, null]);
    expect(step(13, 3.1)).toBe("from step 11 to 13 the loss was above 3 times its median of 1");
  });

  it("nothing in what is small beside the first loss, nor in what rises slowly", () => {
    const { step, steps } = watched();
    steps(0, 1, 2);
    steps(1, 12, 1e-6);
    steps(12, 20, 0.019);
    expect([step(20, 0.07), step(21, 0.07), step(22, 0.07)].at(-1)).not.toBeNull();
    const slow = watched();
    for (let t = 0; t < 60; t++) expect(slow.step(t, 1.2 ** t)).toBeNull();
  });
});

describe("where it goes back to", () => {
  it("the latest state that is not too close to the trouble, and the one before when that led there once", () => {
    const { guard, step, steps } = watched({ rollbacks: 3 });
    steps(0, 26, 1);
    step(26, NaN);
    // Kept before steps 10 and 20; 20 is six steps away.
    expect(guard.rollBack(26, "it broke")!.snapshot.step).toBe(20);
    expect(guard.memory.losses.map(([at]) => at).every((at) => at < 20)).toBe(true);
    steps(27, 28, 1);
    // Going back there again would lead here again.
    expect(guard.rollBack(28, "again")!.snapshot.step).toBe(10);
    const close = watched();
    close.steps(0, 23, 1);
    close.step(23, NaN);
    expect(close.guard.rollBack(23, "it broke")!.snapshot.step).toBe(10);
  });

  it("nowhere any more after as many times as allowed, or with nothing kept", () => {
    const { guard, steps } = watched();
    expect(guard.rollBack(0, "at once")).toBeUndefined();
    steps(0, 3, 1);
    expect(guard.rollBack(3, "x")).toBeDefined();
    expect(guard.rollBack(4, "x")).toBeDefined();
    expect(guard.rollBack(5, "x")).toBeUndefined();
  });
});

describe("whom it blames", () => {
  const after = (values: readonly number[], changes: Partial<GuardOptions> = {}) => {
    const { guard, step, steps } = watched(changes);
    steps(0, 4, 1);
    step(4, 1, values);
    step(5, NaN, values);
    const { snapshot, message } = guard.rollBack(5, "it broke")!;
    return { alphas: ["L0.alpha", "L1.alpha", "L2.alpha"].map((name) => snapshot.state[name]![0]), message };
  };

  it("the step size that moved what went furthest, relative to its size", () => {
    expect(after([0.003, 0.9, 0.999, 0.6, 0.125])).toEqual({
      alphas: [0.001, 0.125, 0.125],
      message: "it broke; restored the state before step 0; L0.alpha had changed most (0.001 to 0.003), so L1.alpha goes from 0.5 to 0.125 (1 of at most 2)",
    });
    expect(after([0.0011, 0.9, 0.999, -0.5, 0.125]).alphas).toEqual([0.001, 0.5, 0.03125]);
    expect(after([0.001, 0.9, 0.001, 0.5, 0.125]).message).toContain("L0.beta2 had changed most (0.999 to 0.001), so L1.alpha goes");
    expect(after([0.003, 0.9, 0.999, 0.5, 0.125], { shrink: 0.5 }).alphas).toEqual([0.001, 0.25, 0.125]);
  });

  it("level 0's step size where nothing went far", () => {
    const { alphas, message } = after([0.00105, 0.9, 0.999, 0.5, 0.125]);
    expect(alphas).toEqual([0.00025, 0.5, 0.125]);
    expect(message).toContain("no hyperparameter had changed much, so L0.alpha goes from 0.001 to 2.5e-4");
  });
});

/** A step size that throws the weights out, and a network that does not saturate. */
const wild: ExperimentInput = {
  dataset: { trainExamples: 640, testExamples: 200 },
  model: { hidden: [16], activation: "relu", outputActivation: "identity" },
  batchSize: 32,
  budget: { epochs: 4 },
  tower: [{ optimizer: "sgd", alpha: 0.05 }, { optimizer: "sgd", alpha: 1e6 }],
  guard: { on: true, every: 10 },
};

describe("a run", () => {
  it("that would diverge is brought to its end, every step logged once, and repeats", async () => {
    expect((await trainHere({ ...wild, guard: { on: false } })).end.outcome).toBe("diverged");
    const guarded = await trainHere(wild);
    expect(guarded.end).toMatchObject({ outcome: "finished", reason: null, step: 80 });
    expect(guarded.steps.map(([step]) => step)).toEqual(Array.from({ length: 80 }, (_, t) => t));
    expect(guarded.rollbacks.length).toBeGreaterThan(0);
    expect(guarded.rollbacks[0]![1]).toMatch(/restored the state before step \d+; L0\.alpha had changed most \(.+\), so L1\.alpha goes from 1e6 to 2.5e5 \(1 of at most 10\)$/);
    expect(guarded.steps.at(-1)![1]).toBeLessThan(guarded.steps[0]![1]!);
    // What exploded is no part of the epochs' losses.
    for (const { trainLoss } of guarded.evaluations) expect(trainLoss).toBeLessThan(3 * guarded.steps[0]![1]!);
    expect(await trainHere(wild)).toEqual(guarded);
  });

  it("is the same over a checkpoint before any step, what the guard remembers included", async () => {
    const files: Buffer[] = [];
    const saver: Saver = {
      due: true,
      save: (captured) => Promise.resolve(void files.push(encodeCheckpoint({ run: "r", experiment: "e", engine: "onnx-cpu", savedAt: 0, ...captured }))),
    };
    const whole = await trainHere(wild, undefined, saver);
    const [[first]] = whole.rollbacks as [[number, string]];
    for (const at of [first - 1, first, first + 1, first + 2, 40]) {
      const rest = await trainHere(wild, decodeCheckpoint(files[at]!));
      expect(rest.steps).toEqual(whole.steps.slice(at));
      expect(rest.rollbacks).toEqual(whole.rollbacks.filter(([step]) => step >= at));
      expect(rest.state).toEqual(whole.state);
      expect(rest.end).toEqual(whole.end);
    }
  });

  it("ends as diverged when the guard has had its turns, and says so", async () => {
    const { end, rollbacks } = await trainHere({ ...wild, guard: { on: true, rollbacks: 2, shrink: 0.999 } });
    expect(rollbacks).toHaveLength(2);
    expect(end.outcome).toBe("diverged");
    expect(end.reason).toMatch(/, after 2 rollbacks by the guard$/);
  });

  it("that is well behaved is not changed by it", async () => {
    const calm: ExperimentInput = { ...wild, tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }] };
    const free = await trainHere({ ...calm, guard: { on: false } });
    expect(await trainHere(calm)).toEqual(free);
  });
});

it("options outside their domain are refused by name", () => {
  const validation = validateExperiment({ guard: { on: true, factor: 1, patience: 0, shrink: 1, every: 2.5 } });
  expect(validation.ok ? [] : validation.errors.map(({ message }) => message)).toEqual([
    "guard.factor is 1; allowed: greater than 1",
    "guard.patience is 0; allowed: a whole number, 1 or more",
    "guard.every is 2.5; allowed: a whole number, 1 or more",
    "guard.shrink is 1; allowed: strictly between 0 and 1",
  ]);
});
