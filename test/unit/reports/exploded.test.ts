/** An exploded run in a study's report: in its tables, and named on its page. */
import { describe, expect, it } from "vitest";
import type { StudyDetail } from "../../../src/shared/study/result.ts";
import { sensitivityOf } from "../../../src/shared/study/sensitivity.ts";
import { studyPage } from "../../../src/main/reports/report/studyPage.ts";
import { curvesTable, runsTable, type Table } from "../../../src/main/reports/report/studyTables.ts";
import type { RunSource } from "../../../src/main/reports/report/source.ts";
import { makePoints, makeStudy } from "../../support/studyPoints.ts";

const study = makeStudy({
  base: { dataset: { kind: "war-and-peace" }, model: { kind: "charRnn" }, tower: [{ optimizer: "adam" }] },
  axes: [{ values: { kind: "list", values: [0.001, 0.1] } }],
  seeds: [0, 1],
});
const points = makePoints(study, (_, [alpha], seed) => ({ evaluations: [{ testLoss: alpha === 0.1 && seed === 1 ? 3390 : 2 }], status: "finished" }));
const detail: StudyDetail = {
  id: "20260101-000000-study", name: "Texts", status: "finished", reason: null, study, createdAt: 0, startedAt: 0, finishedAt: 1000, trained: { milliseconds: 0, from: "clock" }, runningSince: null, total: 4,
  finished: 4, diverged: 0, failed: 0, pruned: 0, skipped: 0, running: 0, millisecondsLeft: null, deletedAt: null, points,
};
const source = { program: { name: "hypertower", version: "0.0.0", commit: null } } as unknown as RunSource;
const of = { study: detail, source };
const runs = points.map((point) => ({ point, run: null }));
const found = sensitivityOf(study, points);

const linesOf = ({ columns, rows }: Table) => [...rows()].map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i]])));

describe("an exploded run in a report", () => {
  it("is counted in curves.csv, and in the mean", () => {
    expect(linesOf(curvesTable(of, found))).toMatchObject([
      { runs: 2, counted: 2, exploded: 0, countedAs: null },
      { runs: 2, counted: 2, diverged: 0, exploded: 1, lost: 0, countedAs: found.penalty, mean: (Math.exp(2) + found.penalty!) / 2 },
    ]);
  });

  it("is named in runs.csv", () => {
    expect(linesOf(runsTable(of, runs)).map((line) => line["testPerplexity.outcome"])).toEqual(["measured", "measured", "measured", "exploded"]);
  });

  it("is counted and named on the page, with what the mean contains", () => {
    const page = studyPage(of, runs, found, [], []);
    expect(page).toContain("4 runs: 3 finished, 1 exploded.");
    expect(page).toContain("mean of 2, 1 exploded counts as");
    expect(page).toContain("exploded after 100 steps");
    expect(page).toContain("Exploded: not finite, or far worse than guessing");
  });
});
