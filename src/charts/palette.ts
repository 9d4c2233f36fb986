/**
 * Line colors. The first seven are after Okabe and Ito, whom people with color-vision deficiencies can follow; the other
 * five are from Plotly's Dark24 and Light24 (made with Coombes et al. 2019, *Polychrome*): those that are farthest from the rest to normal,
 * protan and deutan eyes, with a contrast of at least 3 to the background.
 */
const light = ["#0072b2", "#d55e00", "#00855f", "#b0548a", "#b87c00", "#3f97cf", "#4a4f59", "#511cfb", "#b2828d", "#af0038", "#1616a7", "#620042"];
const dark = ["#56b4e9", "#f08a3c", "#2fc79a", "#e39ac2", "#f0d75c", "#8fa3ff", "#c9ced8", "#d626ff", "#22ffa7", "#dc587d", "#0df9ff", "#c9fbe5"];

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
