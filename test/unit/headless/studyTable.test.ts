import { describe, expect, it } from "vitest";
import { resultsTable } from "../../../src/main/headless/study/table.ts";
import { makePoints, makeStudy } from "../../support/studyPoints.ts";

describe("the table of a study's results", () => {
  it("names its spread, and counts exploded and diverged runs as the worst", () => {
    const study = makeStudy({
      base: { dataset: { kind: "war-and-peace" }, model: { kind: "charRnn" }, tower: [{ optimizer: "adam" }] },
      axes: [{ values: { kind: "list", values: [0.001, 0.01, 0.1] } }],
      seeds: [0, 1, 2],
    });
    const points = makePoints(study, (_, [alpha], seed) => {
      if (alpha === 0.1) return seed === 0 ? { evaluations: [{ testLoss: Math.log(6) }], status: "finished" } : seed === 1 ? { evaluations: [{ testLoss: 3390 }], status: "finished" } : {};
      return alpha === 0.01 && seed === 2 ? { status: "failed" } : { evaluations: [{ testLoss: Math.log(4 + seed) }], status: "finished" };
    });
    const [head, first, second, third] = resultsTable(study, points).split("\n");
    expect(head).toContain("TEST PERPLEXITY ± STANDARD ERROR");
    expect(first).toMatch(/0\.001\s+3\s+5 ± 0\.5774\s*$/);
    expect(second).toMatch(/0\.01\s+2\s+4\.5 ± 0\.5\s+1 failed/);
    expect(third).toMatch(/0\.1\s+3\s+[\d.]+ ± [\d.]+\s+1 diverged and 1 exploded count as \d+/);
  });

  it("has no spread in its head where there is a single seed", () => {
    const study = makeStudy({ base: { tower: [{ optimizer: "sgd" }] }, seeds: [0] });
    expect(resultsTable(study, makePoints(study, () => ({ error: 5 })))).not.toContain("±");
  });
});
