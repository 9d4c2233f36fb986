import { expect, it } from "vitest";
import { makePoint, makePoints, makeStudy, stepSizeStudy } from "../../support/studyPoints.ts";
import { filterStudies } from "@/lib/studyList.ts";
import { sortStudyRuns } from "@/lib/studyRuns.ts";
import { remarks, rowsByRun, runIds, tableRows } from "@/lib/studyTable.ts";
import { axesInWords, baseInWords, estimateInWords, estimateProblem, heightsInWords, outcomesInWords, percentDone, productInWords, studyTitle } from "@/lib/studyWords.ts";
import { measureRuns, studyCurves } from "@shared/study/curves.ts";
import { comparisonNote, paperFigureOf } from "@shared/study/paperFigures.ts";
import type { StudySummary } from "@shared/study/result.ts";
import { studyPresets } from "@shared/study/presets.ts";
import type { Study } from "@shared/study/study.ts";

const byError = { name: "testError", at: "final" } as const;

const small = stepSizeStudy([-2, -1], [0, 1], [0, 1]);
const points = makePoints(small, (height, [x], seed) => (x === 0.1 && height === 0 && seed === 1 ? {} : { error: 10 - height + seed + (x === 0.1 ? 5 : 0) }));
const curves = studyCurves(small, points, { metric: byError });

function summary(id: string, study: Study, part: Partial<StudySummary> = {}): StudySummary {
  return {
    id, name: study.name, status: "finished", reason: null, study, createdAt: 0, startedAt: 0, finishedAt: 0, trained: { milliseconds: 0, from: "clock" }, runningSince: null, total: 8, finished: 5, diverged: 1,
    failed: 1, pruned: 0, skipped: 0, running: 1, millisecondsLeft: null, deletedAt: null, ...part,
  };
}

it("lists a row per height and value, best first on demand, and the runs of those that are opened", () => {
  const closed = tableRows(curves, new Set(), "axis");
  expect(closed.map((row) => row.kind === "point" && [row.curve, row.point.x])).toEqual([[0, 0.01], [0, 0.1], [1, 0.01], [1, 0.1]]);
  const best = tableRows(curves, new Set(), "best").map((row) => (row.kind === "point" ? row.point.mean : null));
  expect(best).toEqual(best.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
  const open = tableRows(curves, new Set([closed[1]!.id]), "axis");
  expect(open.map(({ kind }) => kind)).toEqual(["point", "point", "run", "run", "point", "point"]);
  expect(open.slice(2, 4).map((row) => row.kind === "run" && row.run.point.seed)).toEqual([0, 1]);
});

it("finds the row of a run, and says what is not simply measured", () => {
  const [, second] = tableRows(curves, new Set(), "axis");
  if (second?.kind !== "point") throw new Error("not a point");
  const [run] = runIds(second.point.runs);
  expect(rowsByRun(curves).get(run!)).toBe(second.id);
  expect(rowsByRun(curves).size).toBe(8);
  expect(remarks(second.point)).toBe("1 diverged");
  const waiting = studyCurves(small, [makePoint(0, [0.01], 0, { status: "waiting" }), makePoint(0, [0.01], 1, { status: "failed" })], { metric: byError });
  expect(remarks(waiting.curves[0]!.points[0]!)).toBe("1 pending, 1 failed");
});

it("sorts runs by any column, those without a value last either way", () => {
  const { runs } = measureRuns(small, points, byError);
  for (const order of ["asc", "desc"] as const) {
    const values = sortStudyRuns(runs, { column: "metric", order }).map(({ value }) => value);
    expect(values.at(-1)).toBeNull();
    expect(values.slice(0, -1)).toEqual(values.slice(0, -1).toSorted((a, b) => (order === "asc" ? a! - b! : b! - a!)));
  }
  expect(sortStudyRuns(runs, { column: "x0", order: "desc" }).map(({ point }) => point.values[0])).toEqual([0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01]);
  expect(new Set(sortStudyRuns(runs, { column: "tower", order: "desc" }).slice(0, 4).map(({ point }) => point.height))).toEqual(new Set([1]));
});

it("says in words what varies and how far it is", () => {
  const study = makeStudy(studyPresets.find(({ name }) => name === "figure4a")!.study);
  expect(axesInWords(study)).toBe("α from 1e-8 to 100 (11 values)");
  expect(heightsInWords(study)).toBe("0 to 3");
  expect(productInWords(study)).toBe("11 values × 4 heights × 3 seeds");
  expect(baseInWords(study)).toContain("30 epochs");
  expect(studyTitle({ name: "", study })).toBe("Study of α from 1e-8 to 100 (11 values)");
  expect(heightsInWords({ ...study, heights: { ...study.heights!, values: [5, 0, 2] } })).toBe("0, 2, 5");
  const table1 = makeStudy(studyPresets.find(({ name }) => name === "table1")!.study);
  expect(axesInWords(table1)).toBe("32 stacks");
  expect(productInWords(table1)).toBe("32 stacks × 3 seeds");
  const mixed = makeStudy({ base: { tower: [{ optimizer: "sgd" }] }, axes: [{ values: { kind: "random", from: 0.1, to: 1, points: 7 } }, { hyperparameter: "mu", values: { kind: "random", scale: "linear", from: 0, to: 0.9, points: 7 } }] });
  expect(productInWords(mixed)).toBe("7 samples × 1 seed");
  expect(outcomesInWords(summary("a", study))).toBe("5 of 8 finished, 1 diverged, 1 failed");
  expect(percentDone(summary("a", study))).toBeCloseTo(87.5);
});

it("says what a study will take, and when its disk does not hold it", () => {
  const estimate = { runs: 132, workers: 2, threads: 1, cohort: 1, duration: 2_520_000, disk: 119e6, diskFree: 41e9 };
  expect(estimateInWords(estimate)).toBe("about 42 min, 2 at a time · 119 MB of 41 GB free");
  expect(estimateProblem(estimate)).toBeNull();
  expect(estimateProblem({ ...estimate, diskFree: 1e6 })).toMatch(/119 MB .* 1 MB/);
  expect(estimateInWords({ ...estimate, duration: null, threads: 4, diskFree: null })).toBe("time unknown, 2 at a time, 4 threads each · 119 MB");
});

it("filters studies by words and status, newest first", () => {
  const all = [summary("a", small, { name: "one", createdAt: 1 }), summary("b", small, { name: "two", createdAt: 2, status: "running" }), summary("c", small, { createdAt: 3 })];
  const ids = (text: string, status: StudySummary["status"] | "all" = "all") => filterStudies(all, text, status).map(({ id }) => id);
  expect(ids("")).toEqual(["c", "b", "a"]);
  expect(ids("TWO sgd")).toEqual(["b"]);
  expect(ids("", "running")).toEqual(["b"]);
  expect(ids("adam")).toEqual([]);
});

it("lays the paper's figure over the study that repeats it, and over no other", () => {
  const preset = (name: string) => makeStudy(studyPresets.find((one) => one.name === name)!.study);
  expect(paperFigureOf(preset("figure4a"))?.name).toBe("figure4a");
  expect(paperFigureOf(preset("figure4a-quick"))?.name).toBe("figure4a");
  expect(paperFigureOf(preset("figure4b"))).toBeUndefined();
  expect(paperFigureOf(preset("figure4c"))).toMatchObject({ name: "figure4c", metric: "testError" });
  expect(paperFigureOf(preset("figure4d"))).toMatchObject({ name: "figure4d", metric: "testPerplexity" });
  for (const name of ["figure4c-quick", "figure4d-quick"]) expect(paperFigureOf(preset(name)), name).toBeUndefined();
  expect(paperFigureOf(preset("table1"))).toBeUndefined();
  const noteOf = (name: string) => comparisonNote(paperFigureOf(preset(name))!, preset(name).base);
  for (const name of ["figure4a", "figure4c", "figure4d"]) expect(noteOf(name), name).toBe("");
  expect(noteOf("demo")).toBe("The paper trained 30 epochs, here 2: its values are no fair comparison.");
  expect(paperFigureOf(makeStudy({ base: { tower: [{ optimizer: "adam" }] }, axes: [{}].map(() => ({ values: { kind: "list" as const, values: [0.1, 1] } })), heights: { values: [0, 1] } }))).toBeUndefined();
});
