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

export function tooltipAt(x: number, lines: readonly ChartLine[], xName: string, formatY: (value: number) => string): HTMLElement {
  const box = element("div", "tip");
  const at = Number.isInteger(x) ? formatCount(x) : x.toFixed(2);
  box.append(element("div", "tip-x", `${xName} ${at}`));
  for (const { name, style, points, smoothed } of lines) {
    const point = nearest(points, x);
    if (!point) continue;
    const row = element("div", "tip-row");
    const swatch = element("span", "tip-swatch");
    swatch.style.background = style.color;
    const average = smoothed ? nearest(smoothed, x) : undefined;
    row.append(swatch, element("span", "tip-name", name), element("span", "tip-value", formatY(point[1])));
    if (average) row.append(element("span", "tip-smoothed", `smoothed ${formatY(average[1])}`));
    box.append(row);
  }
  return box;
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
