/** Line colors that people with color-vision deficiencies can distinguish (after Okabe and Ito). */
const light = ["#0072b2", "#d55e00", "#00855f", "#b0548a", "#b87c00", "#3f97cf", "#4a4f59"];
const dark = ["#56b4e9", "#f08a3c", "#2fc79a", "#e39ac2", "#f0d75c", "#8fa3ff", "#c9ced8"];

export type Dash = "solid" | "dashed" | "dotted";
const dashes: readonly Dash[] = ["solid", "dashed", "dotted"];

export interface LineStyle {
  readonly color: string;
  readonly dash: Dash;
}

/** Style of the n-th line: solid colors first, then dashed and dotted. */
export function lineStyle(index: number, isDark: boolean): LineStyle {
  const colors = isDark ? dark : light;
  return {
    color: colors[index % colors.length] ?? "#888888",
    dash: dashes[Math.floor(index / colors.length) % dashes.length] ?? "solid",
  };
}

/** Number of lines with a color of their own. */
export const distinctColors = light.length;
