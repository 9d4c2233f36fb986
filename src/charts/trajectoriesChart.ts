/** A learned hyperparameter over the steps, from every starting point of a study. */
import type { StudyPoint, StudyTrajectories } from "../shared/study/result.ts";
import { variantsOf } from "../shared/study/curves.ts";
import { studyAxes } from "../shared/study/axes.ts";
import type { Study } from "../shared/study/study.ts";
import { optimizerSpec, type HyperparameterSpec } from "../shared/optimizers.ts";
import { maxOf } from "../shared/extent.ts";
import { formatCount, formatMeasure } from "../shared/format.ts";
import { plural } from "../shared/text.ts";
import { linearScale, robustScale, type AxisScale } from "./axes.ts";
import type { Point } from "./chartLines.ts";
import { beyond, clamp, edgeMarks, markSeries } from "./clipping.ts";
import { frameOf, logLabels, tooltipOption, type LegendEntry, type TooltipItem } from "./frame.ts";
import { layOutPlots, type Plot } from "./plots.ts";
import { curveNames, valueText } from "./studyText.ts";
import { variantStyle, type ChartSettings } from "./theme.ts";

export interface TrajectoriesSettings extends ChartSettings {
  /** Meaning of the colors: the tower's height, or the initial value. */
  readonly colorBy?: "height" | "start";
  /** One plot per height, with common axes. */
  readonly perHeight?: boolean;
  readonly yLog?: boolean;
}

/** `L0.alpha` in words: `Step size α of level 0`. */
export function metricName(study: Study, metric: string): string {
  const [, level, name] = /^L(\d+)\.(\w+)$/.exec(metric) ?? [];
  if (level === undefined || name === undefined) return metric === "loss" ? "Loss of the batch" : metric;
  const of = study.stacks?.[0]?.tower?.[Number(level)] ?? study.base.tower[Number(level)] ?? study.heights?.upper ?? study.base.tower[0];
  const spec = of && (optimizerSpec(of.optimizer).hyperparameters as readonly HyperparameterSpec[]).find((one) => one.name === name);
  return spec ? `${spec.label} ${spec.symbol} of level ${level}` : metric;
}

interface Trajectory {
  readonly point: StudyPoint;
  readonly run: string;
  /** Null interrupts it. */
  readonly line: readonly (readonly [step: number, value: number | null])[];
  /** Values that a logarithmic axis has no place for. */
  readonly hidden: number;
}

export function trajectoriesChart(
  study: Study,
  points: readonly StudyPoint[],
  found: StudyTrajectories,
  metric: string,
  settings: TrajectoriesSettings,
): Record<string, unknown> {
  const { colorBy = "height", perHeight = false, theme, yLog = true } = settings;
  const byKey = new Map(points.map((point) => [point.key, point]));
  const all = found.flatMap(({ key, run, steps, values }): Trajectory[] => {
    const point = byKey.get(key);
    if (!point) return [];
    const shown = values.map((value) => (value !== null && (!yLog || value > 0) ? value : null));
    return [{ point, run, line: shown.map((value, i) => [steps[i]!, value]), hidden: values.filter((value) => yLog && value !== null && value <= 0).length }];
  });

  const variants = variantsOf(study, points);
  const names = curveNames(study, variants);
  const placeOf = ({ height, stack }: StudyPoint) => variants.findIndex((variant) => (stack === undefined ? variant.height === height : variant.stack === stack));
  const starts = [...new Set(all.map(({ point }) => point.values[0] ?? 0))].sort((a, b) => a - b);
  const [axis = null] = studyAxes(study);
  const groupOf = ({ point }: Trajectory) => (colorBy === "height" ? placeOf(point) : starts.indexOf(point.values[0] ?? 0));
  const groups = colorBy === "height" ? names : starts.map((start) => (axis ? valueText(axis, start) : "start"));

  // What a diverged run leaps to does not flatten the others: it is drawn at the axis' edge.
  const yScale = robustScale(all.map(({ point, line }) => ({ values: drawn(line).map(([, value]) => value), broken: point.status === "diverged" })), yLog);
  const steps = all.flatMap(({ line }) => line.map(([step]) => step));
  const xScale = linearScale(steps, 5, true);
  const last = Math.max(0, maxOf(steps));

  const plotOf = (own: readonly Trajectory[], title?: string): Plot => {
    const hidden = own.reduce((sum, { hidden }) => sum + hidden, 0);
    const clipped = own.reduce((sum, { line }) => sum + beyond(drawn(line), yScale), 0);
    const notes = [...(hidden > 0 ? [`${plural(hidden, "value")} at or below 0 not drawn`] : []), ...(clipped > 0 ? [`${formatCount(clipped)} beyond the axis`] : [])];
    return {
      ...(title !== undefined && { title }),
      x: { scale: xScale && { ...xScale, min: 0, max: Math.max(1, last) }, log: false, name: "Step" },
      y: { scale: yScale, log: yLog, name: metricName(study, metric), label: yLog ? logLabels(yScale) : yScale?.label },
      ...(own.every(({ line }) => line.every(([, value]) => value === null)) && { empty: "No run has logged it yet." }),
      ...(notes.length > 0 && { note: notes.join("; ") }),
      series: own.flatMap((trajectory) =>
        lineOf(trajectory, {
          name: groups[groupOf(trajectory)]!,
          color: variantStyle(groupOf(trajectory), groups.length, colorBy === "height" && study.stacks !== null, theme).color,
          start: axis ? valueText(axis, trajectory.point.values[0]!) : "",
          scale: yScale,
        }),
      ),
    };
  };
  const plots = perHeight
    ? variants.map((_, i) => plotOf(all.filter(({ point }) => placeOf(point) === i), names[i]))
    : [plotOf(all)];
  const present = new Set(all.map((trajectory) => groups[groupOf(trajectory)]!));
  const legend: LegendEntry[] = perHeight && colorBy === "height" ? [] : some(groups.filter((name) => present.has(name))).map((name) => ({ name, plain: true }));
  const frame = frameOf(settings, legend);
  const { title, ...rest } = layOutPlots(plots, { look: frame.look, inner: frame.inner, columns: 4, shareY: true });
  return { ...frame.parts, title: [...(frame.parts.title as Record<string, unknown>[]), ...title], ...rest, ...tooltipOption(settings) };
}

/** As many names as fit in a legend, including the first and the last. */
function some(names: readonly string[]): string[] {
  const most = 11;
  if (names.length <= most) return [...names];
  return Array.from({ length: most }, (_, i) => names[Math.round((i * (names.length - 1)) / (most - 1))]!);
}

/** The values of a line that are drawn. */
const drawn = (line: Trajectory["line"]): Point[] => line.flatMap(([step, value]): Point[] => (value === null ? [] : [[step, value]]));

interface LineLook {
  readonly name: string;
  readonly color: string;
  readonly start: string;
  readonly scale: AxisScale | undefined;
}

function lineOf({ point, run, line }: Trajectory, { name, color, start, scale }: LineLook): Record<string, unknown>[] {
  const told: TooltipItem["told"] = () => ({
    title: `${start === "" ? "" : `${start}, `}${point.stack ?? `height ${point.height}`}, seed ${point.seed}`,
    rows: [{ color, name: "last value", value: formatMeasure(line.at(-1)?.[1]) }],
  });
  const base = { name, animation: false, itemStyle: { color } };
  const finite = line.findLast(([, value]) => value !== null);
  const end = point.status === "diverged" && finite;
  return [
    { ...base, type: "line", symbol: "none", lineStyle: { color, width: 1.3, opacity: 0.75 }, emphasis: { disabled: true }, silent: true, data: line.map(([step, value]) => [step, value === null ? null : clamp(value, scale)]) },
    ...(scale ? markSeries(edgeMarks(drawn(line), scale).map(({ kind, at }) => ({ kind, at })), color, { name }) : []),
    ...(finite
      ? [
          {
            ...base,
            type: "scatter",
            symbol: end ? "path://M-1,-1L1,1M-1,1L1,-1" : "circle",
            symbolSize: end ? 7 : 5,
            itemStyle: end ? { color, borderColor: color, borderWidth: 1.6 } : { color },
            cursor: "pointer",
            z: 4,
            data: [{ value: [finite[0], clamp(finite[1]!, scale)], runs: [run], height: point.height, told }],
          },
        ]
      : []),
  ];
}
