import { describe, expect, it } from "vitest";
import { bySeed, resultsOf, singly, type Compared, type ComparedRun } from "@/lib/compared.ts";
import { columnsOf, compareTable } from "@/lib/compareTable.ts";
import { measureLine, meanLine } from "@/lib/groupLines.ts";
import { validateExperiment, type ExperimentInput } from "@shared/experiment.ts";
import type { Evaluation, RunSummary } from "@shared/run.ts";
import { bucketOf, coarsen } from "@shared/series.ts";
import { notation } from "@shared/tower.ts";

function compared(id: string, input: ExperimentInput, errors: readonly number[], part: Partial<RunSummary> = {}): ComparedRun {
  const checked = validateExperiment(input);
  if (!checked.ok) throw new Error(checked.errors[0]?.message);
  const { experiment } = checked;
  const run = {
    id, name: id, status: "finished", reason: null, stack: notation(experiment.tower), experiment, device: null, createdAt: 0, startedAt: 0, finishedAt: 2000, trained: { milliseconds: 2000, from: "clock" }, steps: 10,
    totalSteps: 10, epoch: 1, samplesPerSecond: null, secondsLeft: null, loss: 0.5, testError: null, evaluation: null, hyperparameters: [], study: null, deletedAt: null, ...part,
  } as unknown as RunSummary;
  return { run, evaluations: errors.map((testError, i): Evaluation => ({ step: i + 1, epoch: i + 1, trainLoss: null, testLoss: null, testError })) };
}

function tableOf(of: readonly Compared[], baseline: number | null = null) {
  const runs = of.flatMap((one) => one.runs);
  return compareTable({ compared: of, final: resultsOf(runs, { name: "testError", at: "final" }), best: resultsOf(runs, { name: "testError", at: "best" }), baseline });
}
const fieldIn = (fields: ReturnType<typeof tableOf>, key: string) => fields.find((field) => field.key === key);

const adam = { optimizer: "adam" } as const;
const sgd = { optimizer: "sgd", alpha: 1e-5 } as const;

describe("the table of a comparison", () => {
  const runs = [compared("plain", { tower: [adam] }, [6, 4]), compared("tower", { tower: [adam, sgd] }, [4, 3], { trained: { milliseconds: 3000, from: "clock" } }), compared("broken", { tower: [adam, sgd], seed: 1 }, [9], { status: "diverged" })];

  it("measures everything against the baseline", () => {
    const field = fieldIn(tableOf(singly(runs), 0), "testError");
    expect(field?.cells.map(({ text }) => text)).toEqual(["4.00 %", "3.00 %", "diverged"]);
    expect(field?.cells.map(({ delta }) => delta)).toEqual([
      null,
      { difference: "−1.00 %", relative: "−25 %", better: true },
      { difference: "+86.00 %", relative: "+2150 %", better: false },
    ]);
    expect(fieldIn(tableOf(singly(runs), 0), "duration")?.cells[1]?.delta).toEqual({ difference: "+1 s", relative: "+50 %", better: false });
    const resumed = compared("resumed", { tower: [adam] }, [5], { finishedAt: 9e6, trained: { milliseconds: 8e6, from: "span" } });
    expect(fieldIn(tableOf(singly([...runs, resumed])), "duration")?.cells[3]?.text).toBe("at most 2 h 13 min");
    expect(fieldIn(tableOf(singly(runs)), "testError")?.cells.every(({ delta }) => delta === null)).toBe(true);
  });

  it("marks settings that are as in the baseline", () => {
    const tower = fieldIn(tableOf(singly(runs), 1), "tower");
    expect(tower?.cells.map(({ same }) => same)).toEqual([false, true, true]);
  });

  it("shows groups as means with their spread, and how their runs ended", () => {
    const fields = tableOf(bySeed([...runs, compared("plain 2", { tower: [adam], seed: 5 }, [5])]));
    expect(fieldIn(fields, "testError")?.cells.map(({ text }) => text)).toEqual(["4.50 ± 0.50 %", "46.50 ± 43.50 %"]);
    expect(fieldIn(fields, "testError")?.label).toBe("test error, last (mean ± standard error)");
    expect(fieldIn(tableOf(singly(runs)), "testError")?.label).toBe("test error, last");
    expect(fieldIn(fields, "status")?.cells.map(({ text }) => text)).toEqual(["2 finished", "1 finished, 1 diverged"]);
    // Within a group the seed varies: it is no difference between groups.
    expect(fieldIn(fields, "seed")).toBeUndefined();
  });

  it("spares columns that only repeat others", () => {
    const levels = [1e-3, 1e-2].flatMap((alpha) => [1, 2].map((count) => compared(`${alpha}-${count}`, { tower: Array.from({ length: count }, () => ({ optimizer: "sgd" as const, alpha })) as NonNullable<ExperimentInput["tower"]> }, [4])));
    const columns = columnsOf(tableOf(singly(levels)));
    expect(columns.slice(0, 5).map(({ label }) => label)).toEqual(["status", "test error, last", "test error, best", "tower", "α of level 0"]);
    expect(columns.map(({ key }) => key)).not.toContain("tower.1");
    expect(columns.map(({ key }) => key)).not.toContain("tower.1.alpha");
  });
});

describe("lines of groups", () => {
  const style = { color: "#000000", dash: "solid" } as const;
  const series = (values: readonly number[], width = 1) => ({ buckets: coarsen(values.map((value, step) => bucketOf(step, value)), width), width, total: values.length, lastStep: values.length - 1 });

  it("are the means of the runs that got that far, within a band", () => {
    const line = meanLine("group", style, [series([1, 2, 3]), series([3, 4]), undefined], 0);
    expect(line.points).toEqual([[0, 2], [1, 3], [2, 3]]);
    expect(line.band).toEqual([{ x: 0, low: 1, high: 3 }, { x: 1, low: 2, high: 4 }, { x: 2, low: 3, high: 3 }]);
    expect(line.total).toBe(3);
  });

  it("have bands of one standard error either way, over steps and epochs alike", () => {
    const error = Math.sqrt(7 / 3);
    expect(meanLine("group", style, [series([1]), series([2]), series([6])], 0).band).toEqual([{ x: 0, low: 3 - error, high: 3 + error }].map((point) => expect.objectContaining({ x: 0, low: expect.closeTo(point.low, 12) as number, high: expect.closeTo(point.high, 12) as number }) as object));
    const evaluations = [1, 2, 6].map((testError) => [{ step: 1, epoch: 1, trainLoss: null, testLoss: null, testError }]);
    expect(measureLine("group", style, evaluations, "testError").band).toMatchObject([{ x: 1, low: expect.closeTo(3 - error, 12) as number, high: expect.closeTo(3 + error, 12) as number }]);
  });

  it("break off where no run has a finite value", () => {
    const { points, gaps } = meanLine("group", style, [series([1, NaN, 1]), series([3, NaN, 3])], 0);
    expect([points, gaps]).toEqual([[[0, 2], [2, 2]], [1]]);
  });

  it("bring runs that are held at different widths together", () => {
    const line = meanLine("group", style, [series([1, 3, 5, 7]), series([2, 2, 4, 4], 2)], 0);
    expect(line.points).toEqual([[0, 2], [2, 5]]);
  });

  it("leave out what is not finite, and say how much it was", () => {
    const line = meanLine("group", style, [series([1, NaN]), series([3, 5])], 0);
    expect(line.points).toEqual([[0, 2], [1, 5]]);
    expect(line.nonFinite).toBe(1);
  });

  it("have no band for a single run", () => {
    expect(meanLine("one", style, [series([1])], 0).band).toBeUndefined();
    expect(measureLine("one", style, [[{ step: 1, epoch: 1, trainLoss: null, testLoss: null, testError: 4 }]], "testError").band).toBeUndefined();
  });
});
