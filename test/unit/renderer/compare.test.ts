import { describe, expect, it } from "vitest";
import { alignTowers } from "@shared/comparison/alignment.ts";
import { bySeed, resultsOf, singly, withoutCommonStart, type ComparedRun } from "@/lib/compared.ts";
import { differences, levelFieldLabel } from "@shared/comparison/differences.ts";
import { variedSettings } from "@/lib/varied.ts";
import { validateExperiment, type ExperimentInput } from "@shared/experiment.ts";
import type { Evaluation, RunSummary } from "@shared/run.ts";
import { notation, type Level } from "@shared/tower.ts";

function experimentOf(input: ExperimentInput) {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(result.errors[0]?.message);
  return result.experiment;
}
const towers = (...inputs: NonNullable<ExperimentInput["tower"]>[]): Level[][] => inputs.map((tower) => experimentOf({ tower }).tower);

const sgd = (alpha = 0.01) => ({ optimizer: "sgd", alpha }) as const;
const adam = { optimizer: "adam" } as const;

describe("alignment of towers", () => {
  it("puts level on level, and what only some have on top", () => {
    const slots = alignTowers(towers([sgd()], [sgd(), sgd()], [sgd(), sgd(), sgd()]));
    expect(slots.map(({ label, levels }) => [label, levels])).toEqual([
      ["level 0", [0, 0, 0]],
      ["level 1 (added)", [null, 1, 1]],
      ["level 2 (added)", [null, null, 2]],
    ]);
  });

  it("shows a level added in the middle as added, without shifting those above", () => {
    const slots = alignTowers(towers([adam, sgd(1e-5)], [adam, adam, sgd(1e-5)]));
    expect(slots.map(({ label, levels }) => [label, levels])).toEqual([
      ["level 0", [0, 0]],
      ["level added above level 0", [null, 1]],
      ["level 1", [1, 2]],
    ]);
    // Seen from the other tower, it is one that is missing.
    expect(alignTowers(towers([adam, sgd(1e-5)], [adam, adam, sgd(1e-5)]), 1).map(({ label, levels }) => [label, levels])).toEqual([
      ["level 0", [0, 0]],
      ["level 1", [null, 1]],
      ["level 2", [1, 2]],
    ]);
  });

  it("finds the counterpart of a level among those that others have added", () => {
    const slots = alignTowers(towers([adam], [adam, sgd(1e-5)], [adam, adam, sgd(1e-5)]));
    expect(slots.map(({ label, levels }) => [label, levels])).toEqual([
      ["level 0", [0, 0, 0]],
      ["level 1 (added)", [null, null, 1]],
      ["level added above level 0, no. 2", [null, 1, 2]],
    ]);
  });

  it("keeps levels side by side that differ in their settings or their optimizer only", () => {
    expect(alignTowers(towers([sgd(), sgd(1e-3), sgd(1e-4)], [sgd(), sgd(1e-5), sgd(1e-6)])).map(({ levels }) => levels)).toEqual([[0, 0], [1, 1], [2, 2]]);
    expect(alignTowers(towers([sgd(), sgd()], [sgd(), adam])).map(({ levels }) => levels)).toEqual([[0, 0], [1, 1]]);
    // Level 0 moves the weights and corresponds to level 0 whatever it is.
    expect(alignTowers(towers([sgd(), adam], [adam])).map(({ levels }) => levels)).toEqual([[0, 0], [1, null]]);
  });

  it("has every level of every tower in exactly one slot, in order", () => {
    const shapes = [sgd(), sgd(1e-4), adam, { optimizer: "adaGrad" }] as const;
    const made = towers(...Array.from({ length: 60 }, (_, i) => Array.from({ length: 1 + (i % 6) }, (_, j) => shapes[(i * 7 + j * j * 3 + i * j) % 4]!)));
    for (const baseline of [0, 5, 17]) {
      const slots = alignTowers(made, baseline);
      made.forEach((tower, of) => {
        expect(slots.flatMap(({ levels }) => levels[of] ?? [])).toEqual(tower.map((_, level) => level));
      });
      expect(slots.filter(({ added }) => !added).map(({ levels }) => levels[baseline])).toEqual(made[baseline]!.map((_, level) => level));
    }
  });
});

describe("differences of configurations", () => {
  const found = (...inputs: ExperimentInput[]) => differences(inputs.map(experimentOf)).map(({ label, values }) => [label, ...values]);

  it("names schedules with their values", () => {
    const scheduled = { ...sgd(), schedules: { alpha: [{ kind: "warmUp", until: 2 }, { kind: "step", at: [3, 4] }] } } as const;
    expect(found({ tower: [sgd()] }, { tower: [scheduled] })).toEqual([
      ["schedules of level 0", undefined, "alpha: warm-up (from 0, to 1) until 2, step (from 1, factor 0.1, at 3 and 4), in epochs"],
    ]);
    expect(levelFieldLabel("alpha[bias].inForce", { label: "level 0" }, [])).toBe("alpha[bias] of level 0, in force");
    expect(levelFieldLabel("alpha.inForce", { label: "level 0" }, towers([sgd()])[0]!)).toBe("α of level 0, in force");
  });

  it("say that a level was added, and nothing of those that it did not change", () => {
    expect(found({ tower: [adam, sgd(1e-5)] }, { tower: [adam, adam, sgd(1e-5)] })).toEqual([["level added above level 0", undefined, "Adam"]]);
  });

  it("name fields of the runs that have a level", () => {
    expect(found({ tower: [adam] }, { tower: [adam, sgd(1e-5)] }, { tower: [adam, sgd(1e-4)] })).toEqual([
      ["level 1 (added)", undefined, "SGD(1e-5)", "SGD(1e-4)"],
      ["α of level 1 (added)", undefined, 1e-5, 1e-4],
    ]);
  });

  it("say of different optimizers what they are, and what they have in common", () => {
    expect(found({ tower: [adam, sgd(1e-5)] }, { tower: [adam, { optimizer: "rmsProp" }] })).toEqual([
      ["level 1", "SGD(1e-5)", "RMSProp"],
      ["α of level 1", 1e-5, 0.01],
    ]);
  });

  it("name options that were touched, with their labels", () => {
    expect(found({ tower: [sgd(), { ...sgd(), clipNorm: 1 }] }, { tower: [sgd(), sgd()] }).map(([label]) => label)).toEqual([expect.stringMatching(/, level 1$/)]);
  });
});

describe("settings that vary", () => {
  it("are the number of levels and the step size, once, where all levels follow it", () => {
    const experiments = [0, 1, 2].flatMap((above) => [1e-4, 1e-2].map((alpha) => experimentOf({ seed: above, tower: Array.from({ length: above + 1 }, () => sgd(alpha)) as [ReturnType<typeof sgd>] })));
    expect(variedSettings(experiments)).toEqual([
      { label: "levels above", scale: "linear", values: [0, 0, 1, 1, 2, 2] },
      { label: "α of level 0", scale: "log", values: [1e-4, 1e-2, 1e-4, 1e-2, 1e-4, 1e-2] },
    ]);
  });

  it("have a scale that suits them", () => {
    const settings = variedSettings([experimentOf({ batchSize: 32, tower: [{ optimizer: "sgd", mu: 0.5 }] }), experimentOf({ batchSize: 1024, tower: [adam] })]);
    expect(settings.map(({ label, scale }) => [label, scale])).toEqual(expect.arrayContaining([["batch size", "log"]]));
    expect(variedSettings([experimentOf({ batchSize: 32 }), experimentOf({ batchSize: 64 }), experimentOf({ batchSize: 64, model: { activation: "relu" } })]).map(({ label, scale }) => [label, scale])).toEqual([
      ["hidden activation", "category"],
      ["batch size", "linear"],
    ]);
  });
});

function compared(id: string, input: ExperimentInput, part: Partial<RunSummary> = {}, errors: number[] | null = []): ComparedRun {
  const experiment = experimentOf(input);
  const run: RunSummary = {
    id, name: experiment.name, status: "finished", reason: null, stack: notation(experiment.tower), experiment, device: null,
    createdAt: 0, startedAt: 0, finishedAt: 1000, trained: { milliseconds: 1000, from: "clock" }, steps: 0, totalSteps: 10, epoch: 0, samplesPerSecond: null, secondsLeft: null,
    loss: null, testError: null, evaluation: null, hyperparameters: [], study: null, deletedAt: null, ...part,
  };
  return { run, evaluations: errors && errors.map((testError, i): Evaluation => ({ step: i + 1, epoch: i + 1, trainLoss: null, testLoss: null, testError })) };
}

describe("grouping", () => {
  const runs = [
    compared("a", { name: "tower, seed 0", seed: 0 }),
    compared("b", { name: "plain", seed: 0, tower: [adam] }),
    compared("c", { name: "tower, seed 1", seed: 1 }),
    compared("d", { name: "other", seed: 1, tower: [adam] }),
  ];

  it("puts runs together that differ in the seed only", () => {
    expect(bySeed(runs).map(({ key, name, runs: of }) => [key, name, of.map(({ run }) => run.id)])).toEqual([
      ["a", "tower", ["a", "c"]],
      ["b", "Adam", ["b", "d"]],
    ]);
    expect(withoutCommonStart(["Study, height 0, α 1", "Study, height 0, α 2"])).toEqual(["α 1", "α 2"]);
    expect(withoutCommonStart(["Study, height 0", "Study"])).toEqual(["Study, height 0", "Study"]);
    expect(withoutCommonStart(["alone, too"])).toEqual(["alone, too"]);
    expect(singly(runs).map(({ key }) => key)).toEqual(["a", "b", "c", "d"]);
  });

  it("counts a diverged run as the worst, and waits for what is not read yet", () => {
    const results = resultsOf(
      [compared("a", {}, {}, [5, 4]), compared("b", {}, { status: "diverged" }, [6]), compared("c", {}, { status: "running" }, [7]), compared("d", {}, {}, null)],
      { name: "testError", at: "final" },
    );
    expect([...results]).toEqual([
      ["a", { outcome: "measured", value: 4, counted: 4 }],
      ["b", { outcome: "diverged", value: null, counted: 90 }],
      ["c", { outcome: "pending", value: 7, counted: null }],
      ["d", { outcome: "pending", value: null, counted: null }],
    ]);
  });
});
