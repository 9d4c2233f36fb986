import { describe, expect, it } from "vitest";
import { expandStudy } from "../../../../src/shared/study/expand.ts";
import { bisectionLevels, trainingRanks } from "../../../../src/shared/study/order.ts";
import type { Study } from "../../../../src/shared/study/study.ts";
import { makeStudy, stepSizeStudy } from "../../../support/studyPoints.ts";

function ordered(study: Study) {
  const expansion = expandStudy(study);
  if (!expansion.ok) throw new Error(JSON.stringify(expansion.errors));
  const ranks = trainingRanks(study, expansion.cells);
  return expansion.cells.toSorted((a, b) => ranks.get(a.key)! - ranks.get(b.key)!);
}

describe("the order of training", () => {
  it("takes the ends and the middle first, then bisects", () => {
    expect(bisectionLevels(9)).toEqual([0, 2, 1, 2, 0, 2, 1, 2, 0]);
    expect([bisectionLevels(0), bisectionLevels(1), bisectionLevels(2), bisectionLevels(4)]).toEqual([[], [0], [0, 0], [0, 0, 1, 0]]);
  });

  it("covers the whole range at once, a point's heights side by side, a second seed of the coarse grid before the finest points", () => {
    const cells = ordered(stepSizeStudy([-8, -7, -6, -5, -4, -3, -2, -1, 0], [0, 2], [0, 1])).map(({ height, values, seed }) => `${Math.round(Math.log10(values[0]!))} h${height} s${seed}`);
    expect(cells.slice(0, 6)).toEqual(["-8 h0 s0", "-8 h2 s0", "-4 h0 s0", "-4 h2 s0", "0 h0 s0", "0 h2 s0"]);
    expect(cells.slice(6, 10)).toEqual(["-6 h0 s0", "-6 h2 s0", "-2 h0 s0", "-2 h2 s0"]);
    expect(cells.slice(10, 16)).toEqual(["-8 h0 s1", "-8 h2 s1", "-4 h0 s1", "-4 h2 s1", "0 h0 s1", "0 h2 s1"]);
    expect(cells.slice(16, 18)).toEqual(["-7 h0 s0", "-7 h2 s0"]);
    expect(new Set(cells).size).toBe(36);
  });

  it("keeps sampled points as they come, and refines two axes together", () => {
    const sampled = makeStudy({ base: { tower: [{ optimizer: "sgd" }] }, axes: [{ values: { kind: "quasiRandom", from: 1e-4, to: 1, points: 6 } }], seeds: [0] });
    const expansion = expandStudy(sampled);
    expect(expansion.ok && ordered(sampled).map(({ key }) => key)).toEqual(expansion.ok && expansion.cells.map(({ key }) => key));
    const two = makeStudy({
      base: { tower: [{ optimizer: "sgd" }] },
      axes: [{ values: { kind: "grid", from: 1e-4, to: 1, points: 5 } }, { hyperparameter: "mu", values: { kind: "list", values: [0, 0.3, 0.6, 0.8, 0.9] } }],
      seeds: [0],
    });
    const coarse = ordered(two).slice(0, 9).map(({ values }) => values);
    expect(new Set(coarse.map(([alpha]) => alpha))).toEqual(new Set([1e-4, 1e-2, 1]));
    expect(new Set(coarse.map(([, mu]) => mu))).toEqual(new Set([0, 0.6, 0.9]));
  });
});
