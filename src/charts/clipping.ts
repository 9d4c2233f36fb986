/**
 * Draws curves on an axis that does not cover all their values, and marks clipped, interrupted and
 * diverged parts.
 */
import { robustScale, type AxisScale } from "./axes.ts";
import { drawable, nearest, type ChartLine, type Point } from "./chartLines.ts";

export interface CurveMark {
  readonly kind: "above" | "below" | "gap" | "diverged";
  readonly at: Point;
  readonly label?: string;
}

export interface ClippedLine {
  /** Points on the axis; NaN interrupts the line. */
  readonly points: readonly Point[];
  readonly smoothed: readonly Point[] | null;
  readonly marks: readonly CurveMark[];
  /** Number of points beyond the axis, drawn at its edge. */
  readonly clipped: number;
}

/** The lines' vertical axis. */
export function verticalScale(lines: readonly ChartLine[], xLog: boolean, yLog: boolean): AxisScale | undefined {
  return robustScale(
    lines.map((line) => ({ values: drawable(line.points, xLog, yLog).map(([, y]) => y), broken: line.nonFinite > 0 || (line.divergedAt?.length ?? 0) > 0 })),
    yLog,
  );
}

export const clamp = (value: number, scale: AxisScale | undefined): number => (scale ? Math.min(scale.max, Math.max(scale.min, value)) : value);

/** Points outside the axis. */
export function beyond(points: readonly Point[], scale: AxisScale | undefined): number {
  return scale ? points.filter(([, y]) => y < scale.min || y > scale.max).length : 0;
}

function interrupted(points: readonly Point[], gaps: readonly number[], scale: AxisScale | undefined): Point[] {
  const shown = points.map(([x, y]): Point => [x, clamp(y, scale)]);
  if (gaps.length === 0) return shown;
  // Sorting is stable: at the same position the value precedes its gap.
  return [...shown, ...gaps.map((x): Point => [x, NaN])].sort(([a], [b]) => a - b);
}

/** One mark for each stretch of clipped points; the first of each direction tells how many there are. */
export function edgeMarks(points: readonly Point[], scale: AxisScale): CurveMark[] {
  const sideOf = (y: number) => (y > scale.max ? "above" : y < scale.min ? "below" : null);
  const counts = { above: 0, below: 0 };
  for (const [, y] of points) {
    const side = sideOf(y);
    if (side) counts[side]++;
  }
  const marks: CurveMark[] = [];
  points.forEach(([x, y], i) => {
    const kind = sideOf(y);
    if (!kind || (i > 0 && sideOf(points[i - 1]![1]) === kind)) return;
    const first = !marks.some((mark) => mark.kind === kind);
    marks.push({ kind, at: [x, clamp(y, scale)], ...(first && { label: `${counts[kind]} ${kind}` }) });
  });
  return marks;
}

/** A line clipped to the axis. */
export function clip(line: ChartLine, scale: AxisScale | undefined, xLog: boolean, yLog: boolean): ClippedLine {
  const all = drawable(line.points, xLog, yLog);
  const gaps = (line.gaps ?? []).filter((x) => !xLog || x > 0);
  const at = (x: number): Point | undefined => {
    const point = nearest(all, x);
    return point && [x, clamp(point[1], scale)];
  };
  const last = all.at(-1)?.[0] ?? -Infinity;
  const diverged = (line.divergedAt ?? []).flatMap((x): CurveMark[] => {
    // Undrawable points do not widen the axis: the mark stands where the line ends.
    const place = at(Math.min(x, last));
    return place ? [{ kind: "diverged", at: place, label: "diverged" }] : [];
  });
  const gapMarks = gaps.flatMap((x, i): CurveMark[] => {
    // The end of a diverged line has its own mark; neighboring gaps share one.
    if (x >= last && diverged.length > 0) return [];
    const before = gaps[i - 1];
    if (before !== undefined && !all.some(([other]) => other >= before && other <= x)) return [];
    const place = at(x);
    return place ? [{ kind: "gap", at: place }] : [];
  });
  return {
    points: interrupted(all, gaps, scale),
    smoothed: line.smoothed && interrupted(drawable(line.smoothed, xLog, yLog), gaps, scale),
    marks: [...(scale ? edgeMarks(all, scale) : []), ...gapMarks, ...diverged],
    clipped: beyond(all, scale),
  };
}

const cross = "path://M-5,-3.6L-3.6,-5L0,-1.4L3.6,-5L5,-3.6L1.4,0L5,3.6L3.6,5L0,1.4L-3.6,5L-5,3.6L-1.4,0Z";
const looks = {
  above: { symbol: "triangle", symbolSize: 9, symbolRotate: 0, symbolOffset: [0, 5] },
  below: { symbol: "triangle", symbolSize: 9, symbolRotate: 180, symbolOffset: [0, -5] },
  gap: { symbol: "emptyCircle", symbolSize: 8 },
  diverged: { symbol: cross, symbolSize: 12 },
} as const;

/** A line diverges at its right end, where only the left has room. */
const labelPlaces: Record<CurveMark["kind"], string | readonly [x: number, y: number]> = { above: [12, 2], below: [12, -6], gap: "bottom", diverged: "left" };

/** The marks of a line as chart series; none without marks. */
export function markSeries(marks: readonly CurveMark[], color: string, base: Record<string, unknown>): Record<string, unknown>[] {
  if (marks.length === 0) return [];
  return [
    {
      ...base,
      type: "line",
      animation: false,
      silent: true,
      clip: false,
      showSymbol: true,
      showAllSymbol: true,
      lineStyle: { width: 0, opacity: 0 },
      itemStyle: { color, borderColor: color, borderWidth: 1 },
      labelLayout: { hideOverlap: true },
      z: 5,
      data: marks.map(({ kind, at, label }) => ({
        value: [...at],
        ...looks[kind],
        // Empty symbols have only a border.
        ...(kind === "gap" && { itemStyle: { color, borderWidth: 2 } }),
        label: { show: label !== undefined, formatter: label ?? "", color, fontSize: 11, position: labelPlaces[kind], distance: 10 },
      })),
    },
  ];
}
