// @vitest-environment happy-dom
import { expect, test } from "vitest";
import type { ChartLine } from "@charts/chartLines.ts";
import { lineStyle } from "@charts/palette.ts";
import { fillTooltip, tooltipAt, tooltipRows } from "@/components/charts/tooltip.ts";

const lineAt = (name: string, value: number): ChartLine => ({ name, style: lineStyle(0, false), points: [[5, value]], smoothed: null, total: 1, nonFinite: 0 });
const namesIn = (box: HTMLElement, rows = ".tip-row") => [...box.querySelectorAll(`${rows} .tip-name`)].map(({ textContent }) => textContent);

test("a tooltip sorts lines by value and marks the one nearest to the pointer on its axis", () => {
  const lines = [lineAt("low", 1), lineAt("high", 100), lineAt("zero", 0)];
  const box = tooltipAt({ x: 5, y: 30, yLog: false }, lines, "Step", String);
  expect(namesIn(box)).toEqual(["high", "low", "zero"]);
  expect(namesIn(box, ".tip-near")).toEqual(["low"]);
  fillTooltip(box, { x: 5, y: 30, yLog: true }, lines, "Step", String);
  expect(namesIn(box, ".tip-near")).toEqual(["high"]);
  fillTooltip(box, { x: 5, y: undefined, yLog: true }, lines, "Step", String);
  expect(namesIn(box, ".tip-near")).toEqual([]);
});

test("a tooltip of many lines lists the largest values and the nearest line, and counts the others", () => {
  const lines = Array.from({ length: 60 }, (_, i) => lineAt(`run ${i}`, i));
  const box = tooltipAt({ x: 5, y: 3.2, yLog: false }, lines, "Step", String);
  expect(namesIn(box)).toHaveLength(tooltipRows);
  expect(namesIn(box)[0]).toBe("run 59");
  expect(namesIn(box).at(-1)).toBe("run 3");
  expect(box.textContent).toContain("and 48 more");
});
