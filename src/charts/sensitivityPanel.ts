/** Common parts of sensitivity charts: panels, settings, bands, marks and tooltips. */
import { hasDiverged, worstWords, type CurvePoint, type MeasuredRun, type StudyCurves } from "../shared/study/curves.ts";
import type { PaperFigure } from "../shared/study/paperFigures.ts";
import type { Study } from "../shared/study/study.ts";
import type { TooltipItem } from "./frame.ts";
import type { Dash } from "./palette.ts";
import { formatMetric, valueText } from "./studyText.ts";
import type { ChartSettings, TooltipContent } from "./theme.ts";

export const bandKinds = ["standardError", "minMax", "none"] as const;
export type BandKind = (typeof bandKinds)[number];

export interface SensitivityPanel {
  /** Title above the plot, if there are several. */
  readonly title?: string;
  readonly study: Study;
  readonly curves: StudyCurves;
  /** Published values to overlay. */
  readonly reference?: PaperFigure;
  /** Replaces the title of the horizontal axis. */
  readonly axisTitle?: string;
  /** Text of a value of the axis in a tooltip, by curve; `α = 1e-3` by default. */
  readonly valueText?: (curve: string, x: number) => string;
  /** Published default of each curve on the horizontal axis, by name, to mark. */
  readonly defaults?: ReadonlyMap<string, number>;
}

export interface SensitivitySettings extends ChartSettings {
  /** Meaning of the band around a mean. */
  readonly band?: BandKind;
  readonly yLog?: boolean;
  /** Whether runs are drawn as dots; diverged and exploded runs are always marked. */
  readonly dots?: boolean;
}

/** A clickable chart item and its runs. */
export interface ChartItem extends TooltipItem {
  readonly value: readonly [x: number, y: number];
  /** Run ids in the order of their seeds. */
  readonly runs: readonly string[];
  readonly height: number;
}

/** Marks of runs that count as worst. */
export const crossPath = "path://M-1,-1L1,1M-1,1L1,-1";
export const explodedPath = "path://M0,-1L1,1L-1,1Z";

export interface CurveStyle {
  readonly name: string;
  /** Null for a stack, which has no published values. */
  readonly height: number | null;
  readonly color: string;
  readonly dash: Dash;
  readonly mark: string;
}

/** Ends of the band at a point; null without a band. */
export function bandOf({ mean, standardError, min, max }: CurvePoint, kind: BandKind): [low: number, high: number] | null {
  if (mean === null || kind === "none") return null;
  if (kind === "minMax") return min === null || max === null ? null : [min, max];
  return standardError === null ? null : [mean - standardError, mean + standardError];
}

export const idsOf = (runs: readonly MeasuredRun[]) => runs.flatMap(({ point }) => point.run ?? []);

function pointTitle({ curves, valueText: own }: SensitivityPanel, name: string, { x }: CurvePoint): string {
  return curves.axis ? `${own?.(name, x) ?? valueText(curves.axis, x)}, ${name}` : name;
}

const outcomeNotes: Partial<Record<MeasuredRun["outcome"], string>> = { early: "stopped early", pending: "so far", failed: "failed", missing: "in the bin" };

function runRow({ curves }: SensitivityPanel, { color }: CurveStyle, run: MeasuredRun): TooltipContent["rows"][number] {
  const value = run.value === null ? (run.outcome === "diverged" || run.outcome === "exploded" ? run.outcome : (outcomeNotes[run.outcome] ?? "waiting")) : formatMetric(curves.metric, run.value);
  const note = run.value === null ? undefined : hasDiverged(run) ? "then diverged" : outcomeNotes[run.outcome];
  return { color, name: `seed ${run.point.seed}`, value, ...(note !== undefined && { note }) };
}

export function pointContent(panel: SensitivityPanel, name: string, style: CurveStyle, point: CurvePoint): TooltipContent {
  const { metric } = panel.curves;
  const mean = formatMetric(metric, point.mean);
  const spread = point.standardError === null ? "" : ` ± ${formatMetric(metric, point.standardError)}`;
  const worst = worstWords(point, metric, panel.curves.penalty);
  // For a single run, show that run.
  const [only] = point.runs;
  if (only && point.runs.length === 1) return runContent(panel, name, style, point, only);
  const shown = point.runs.slice(0, 12);
  const rest = point.runs.length - shown.length;
  return {
    title: pointTitle(panel, name, point),
    rows: [
      { color: style.color, name: `mean of ${point.n}${spread === "" ? "" : " ± standard error"}`, value: `${mean}${spread}`, ...(worst !== "" && { note: worst }) },
      ...shown.map((run) => runRow(panel, style, run)),
      ...(rest > 0 ? [{ name: `and ${rest} more`, value: "" }] : []),
    ],
  };
}

export function runContent(panel: SensitivityPanel, name: string, style: CurveStyle, point: CurvePoint, run: MeasuredRun): TooltipContent {
  return { title: pointTitle(panel, name, point), rows: [runRow(panel, style, run)] };
}
