/** Chart themes: colors, type and sizes. */

import { lineStyle, type LineStyle } from "./palette.ts";

/** `print` is for paper: white background, darker lines. */
export const chartThemes = ["light", "dark", "print"] as const;
export type ChartTheme = (typeof chartThemes)[number];

export interface ChartSize {
  /** In pixels at scale 1. */
  readonly width: number;
  readonly height: number;
}

/** Settings of a picture apart from its data. */
export interface ChartSettings extends ChartSize {
  readonly theme: ChartTheme;
  /** Font families in order of preference; the window's font by default. */
  readonly fontFamily?: string;
  /** Size of axis labels in pixels; titles scale with it. */
  readonly fontSize?: number;
  /** Title inside the picture; windows show it outside. */
  readonly title?: string;
  readonly subtitle?: string;
  /** Lines below the picture that describe its configuration. */
  readonly footer?: readonly string[];
  /** Makes the window element of a tooltip. Without it there are no tooltips. */
  readonly tooltip?: (content: TooltipContent) => unknown;
}

/** Content of a tooltip, without its layout. */
export interface TooltipContent {
  readonly title: string;
  readonly rows: readonly { readonly color?: string; readonly name: string; readonly value: string; readonly note?: string }[];
}

export interface Look {
  readonly theme: ChartTheme;
  readonly background: string;
  readonly text: string;
  readonly soft: string;
  readonly faint: string;
  readonly axis: string;
  readonly grid: string;
  /** Background of a strip next to a plot. */
  readonly strip: string;
  readonly reference: string;
  readonly fontFamily: string;
  readonly fontSize: number;
}

const windowFonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";

/** Font of every exported picture, bundled with the program. */
export const exportFont = "Inter";

const colors: Record<ChartTheme, Omit<Look, "theme" | "fontFamily" | "fontSize">> = {
  light: { background: "#ffffff", text: "#1a1f28", soft: "#4d5563", faint: "#69717f", axis: "#a5adba", grid: "#e8eaee", strip: "#f3f4f7", reference: "#69717f" },
  dark: { background: "#161a21", text: "#e7eaf0", soft: "#b3bac7", faint: "#8b94a3", axis: "#5a6373", grid: "#252b36", strip: "#1d222b", reference: "#a2abba" },
  print: { background: "#ffffff", text: "#000000", soft: "#262a31", faint: "#4d5563", axis: "#4d5563", grid: "#e3e5e9", strip: "#f1f2f4", reference: "#4d5563" },
};

export function lookOf({ theme, fontFamily = windowFonts, fontSize = 11.5 }: ChartSettings): Look {
  return { theme, ...colors[theme], fontFamily, fontSize };
}

// ---- colors with an order --------------------------------------------------------------------------

/**
 * Ends and turning points of a scale with monotonic lightness, so that its order survives
 * color-vision deficiencies and grayscale printing (after matplotlib's plasma, with larger
 * distances
 * for protan, deutan and tritan vision).
 */
const ramps: Record<ChartTheme, readonly string[]> = {
  light: ["#10087b", "#8752b7", "#f13178", "#f28100"],
  print: ["#000059", "#7d3f8f", "#ae3a5a", "#eb8b03"],
  dark: ["#575eff", "#ab71dc", "#ff66a1", "#fdf67e"],
};

/** Color of item `index` of `count` ordered items, such as tower heights. */
export function orderedColor(index: number, count: number, theme: ChartTheme): string {
  return orderedMix(ramps[theme], count <= 1 ? 0 : index / (count - 1));
}

/** Style of item `index` of `count` tower heights, or of stacks, which are unordered. */
export function variantStyle(index: number, count: number, stacks: boolean, theme: ChartTheme): LineStyle {
  return stacks ? lineStyle(index, theme === "dark") : { color: orderedColor(index, count, theme), dash: "solid" };
}

/** Color stops of a heat map: low is pale on a light background and dark on a dark one. */
export function heatColors(theme: ChartTheme): string[] {
  return theme === "dark"
    ? ["#ffd97a", "#f78a6d", "#b0487f", "#54327a", "#241d42"]
    : ["#fde9a9", "#f6a56b", "#d8566b", "#7d2a84", "#1f1b56"];
}

/** The color at a position from 0 to 1 along a scale. */
export function orderedMix(stops: readonly string[], at: number): string {
  const place = Math.max(0, Math.min(1, at)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(place));
  const [a, b] = [channels(stops[low]!), channels(stops[low + 1]!)];
  return `#${a.map((value, i) => Math.round(value + (b[i]! - value) * (place - low)).toString(16).padStart(2, "0")).join("")}`;
}

/** Red, green and blue of `#rrggbb`, 0 to 255. */
export function channels(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Symbols that distinguish lines without color. */
const symbols = ["circle", "triangle", "rect", "diamond", "path://M-1,-1 L1,-1 L0,1 Z", "roundRect"] as const;

export function markOf(index: number): string {
  return symbols[index % symbols.length]!;
}
