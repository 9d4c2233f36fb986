import { describe, expect, it } from "vitest";
import { lineChart } from "../../../src/charts/lineChart.ts";
import { clip, verticalScale } from "../../../src/charts/clipping.ts";
import { lineOf, type ChartLine } from "../../../src/charts/chartLines.ts";
import { bucketOf, coarsen } from "../../../src/shared/series.ts";

const style = { color: "#0072b2", dash: "solid" } as const;
const line = (name: string, values: readonly number[], steps = 0, width = 1): ChartLine =>
  lineOf(name, style, { buckets: coarsen(values.map((value, step) => bucketOf(step, value)), width), total: values.length }, steps);
const falling = Array.from({ length: 40 }, (_, i) => 2 / (1 + i));

describe("values beyond the axis", () => {
  const diverged = { ...line("diverged", [2, 3, 1e9, 1e30, 1e30]), divergedAt: [4] };
  const lines = [line("sound", falling), diverged];
  const scale = verticalScale(lines, false, true)!;
  const clipped = clip(diverged, scale, false, true);

  it("stand at its edge, are counted, and the first says how many there are", () => {
    expect(scale.max).toBeLessThan(1e9);
    expect(clipped.clipped).toBe(3);
    expect(clipped.points.map(([, y]) => y)).toEqual([2, 3, scale.max, scale.max, scale.max]);
    expect(clipped.marks.filter(({ kind }) => kind === "above")).toEqual([{ kind: "above", at: [2, scale.max], label: "3 above" }]);
  });

  it("are no obstacle to marking where the run diverged", () => {
    expect(clipped.marks).toContainEqual({ kind: "diverged", at: [4, scale.max], label: "diverged" });
  });

  it("reach the chart as marks in the line's color, in a series of their own", () => {
    const option = lineChart(lines, { xLog: false, yLog: true, dark: false, x: undefined, y: scale, unit: "", tooltip: () => "" }) as { series: { name: string; data: { symbol?: string }[] }[] };
    expect(option.series.map(({ name }) => name)).toEqual(["sound", "diverged", "diverged (marks)"]);
    expect(option.series[2]!.data).toHaveLength(2);
  });
});

describe("values that are not finite", () => {
  it("interrupt the line, and a mark says where", () => {
    const broken = line("loss", [3, 2, NaN, NaN, 1, 1]);
    const { points, marks } = clip(broken, verticalScale([broken], false, false), false, false);
    expect(points).toEqual([[0, 3], [1, 2], [2, NaN], [3, NaN], [4, 1], [5, 1]]);
    expect(marks).toEqual([{ kind: "gap", at: [2, 2] }]);
  });

  it("interrupt the smoothed line too", () => {
    const broken = line("loss", [3, 2, NaN, 1, 1], 10);
    const { smoothed } = clip(broken, verticalScale([broken], false, false), false, false);
    expect(smoothed?.map(([x, y]) => [x, Number.isNaN(y)])).toEqual([[0, false], [1, false], [2, true], [3, false], [4, false]]);
  });

  it("interrupt it after the bucket they are held in", () => {
    const broken = line("loss", [4, NaN, 3, 2], 0, 2);
    expect(clip(broken, undefined, false, true).points).toEqual([[0, 4], [1, NaN], [2, 3], [3, 2]]);
  });

  it("leave the end of a line that diverged to the mark of its divergence", () => {
    const broken = { ...line("loss", [3, 2, NaN]), divergedAt: [2] };
    expect(clip(broken, verticalScale([broken], false, false), false, false).marks).toEqual([{ kind: "diverged", at: [1, 2], label: "diverged" }]);
  });
});
