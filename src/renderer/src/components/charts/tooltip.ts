/**
 * Chart tooltips, built from elements: the content security policy forbids inline styles in markup.
 */
import type { TooltipContent } from "@charts/theme.ts";
import { nearest, type ChartLine } from "@charts/chartLines.ts";
import { formatCount } from "@/lib/format.ts";

function element(tag: string, className: string, text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Number of lines that a tooltip lists; the line nearest to the pointer is always among them. */
export const tooltipRows = 12;

export interface TooltipPlace {
  readonly x: number;
  /** Vertical position of the pointer; undefined if unknown. */
  readonly y: number | undefined;
  readonly yLog: boolean;
}

/** A list of the lines' values at a position, largest first, that marks the line nearest to the pointer. */
export function tooltipAt(place: TooltipPlace, lines: readonly ChartLine[], xName: string, formatY: (value: number) => string): HTMLElement {
  const box = element("div", "tip");
  fillTooltip(box, place, lines, xName, formatY);
  return box;
}

/** Replaces the content of a tooltip. */
export function fillTooltip(box: HTMLElement, { x, y, yLog }: TooltipPlace, lines: readonly ChartLine[], xName: string, formatY: (value: number) => string): void {
  const found = lines
    .flatMap((line) => {
      const point = nearest(line.points, x);
      return point ? [{ line, value: point[1] }] : [];
    })
    .sort((a, b) => b.value - a.value);
  const onAxis = (value: number) => (yLog ? Math.log10(value) : value);
  const distance = (value: number) => (y === undefined || (yLog && value <= 0) ? Infinity : Math.abs(onAxis(value) - onAxis(y)));
  const closest = found.reduce((best, entry) => Math.min(best, distance(entry.value)), Infinity);
  const near = found.length > 1 && closest < Infinity ? found.find(({ value }) => distance(value) === closest) : undefined;
  const top = found.slice(0, tooltipRows);
  const shown = near && !top.includes(near) ? [...top.slice(0, -1), near] : top;
  const at = Number.isInteger(x) ? formatCount(x) : x.toFixed(2);
  box.replaceChildren(element("div", "tip-x", `${xName} ${at}`));
  for (const entry of shown) {
    const { line: { name, style, smoothed }, value } = entry;
    const row = element("div", entry === near ? "tip-row tip-near" : "tip-row");
    const swatch = element("span", "tip-swatch");
    swatch.style.background = style.color;
    const average = smoothed ? nearest(smoothed, x) : undefined;
    row.append(swatch, element("span", "tip-name", name), element("span", "tip-value", formatY(value)));
    if (average) row.append(element("span", "tip-smoothed", `smoothed ${formatY(average[1])}`));
    box.append(row);
  }
  if (found.length > shown.length) box.append(element("div", "tip-x", `and ${formatCount(found.length - shown.length)} more`));
}

/** Tooltip of an item in a study chart. */
export function tooltipOf({ title, rows }: TooltipContent): HTMLElement {
  const box = element("div", "tip");
  box.append(element("div", "tip-x", title));
  for (const { color, name, value, note } of rows) {
    const row = element("div", "tip-row");
    if (color !== undefined) {
      const swatch = element("span", "tip-swatch");
      swatch.style.background = color;
      row.append(swatch);
    }
    row.append(element("span", "tip-name", name), element("span", "tip-value", value));
    if (note !== undefined) row.append(element("span", "tip-smoothed", note));
    box.append(row);
  }
  return box;
}
