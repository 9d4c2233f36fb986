/** How pictures look: colors, type and sizes, the same for every chart of a theme. */

import { lineStyle, type LineStyle } from "./palette.ts";

/** `print` is for paper: white ground, darker lines. */
export const chartThemes = ["light", "dark", "print"] as const;
export type ChartTheme = (typeof chartThemes)[number];

export interface ChartSize {
  /** In pixels at scale 1. */
  readonly width: number;
  readonly height: number;
}

/** What every picture takes beside its data. */
export interface ChartSettings extends ChartSize {
  readonly theme: ChartTheme;
  /** Font families, the preferred one first; the window's own by default. */
  readonly fontFamily?: string;
  /** Of axis labels, in pixels; titles follow. */
  readonly fontSize?: number;
  /** Drawn above the picture; a window writes it outside. */
  readonly title?: string;
  readonly subtitle?: string;
  /** Lines below the picture that name the configuration it comes from. */
  readonly footer?: readonly string[];
  /** What a window shows while a pointer rests on something: an element of its own. Without it there are no tooltips. */
  readonly tooltip?: (content: TooltipContent) => unknown;
}

/** What a tooltip says, without how. */
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
  /** Ground of a strip beside a plot. */
  readonly strip: string;
  readonly reference: string;
  readonly fontFamily: string;
  readonly fontSize: number;
}

const windowFonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";

/** Font of every exported picture; it travels with the program. */
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
 * Ends and turning points of a scale whose lightness only rises (falls on dark ground), so that its
 * order survives color-vision deficiencies and a grey printer (after matplotlib's plasma, with neighbours
 * moved apart as seen by protan, deutan and tritan eyes).
 */
const ramps: Record<ChartTheme, readonly string[]> = {
  light: ["#10087b", "#8752b7", "#f13178", "#f28100"],
  print: ["#000059", "#7d3f8f", "#ae3a5a", "#eb8b03"],
  dark: ["#575eff", "#ab71dc", "#ff66a1", "#fdf67e"],
};

/** Color of the `index`-th of `count` things that have an order, such as tower heights. */
export function orderedColor(index: number, count: number, theme: ChartTheme): string {
  return orderedMix(ramps[theme], count <= 1 ? 0 : index / (count - 1));
}

/** Style of the `index`-th of `count` tower heights, or of stacks, which have no order. */
export function variantStyle(index: number, count: number, stacks: boolean, theme: ChartTheme): LineStyle {
  return stacks ? lineStyle(index, theme === "dark") : { color: orderedColor(index, count, theme), dash: "solid" };
}

/** Stops of the scale that colors a heat map: pale for small on light ground, dark for small on dark ground. */
export function heatColors(theme: ChartTheme): string[] {
  return theme === "dark"
    ? ["#ffd97a", "#f78a6d", "#b0487f", "#54327a", "#241d42"]
    : ["#fde9a9", "#f6a56b", "#d8566b", "#7d2a84", "#1f1b56"];
}

/** The color at a place from 0 to 1 along a scale. */
export function orderedMix(stops: readonly string[], at: number): string {
  const place = Math.max(0, Math.min(1, at)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(place));
  const [a, b] = [channels(stops[low]!), channels(stops[low + 1]!)];
  return `#${a.map((value, i) => Math.round(value + (b[i]! - value) * (place - low)).toString(16).padStart(2, "0")).join("")}`;
}

/** Red, green, blue from 0 to 255 of `#rrggbb`. */
export function channels(color: string): [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Marks that tell lines apart without color. */
const symbols = ["circle", "triangle", "rect", "diamond", "path://M-1,-1 L1,-1 L0,1 Z", "roundRect"] as const;

export function markOf(index: number): string {
  return symbols[index % symbols.length]!;
}
