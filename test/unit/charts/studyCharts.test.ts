/** Charts of studies: nothing is left out, everything is named, and what is drawn is what was measured. */
import { describe, expect, it } from "vitest";
import { heatMapChart } from "../../../src/charts/heatMapChart.ts";
import { sensitivityChart } from "../../../src/charts/sensitivityChart.ts";
import { explodedPath, type ChartItem, type SensitivitySettings } from "../../../src/charts/sensitivityPanel.ts";
import type { ChartLine } from "../../../src/charts/chartLines.ts";
import { numbersChart, numbersHeight } from "../../../src/charts/numbersChart.ts";
import { estimateText, numberColumns } from "../../../src/charts/numberTable.ts";
import { runChart } from "../../../src/charts/runChart.ts";
import { trajectoriesChart } from "../../../src/charts/trajectoriesChart.ts";
import { sensitivityOf } from "../../../src/shared/study/sensitivity.ts";
import { curveNames } from "../../../src/charts/studyText.ts";
import { chartThemes, orderedColor, type TooltipContent } from "../../../src/charts/theme.ts";
import { renderSvg } from "../../../src/main/reports/pictures/render.ts";
import type { StudyPoint } from "../../../src/shared/study/result.ts";
import { studyCurves, studyGrids } from "../../../src/shared/study/curves.ts";
import { findPaperFigure } from "../../../src/shared/study/paperFigures.ts";
import { eyes, lab } from "../../support/colors.ts";
import { makePoints, makeStudy, stepSizeStudy } from "../../support/studyPoints.ts";
import { figureStudy, pretendStudy, studyOf } from "../../support/pretendStudy.ts";

const settings: SensitivitySettings = { theme: "light", width: 760, height: 470, fontFamily: "Inter", title: "A title" };
const metric = { name: "testError", at: "final" } as const;

interface Series {
  readonly type: string;
  readonly name?: string;
  readonly symbol?: string;
  readonly data: readonly (Partial<ChartItem> & { readonly told?: () => TooltipContent })[];
}
const seriesOf = (option: Record<string, unknown>) => option.series as Series[];
const panelOf = (study = figureStudy(), points = pretendStudy(study).points) => ({ study, curves: studyCurves(study, points, { metric }) });

describe("the headline picture", () => {
  it("draws every run: those that diverged as crosses above the plot, all others as dots", () => {
    const study = figureStudy();
    const { points } = pretendStudy(study);
    const series = seriesOf(sensitivityChart([panelOf(study, points)], settings)).filter(({ type }) => type === "scatter");
    const runsOf = (cross: boolean) => series.filter(({ symbol }) => symbol?.startsWith("path") === cross).flatMap(({ data }) => data.flatMap(({ runs }) => runs ?? []));
    const ids = (diverged: boolean) => points.filter(({ status }) => (status === "diverged") === diverged).map(({ run }) => run!);
    expect(ids(true).length).toBeGreaterThan(0);
    expect(runsOf(true).toSorted()).toEqual(ids(true).toSorted());
    expect(runsOf(false).toSorted()).toEqual(ids(false).toSorted());
  });

  it("draws the mean of a point at its mean, and says so with every seed", () => {
    const panel = panelOf();
    const [curve] = panel.curves.curves;
    const line = seriesOf(sensitivityChart([panel], settings)).find(({ type, name }) => type === "line" && name === "height 0 (SGD)")!;
    expect(line.data.map(({ value }) => value)).toEqual(curve!.points.map(({ x, mean }) => [x, mean]));
    const said = line.data.at(-1)!.told!();
    expect(said.title).toBe("α = 100, height 0 (SGD)");
    expect(said.rows.map(({ value }) => value)).toEqual(["90.20 % ± 0.00 %", "diverged", "diverged", "diverged"]);
    expect(said.rows[0]).toMatchObject({ name: "mean of 3 ± standard error", note: "3 diverged count as 90.20 %" });
  });

  it("draws exploded runs as triangles above the plot, named and counted", () => {
    const study = stepSizeStudy([-2, -1, 0], [0, 1], [0, 1, 2]);
    const loss = { name: "testLoss", at: "final" } as const;
    const points = makePoints(study, (height, [x], seed) => (height === 1 || x !== 1 || seed === 0 ? { evaluations: [{ testLoss: 0.3 }], status: "finished" } : seed === 1 ? { evaluations: [{ testLoss: 3390 }], status: "finished" } : {}));
    const panel = { study, curves: studyCurves(study, points, { metric: loss }) };
    const option = sensitivityChart([panel], settings);
    const triangles = seriesOf(option).filter(({ symbol }) => symbol === explodedPath);
    expect(triangles.flatMap(({ data }) => data.flatMap(({ runs }) => runs ?? []))).toEqual(["run-0-1-1"]);
    const said = triangles[0]!.data[0]!.told!();
    expect(said.rows[0]).toMatchObject({ name: "mean of 3 ± standard error", note: "1 diverged and 1 exploded count as 2.303" });
    expect(said.rows.map(({ value }) => value)).toContain("exploded");
    // The explosion does not flatten the picture.
    expect(JSON.stringify((option.yAxis as { max: number }[])[0]!.max)).toBe("2.5");
    const svg = renderSvg(option, settings);
    expect(svg).toContain(">worst<");
    expect(svg).toContain(">2/3<");
    const towers = makeStudy({ base: { tower: [{ optimizer: "sgd" }] }, heights: { values: [0, 1] }, seeds: [0, 1] });
    const one = makePoints(towers, (height, _, seed) => ({ evaluations: [{ testLoss: height === 1 && seed === 1 ? 3390 : 0.3 }], status: "finished" }));
    const row = seriesOf(sensitivityChart([{ study: towers, curves: studyCurves(towers, one, { metric: loss }) }], settings)).filter(({ symbol, data }) => symbol === explodedPath && data.length > 0);
    expect(row.flatMap(({ data }) => data[0]!.runs)).toEqual(["run-1--1"]);
  });

  it("names axes, curves and published values", () => {
    const svg = renderSvg(sensitivityChart([{ ...panelOf(), reference: findPaperFigure("figure4a")! }], { ...settings, footer: ["where it comes from"] }), settings);
    for (const text of ["A title", "Initial step size α", "Test error (%)", "height 0 (SGD)", "height 3", "diverged", "10⁻⁸", "10²", "paper, Figure 4a (read by eye; 30 epochs, here 2)", "where it comes from"]) {
      expect(svg).toContain(`>${text}<`);
    }
  });

  it("says beside published values that they come from another budget", () => {
    const study = figureStudy();
    const legendOf = (epochs: number) => renderSvg(sensitivityChart([{ ...panelOf({ ...study, base: { ...study.base, budget: { epochs } } }), reference: findPaperFigure("figure4a")! }], settings), settings);
    expect(legendOf(2)).toContain(">paper, Figure 4a (read by eye; 30 epochs, here 2)<");
    expect(legendOf(30)).toContain(">paper, Figure 4a (read by eye)<");
  });

  it("gives several panels of one metric one scale, and labels it once", () => {
    const low = pretendStudy(figureStudy(), { change: (point) => ({ ...point, evaluations: point.evaluations.map((e) => ({ ...e, testError: 1 })) }), diverges: () => false });
    const option = sensitivityChart([{ title: "a", ...panelOf() }, { title: "b", ...panelOf(figureStudy(), low.points) }], settings);
    const axes = (option.yAxis as { min: number; max: number; gridIndex: number; name?: string; axisLabel: { show: boolean } }[]).filter(({ max }) => max > 10);
    expect(axes.map(({ min, max }) => [min, max])).toEqual([[0, 100], [0, 100]]);
    expect(axes.map(({ axisLabel }) => axisLabel.show)).toEqual([true, false]);
  });

  it("says that there is nothing yet", () => {
    const waiting = pretendStudy(figureStudy(), { change: (point) => ({ ...point, status: "waiting", run: null, evaluations: [] }) });
    expect(renderSvg(sensitivityChart([panelOf(figureStudy(), waiting.points)], settings), settings)).toContain("No run has got this far yet.");
  });

  it("draws the same picture every time", () => {
    const draw = () => renderSvg(sensitivityChart([panelOf()], settings), settings);
    const first = draw();
    expect(draw()).toBe(first);
  });
});

it("gives a study without axes a row for each tower, every run in it", () => {
  const study = studyOf({ stacks: [{ name: "plain", tower: [{ optimizer: "sgd" }] }, { name: "tall", tower: [{ optimizer: "sgd" }, { optimizer: "sgd" }] }], seeds: [0, 1, 2] });
  const point = (stack: string, seed: number, testError: number | null): StudyPoint => ({
    key: `${stack}|s${seed}`, height: stack === "plain" ? 0 : 1, stack, values: [], seed, run: `${stack}-${seed}`, status: testError === null ? "diverged" : "finished", reason: null,
    attempts: 1, steps: 10, totalSteps: 10, trainingTime: 10, hyperparameters: [], evaluations: testError === null ? [] : [{ step: 10, epoch: 1, trainLoss: null, testLoss: null, testError }],
  });
  const points = [point("plain", 0, 8), point("plain", 1, 9), point("plain", 2, 10), point("tall", 0, 4), point("tall", 1, 5), point("tall", 2, null)];
  const option = sensitivityChart([panelOf(study, points)], settings);
  const at = (y: number, path: boolean) => seriesOf(option).filter(({ type, symbol }) => type === "scatter" && symbol?.startsWith("path") === path).flatMap(({ data }) => data).filter(({ value }) => value![1] === y);
  expect(at(1, false).map(({ value }) => value![0])).toEqual([8, 9, 10, 9]);
  expect(at(0, true).map(({ runs }) => runs)).toEqual([["tall-2"]]);
  expect(at(0, true)[0]!.value![0]).toBeGreaterThan(10);
  const svg = renderSvg(option, settings);
  for (const text of ["plain", "tall", "Test error (%)", "1/3"]) expect(svg).toContain(`>${text}<`);
});

it("names towers by their optimizers where these differ", () => {
  const mixed = studyOf({ base: { tower: [{ optimizer: "adam" }] }, heights: { values: [0, 1, 4], upper: { optimizer: "sgd" } } });
  const curves = mixed.heights!.values.map((height) => ({ height, stack: null, label: `height ${height}` }));
  expect(curveNames(mixed, curves)).toEqual(["height 0 (Adam)", "height 1 (Adam / SGD)", "height 4 (Adam / SGD …)"]);
});

describe("the heat map", () => {
  const two = studyOf({
    base: { tower: [{ optimizer: "sgd", mu: 0.5 }] },
    axes: [
      { level: 0, hyperparameter: "alpha", values: { kind: "list", values: [0.01, 1, 100] } },
      { level: 0, hyperparameter: "mu", values: { kind: "list", values: [0.1, 0.9] } },
    ],
    heights: { values: [0, 1], rule: { kind: "base" } },
    seeds: [0, 1],
  });
  const detail = pretendStudy(two);

  it("has a cell for every pair of values and height, with its runs", () => {
    const option = heatMapChart(two, studyGrids(two, detail.points, { metric }), settings);
    const plots = seriesOf(option).filter(({ name }) => name?.startsWith("height"));
    expect(plots.map(({ data }) => data.map(({ value }) => value))).toEqual(Array(2).fill([[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]]));
    expect(plots.flatMap(({ data }) => data.flatMap(({ runs }) => runs ?? [])).toSorted()).toEqual(detail.points.map(({ run }) => run!).toSorted());
  });

  it("writes both axes and what the colors mean", () => {
    const svg = renderSvg(heatMapChart(two, studyGrids(two, detail.points, { metric }), settings), settings);
    for (const text of ["Initial step size α", "Initial momentum μ", "Test error (%)", "height 1", "0.9"]) expect(svg).toContain(`>${text}<`);
  });
});

describe("learned trajectories", () => {
  const study = figureStudy();
  const { points } = pretendStudy(study);
  const found = points.map(({ key, run, values }) => ({ key, run: run!, steps: [0, 1, 2], values: [values[0]!, -1, 0.5] }));

  it("draws a line for every run, and says what a log axis has no place for", () => {
    const option = trajectoriesChart(study, points, found, "L0.alpha", { ...settings, perHeight: true, colorBy: "start" });
    const lines = seriesOf(option).filter(({ type }) => type === "line");
    expect(lines.map(({ data }) => data)).toEqual(points.map(({ values }) => [[0, values[0]], [1, null], [2, 0.5]]));
    const svg = renderSvg(option, settings);
    for (const text of ["Step size α of level 0", "height 3", "α = 1e-8", "33 values at or below 0 not drawn"]) expect(svg).toContain(`>${text}<`);
  });

  it("is not flattened by what a run leaps to: such values stand at the edge, marked and counted", () => {
    const leap = (option: Record<string, unknown>) => seriesOf(option).filter(({ type, data }) => type === "line" && data.length === 4);
    const longer = found.map(({ values, ...of }, i) => ({ ...of, steps: [0, 1, 2, 3], values: [values[0]!, 0.4, 0.5, i === 0 ? 1e60 : 0.5] }));
    for (const yLog of [true, false]) {
      const option = trajectoriesChart(study, points, longer, "L0.alpha", { ...settings, yLog });
      const [y] = option.yAxis as { min: number; max: number }[];
      expect(y!.max).toBeLessThan(1e4);
      const data = leap(option)[0]!.data as unknown as [number, number][];
      expect(data.at(-1)).toEqual([3, y!.max]);
      expect(seriesOf(option).filter(({ data: marks }) => (marks as readonly { symbol?: string }[]).some(({ symbol }) => symbol === "triangle"))).toHaveLength(1);
      expect(renderSvg(option, settings)).toContain(">1 beyond the axis<");
    }
  });

  it("draws more values than a call has room for", () => {
    const steps = Array.from({ length: 70_000 }, (_, i) => i);
    const many = found.slice(0, 2).map((of) => ({ ...of, steps, values: steps.map(() => 0.5) }));
    expect((trajectoriesChart(study, points, many, "L0.alpha", settings).xAxis as { max: number }[])[0]!.max).toBe(69_999);
  });

  it("marks where runs diverged", () => {
    const ends = seriesOf(trajectoriesChart(study, points, found, "L0.alpha", settings)).filter(({ type }) => type === "scatter");
    const crossed = ends.filter(({ symbol }) => symbol?.startsWith("path")).flatMap(({ data }) => data.flatMap(({ runs }) => runs ?? []));
    expect(crossed).toEqual(points.filter(({ status }) => status === "diverged").map(({ run }) => run));
  });
});

describe("the numbers", () => {
  const study = figureStudy();
  const found = sensitivityOf(study, pretendStudy(study).points);

  it("are a table whose entries have their unit and interval", () => {
    const columns = numberColumns(found);
    const width = columns.find(({ key }) => key === "width")!;
    const { value, interval } = found.heights[0]!.numbers!.width;
    expect(estimateText(width, width.of(found.heights[0]!))).toBe(`${value.toFixed(1)} decades (${interval![0].toFixed(1)} to ${interval![1].toFixed(1)})`);
    expect(width.definition).toContain("within 1 percentage point of the best of the same height");
    expect(columns.find(({ key }) => key === "gain")!.of(found.heights[0]!)).toBeNull();
  });

  it("say nothing of a range while a height has one value", () => {
    const { points } = pretendStudy(study);
    const first = points.filter(({ height, values: [x] }) => height !== 0 || x === 1e-8);
    const early = sensitivityOf(study, first);
    const of = (key: string, height: number) => numberColumns(early).find((column) => column.key === key)!.of(early.heights[height]!);
    expect(early.heights[0]!.known).toBe(1);
    expect([of("sensitivity", 0), of("width", 0)]).toEqual([null, null]);
    expect(of("best", 0)).not.toBeNull();
    expect(of("sensitivity", 1)).not.toBeNull();
  });

  it("have room for every plot, however narrow", () => {
    for (const width of [1100, 700, 320]) {
      const { grid } = numbersChart(study, found, { ...settings, width, height: numbersHeight(found, width) }) as { grid: { top: number; height: number }[] };
      const rows = [...new Set(grid.map(({ top }) => top))].toSorted((a, b) => a - b);
      expect(grid).toHaveLength(5);
      // Beyond the least height that the layout gives, and clear of the labels between rows.
      expect(Math.min(...grid.map(({ height }) => height))).toBeGreaterThan(30 * found.heights.length);
      for (const [i, top] of rows.slice(1).entries()) expect(top - rows[i]! - grid[0]!.height).toBeGreaterThan(50);
    }
  });

  it("are drawn with every height", () => {
    const svg = renderSvg(numbersChart(study, found, settings), settings);
    for (const text of ["height 0 (SGD)", "height 3", "Usable width", "decades", "Sensitivity", "points"]) expect(svg).toContain(`>${text}<`);
  });
});

it("draws a run's curves, and says what they leave out", () => {
  const line: ChartLine = { name: "loss", style: { color: "#000000", dash: "solid" }, points: [[0, 2], [1, -1], [2, 1]], smoothed: null, total: 4, nonFinite: 1 };
  const svg = renderSvg(runChart([{ title: "Training loss", yName: "Loss (nats)", xName: "Step", yLog: true, lines: [line] }], settings), settings);
  for (const text of ["Training loss", "Loss (nats)", "Step", "1 at or below 0 not drawn; 1 not finite"]) expect(svg).toContain(`>${text}<`);
});

describe("colors of heights", () => {
  it.each(chartThemes.flatMap((theme) => Object.keys(eyes).map((eye) => [theme, eye] as const)))("are told apart in the theme %s by %s eyes, in an order of lightness", (theme, eye) => {
    for (const count of [2, 3, 4, 5, 6]) {
      const colors = Array.from({ length: count }, (_, i) => lab(orderedColor(i, count, theme), eyes[eye]!));
      for (let i = 1; i < count; i++) {
        const [a, b] = [colors[i - 1]!, colors[i]!];
        expect(Math.hypot(...a.map((value, j) => value - b[j]!))).toBeGreaterThan(10);
        expect(b[0]!).toBeGreaterThan(a[0]!);
      }
    }
  });
});
