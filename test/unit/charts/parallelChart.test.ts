import { describe, expect, it } from "vitest";
import { parallelChart, placesOn, type ParallelAxis } from "../../../src/charts/parallelChart.ts";
import { renderSvg } from "../../../src/main/reports/pictures/render.ts";

const format = String;

describe("places on an axis", () => {
  it("keep the order and the distances of numbers, in decades on a logarithmic one", () => {
    const { at } = placesOn({ scale: "log", values: [1e-4, 1e-2, 1] });
    expect(at[1]! - at[0]!).toBeCloseTo(at[2]! - at[1]!, 12);
    const linear = placesOn({ scale: "linear", values: [0, 1, 3] });
    expect(linear.at[2]! - linear.at[1]!).toBeCloseTo(2 * (linear.at[1]! - linear.at[0]!), 12);
    expect(linear.ticks.map(({ label }) => Number(label))).toEqual([0, 1, 3]);
  });

  it("put those without a value at the foot, below all others", () => {
    const { at, ticks } = placesOn({ scale: "log", values: [null, 1e-5, 1e-3] });
    expect(at[0]).toBe(0);
    expect(Math.min(at[1]!, at[2]!)).toBeGreaterThan(0.1);
    expect(ticks[0]).toEqual({ at: 0, label: "none" });
  });

  it("stand evenly for names", () => {
    expect(placesOn({ scale: "category", values: ["tanh", "relu", "sigmoid"] }).at).toEqual([1, 0, 0.5]);
    expect(placesOn({ scale: "category", values: ["tanh", "tanh"] }).at).toEqual([0.5, 0.5]);
  });
});

describe("parallel coordinates", () => {
  const axes: ParallelAxis[] = [
    { label: "α of level 0", scale: "log", values: [1e-4, 1e-2, 1], format },
    { label: "test error", scale: "linear", values: [90, 5, 40], format },
  ];
  const lines = [{ name: "a", note: "diverged" }, { name: "b" }, { name: "c" }];

  it("draw every run with what it is, the worst darkest on light ground", () => {
    const option = parallelChart(axes, lines, { theme: "light", width: 600, height: 300 });
    const [{ data }] = option.series as [{ data: { name: string; value: number[]; lineStyle: { color: string }; told: () => unknown }[] }];
    expect(data.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect(data.map(({ value }) => value.length)).toEqual([2, 2, 2]);
    const light = (color: string) => [1, 3, 5].reduce((sum, i) => sum + Number.parseInt(color.slice(i, i + 2), 16), 0);
    expect(light(data[0]!.lineStyle.color)).toBeLessThan(light(data[2]!.lineStyle.color));
    expect(light(data[2]!.lineStyle.color)).toBeLessThan(light(data[1]!.lineStyle.color));
    expect(data[0]!.told()).toEqual({ title: "a", rows: [{ name: "α of level 0", value: "0.0001" }, { name: "test error", value: "90", note: "diverged" }] });
  });

  it("can be drawn without a window", () => {
    const svg = renderSvg(parallelChart(axes, lines, { theme: "print", width: 600, height: 300 }), { width: 600, height: 300 });
    expect(svg).toContain("α of level 0");
    expect(svg).toContain("10⁻²");
  });
});
