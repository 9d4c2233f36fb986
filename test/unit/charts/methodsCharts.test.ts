/** Pictures of methods: defaults that are marked, and bars in the order of ranks. */
import { expect, it } from "vitest";
import { meanAt } from "../../../src/charts/defaultMarks.ts";
import { methodBars } from "../../../src/charts/methodBars.ts";
import { methodsChart, methodsHeight } from "../../../src/charts/methodsChart.ts";
import { methodsPanel } from "../../../src/charts/methodsPanel.ts";
import { sensitivityChart } from "../../../src/charts/sensitivityChart.ts";
import { expandStudy } from "../../../src/shared/study/expand.ts";
import { sensitivityOf } from "../../../src/shared/study/sensitivity.ts";
import { makePoint, makeStudy } from "../../support/studyPoints.ts";

const study = makeStudy({
  methods: {
    factors: { kind: "list", values: [0.1, 1, 10] },
    list: [
      { name: "SGD", tower: [{ optimizer: "sgd", alpha: 0.1 }] },
      { name: "Prodigy", tower: [{ optimizer: "prodigy" }], knobs: [{ level: 0, hyperparameter: "alpha" }] },
    ],
  },
  seeds: [0, 1],
});
const expansion = expandStudy(study);
const points = (expansion.ok ? expansion.cells : []).map(({ height, stack = "", values, seed, key }) => ({ ...makePoint(height, values, seed, { error: (stack === "SGD" ? 20 * Math.abs(Math.log10(values[0]!)) + 5 : 4) + 0.1 * seed }), key, stack }));
const found = sensitivityOf(study, points);
const settings = { width: 800, height: 400, theme: "light" } as const;

interface Series {
  readonly type: string;
  readonly name?: string;
  readonly silent?: boolean;
  readonly data: readonly { readonly value?: readonly number[]; readonly told?: () => { title: string } }[];
}
const draw = (absolute: boolean) => sensitivityChart([methodsPanel({ study, curves: found }, absolute)], settings) as { series: Series[]; xAxis: { name: string }[] };
const marksIn = (chart: ReturnType<typeof draw>) => chart.series.filter(({ name, silent }) => silent === true && name === undefined);

it("marks the common default as a line over factors, and each method's as a ring over starting values", () => {
  const factors = draw(false);
  expect(factors.xAxis[0]!.name).toBe("Starting value ÷ published default");
  const line = marksIn(factors).find(({ type, data }) => type === "line" && data.length === 2)!;
  expect(line.data.map((item) => (Array.isArray(item) ? (item as number[])[0] : item.value![0]))).toEqual([1, 1]);
  const values = draw(true);
  expect(values.xAxis[0]!.name).toBe("Starting value (α, d₀)");
  const rings = marksIn(values).find(({ type }) => type === "scatter")!;
  expect(rings.data.map(({ value }) => value)).toEqual([[0.1, 5.05], [1e-6, 4.05]]);
});

it("names the starting value and its factor in a tooltip", () => {
  const title = (absolute: boolean) => draw(absolute).series.find(({ name, type }) => name === "Prodigy" && type === "line")!.data[0]!.told!().title;
  expect(title(false)).toBe("d₀ = 1e-7 (× 0.1), Prodigy");
  expect(title(true)).toBe(title(false));
});

it("finds the mean at a default between the factors, and none outside them", () => {
  const [sgd] = found.curves;
  expect(meanAt(sgd!.points, 1, "log")).toBeCloseTo(5.05, 12);
  expect(meanAt(sgd!.points, Math.sqrt(10), "log")).toBeCloseTo(15.05, 12);
  expect(meanAt(sgd!.points, 100, "log")).toBeNull();
  expect(meanAt(sgd!.points, 0.01, "log")).toBeNull();
});

it("puts the widest range first, a knob below its method, and says where a range may go on", () => {
  const bars = methodBars(found);
  expect(bars.rows).toEqual([
    { name: "Prodigy", method: 1, isKnob: false },
    { name: "α", method: 1, isKnob: true },
    { name: "SGD", method: 0, isKnob: false },
  ]);
  const width = bars.columns.find(({ key }) => key === "width")!;
  expect(width.values.map((estimate) => estimate && Number(estimate.value.toFixed(2)))).toEqual([2, 2, 0.1]);
  expect(width.atLeast).toEqual([true, true, false]);
  // A knob has no time and no default of its own.
  for (const key of ["atDefault", "timePerStep"]) expect(bars.columns.find((column) => column.key === key)!.values[1], key).toBeNull();
  const chart = methodsChart(bars, { ...settings, height: methodsHeight(bars, 800) }) as { series: { data: { told: () => { rows: { value: string }[] } }[] }[] };
  expect(chart.series).toHaveLength(4);
  expect(chart.series[0]!.data[0]!.told().rows[0]!.value).toMatch(/^≥ 2\.0 decades \(/);
});

it("says so while no run has got far enough", () => {
  const chart = methodsChart({ methods: 0, rows: [], columns: [] }, settings) as { title: { text: string }[] };
  expect(chart.title.some(({ text }) => text === "No run has got this far yet.")).toBe(true);
});
