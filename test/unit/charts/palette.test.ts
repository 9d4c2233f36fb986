/** The colors of lines without an order, such as methods. */
import { describe, expect, it } from "vitest";
import { isHollow } from "../../../src/charts/methodsChart.ts";
import { distinctColors, lineStyle } from "../../../src/charts/palette.ts";
import { lookOf, type ChartTheme } from "../../../src/charts/theme.ts";
import { contrast, distance, eyes } from "../../support/colors.ts";

describe.each<ChartTheme>(["light", "dark"])("line colors in the theme %s", (theme) => {
  const styles = Array.from({ length: 3 * distinctColors }, (_, i) => lineStyle(i, theme === "dark"));
  const colors = styles.slice(0, distinctColors).map(({ color }) => color);
  const { background } = lookOf({ theme, width: 1, height: 1 });
  const pairs = colors.flatMap((a, i) => colors.slice(0, i).map((b) => ({ a, b, added: i >= 7 })));

  it("are twelve, and repeat with dashes, then dots", () => {
    expect(new Set(colors).size).toBe(12);
    expect(styles.map(({ dash }) => dash)).toEqual(["solid", "dashed", "dotted"].flatMap((dash) => Array<string>(12).fill(dash)));
    expect([isHollow(11), isHollow(12)]).toEqual([false, true]);
  });

  it("can be seen on the background and told apart", () => {
    for (const color of colors) expect(contrast(color, background), color).toBeGreaterThan(3);
    for (const { a, b, added } of pairs) expect(distance(a, b, eyes["all"]!), `${a} ${b}`).toBeGreaterThan(added ? 20 : 15);
  });

  it.each(["protan", "deutan"])("beyond the first seven are told apart by %s eyes", (eye) => {
    for (const { a, b, added } of pairs) if (added) expect(distance(a, b, eyes[eye]!), `${a} ${b}`).toBeGreaterThan(10);
  });
});
