/** Converts series to the lines of a chart. */
import { drawnPoints, gapSteps, type Bucket } from "../shared/series.ts";
import type { LineStyle } from "./palette.ts";
import { smooth } from "./smoothing.ts";

export type Point = [x: number, y: number];

export interface BandPoint {
  readonly x: number;
  readonly low: number;
  readonly high: number;
}

/** A logged series, downsampled to buckets. */
export interface ThinnedSeries {
  readonly buckets: readonly Bucket[];
  /** Number of logged values. */
  readonly total: number;
}

export interface ChartLine {
  /** Name of the series, unique within its chart. */
  readonly name: string;
  readonly style: LineStyle;
  /** Points to draw: both extremes of every bucket. */
  readonly points: readonly Point[];
  /** Drawn over the raw points, which fade. */
  readonly smoothed: readonly Point[] | null;
  /** Number of logged values. */
  readonly total: number;
  /** Number of non-finite values, which cannot be drawn. */
  readonly nonFinite: number;
  /** Positions, sorted, where non-finite values interrupt the line. */
  readonly gaps?: readonly number[];
  /** Positions where runs of the line diverged. */
  readonly divergedAt?: readonly number[];
  readonly symbols?: boolean;
  /** Mean ± standard error of the runs that the line averages. */
  readonly band?: readonly BandPoint[];
}

/** Default of the smoothing slider, in the window and in exported figures. */
export const defaultSmoothing = 40;

/** Smoothing time constant in steps, for a slider from 0 (off) to 100 (1,000 steps). */
export function smoothingSteps(slider: number): number {
  return slider <= 0 ? 0 : Number((10 ** ((3 * slider) / 100)).toPrecision(2));
}

/** The line of a logged metric. `perX` divides steps, for example by steps per epoch. */
export function lineOf(name: string, style: LineStyle, held: ThinnedSeries | undefined, steps: number, perX = 1): ChartLine {
  const buckets = held?.buckets ?? [];
  const scaled = (points: readonly Point[]): readonly Point[] => (perX === 1 ? points : points.map(([x, y]) => [x / perX, y]));
  return {
    name,
    style,
    points: scaled(drawnPoints(buckets)),
    smoothed: steps > 1 ? scaled(smooth(buckets, 1 - 1 / steps)) : null,
    total: held?.total ?? 0,
    nonFinite: buckets.reduce((sum, bucket) => sum + bucket.nonFinite, 0),
    gaps: gapSteps(buckets).map((step) => step / perX),
  };
}

/** Points that fit the chosen axes: logarithmic axes show positive numbers only. */
export function drawable(points: readonly Point[], xLog: boolean, yLog: boolean): Point[] {
  return points.filter(([x, y]) => (!xLog || x > 0) && (!yLog || y > 0)).map(([x, y]) => [x, y]);
}

/** The point nearest to `x`; points must be sorted by x. */
export function nearest(points: readonly Point[], x: number): Point | undefined {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[0] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  const after = points[low];
  const before = points[low - 1];
  if (!after || !before) return after;
  return x - before[0] <= after[0] - x ? before : after;
}

/** An event at a step. */
export interface ChartMark {
  readonly step: number;
  readonly what: string;
}
