/**
 * The headline chart: a metric against an initial hyperparameter, one line per tower height, in one
 * plot or several with common axes. Every run is shown: as a dot, or at the top edge as a cross
 * (diverged) or triangle (exploded).
 */
import type { Curve, CurvePoint } from "../shared/study/curves.ts";
import { hasDiverged, hasExploded } from "../shared/study/curves.ts";
import { maxOf, minOf } from "../shared/extent.ts";
import { budgetDifference, type PaperFigure } from "../shared/study/paperFigures.ts";
import type { Study } from "../shared/study/study.ts";
import { linearScale, logScale, type AxisScale } from "./axes.ts";
import { bandSeries } from "./band.ts";
import type { BandPoint } from "./chartLines.ts";
import { axisOption, frameOf, labelRoom, logLabels, roomFor, text, tooltipOption, type Box, type LegendEntry } from "./frame.ts";
import { axisTitle, curveNames, metricTitle, styleIndex } from "./studyText.ts";
import { defaultMarks } from "./defaultMarks.ts";
import { bandOf, crossPath, explodedPath, idsOf, pointContent, runContent, type ChartItem, type CurveStyle, type SensitivityPanel, type SensitivitySettings } from "./sensitivityPanel.ts";
import { towersChart } from "./towersChart.ts";
import { markOf, variantStyle, type ChartSettings, type Look } from "./theme.ts";

const stripRow = 11;

/**
 * Studies without axes get a row for each tower. @param panels laid out in rows; panels with the
 * same axis or metric share its scale
 */
export function sensitivityChart(panels: readonly SensitivityPanel[], settings: SensitivitySettings): Record<string, unknown> {
  if (panels.every(({ curves }) => curves.axis === null)) return towersChart(panels, settings);
  const styles = stylesOf(panels, settings);
  const references = [...new Set(panels.flatMap((panel) => (panel.reference ? [referenceName(panel.reference, panel)] : [])))];
  const legend: LegendEntry[] = [...[...styles.values()].map(({ name }) => ({ name })), ...references.map((name) => ({ name, plain: true }))];
  const empty = panels.every(({ curves }) => curves.curves.every(({ points }) => points.every(({ mean }) => mean === null)));
  const frame = frameOf(settings, empty ? [] : legend);
  const { look, inner } = frame;
  const plots = layOut(panels, settings, look, inner);
  const texts = [...(frame.parts.title as Record<string, unknown>[])];
  const grids: Record<string, unknown>[] = [];
  const xAxes: Record<string, unknown>[] = [];
  const yAxes: Record<string, unknown>[] = [];
  const series: Record<string, unknown>[] = [];

  for (const plot of plots) {
    const { panel, box, strip, x, y, xLog, yLog } = plot;
    const index = grids.length;
    grids.push({ ...box, outerBoundsMode: "none" });
    const known = y.scale !== undefined && x !== undefined;
    xAxes.push(axisOption("x", { look, log: xLog, scale: x, gridIndex: index, label: xLog ? logLabels(x) : x?.label, name: panel.axisTitle ?? (panel.curves.axis ? axisTitle(panel.curves.axis) : ""), nameGap: look.fontSize + 16 }));
    yAxes.push(
      axisOption("y", {
        look,
        log: yLog,
        scale: y.scale,
        gridIndex: index,
        labels: plot.outer,
        label: y.label,
        ...(plot.outer && { name: metricTitle(panel.curves.metric, panel.study.base), nameGap: labelRoom(y.scale, look.fontSize, y.label) + 2 }),
      }),
    );
    if (panels.length > 1 && panel.title !== undefined) {
      texts.push(text(panel.title, { left: box.left, top: plot.cell.top, fontSize: look.fontSize + 1, fontWeight: 600, color: look.text, fontFamily: look.fontFamily, width: box.width }));
    }
    if (!known) {
      texts.push(text("No run has got this far yet.", { left: box.left + box.width / 2, top: box.top + box.height / 2 - 8, fontSize: look.fontSize + 1, color: look.faint, fontFamily: look.fontFamily, textAlign: "center" }));
      continue;
    }
    const place = { xAxisIndex: index, yAxisIndex: index };
    series.push(...chanceLine(panel, look, place, y.scale!, x!));
    if (panel.reference) series.push(...referenceLines(panel.reference, panel, styles, look, place));
    series.push(...defaultMarks(panel, styles, look, place, { y: y.scale!, yLog }));
    for (const curve of panel.curves.curves) {
      const style = styles.get(nameIn(panel, curve))!;
      series.push(...curveSeries(panel, curve, style, settings, { ...place, yLog }));
    }
    if (strip) {
      const rows = edgeCurves(panel);
      const at = grids.length;
      grids.push({ ...strip, show: true, backgroundColor: look.strip, borderWidth: 0, outerBoundsMode: "none" });
      xAxes.push({ ...axisOption("x", { look, log: xLog, scale: x, gridIndex: at, labels: false }), axisLine: { show: false }, axisTick: { show: false } });
      yAxes.push({ ...axisOption("y", { look, log: false, scale: undefined, gridIndex: at, labels: false, lines: false }), min: 0, max: rows.length });
      if (plot.outer) {
        texts.push(text(edgeLabel(panels), { left: box.left - 7, top: strip.top + strip.height / 2 - look.fontSize * 0.65, fontSize: look.fontSize, color: look.faint, fontFamily: look.fontFamily, textAlign: "right" }));
      }
      rows.forEach((curve, row) => series.push(...edgeMarks(panel, curve, styles.get(nameIn(panel, curve))!, rows.length - row - 0.5, { xAxisIndex: at, yAxisIndex: at, counts: hasRoom(panel, x!, box.width) })));
    }
  }
  return { ...frame.parts, title: texts, grid: grids, xAxis: xAxes, yAxis: yAxes, series, ...tooltipOption(settings) };
}

const nameIn = ({ study, curves }: SensitivityPanel, curve: Curve) => curveNames(study, curves.curves)[curves.curves.indexOf(curve)]!;

/**
 * One style per name over all panels: heights have an ordered color scale, stacks distinct colors.
 */
function stylesOf(panels: readonly SensitivityPanel[], { theme }: ChartSettings): Map<string, CurveStyle> {
  const named = new Map<string, { readonly curve: Curve; readonly study: Study }>();
  for (const { study, curves } of panels) curveNames(study, curves.curves).forEach((name, i) => named.has(name) || named.set(name, { curve: curves.curves[i]!, study }));
  const ordered = [...named].sort(([, { curve: a }], [, { curve: b }]) => (a.stack === null && b.stack === null ? a.height - b.height : 0));
  return new Map(ordered.map(([name, { curve, study }], i) => [name, { name, height: curve.stack === null ? curve.height : null, mark: markOf(i), ...variantStyle(styleIndex(study, curve, i), ordered.length, curve.stack !== null, theme) }]));
}

const isAtEdge = ({ diverged, exploded }: CurvePoint) => diverged + exploded > 0;
const edgeCurves = ({ curves }: SensitivityPanel) => curves.curves.filter(({ points }) => points.some(isAtEdge));

/** Describes the runs marked above the plots. */
function edgeLabel(panels: readonly SensitivityPanel[]): string {
  const points = panels.flatMap(({ curves }) => curves.curves.flatMap((curve) => curve.points));
  const [diverged, exploded] = [points.some((point) => point.diverged > 0), points.some((point) => point.exploded > 0)];
  return diverged && exploded ? "worst" : exploded ? "exploded" : "diverged";
}

// ---- where the plots stand -------------------------------------------------------------------------

interface Plot {
  readonly panel: SensitivityPanel;
  readonly cell: Box;
  readonly box: Box;
  /** Area for diverged and exploded runs; null without any. */
  readonly strip: Box | null;
  /** Whether it shows the labels of its vertical axis. */
  readonly outer: boolean;
  readonly x: AxisScale | undefined;
  readonly y: { readonly scale: AxisScale | undefined; readonly label: ((tick: number) => string) | undefined };
  readonly xLog: boolean;
  readonly yLog: boolean;
}

const smallestPlot = 230;

function layOut(panels: readonly SensitivityPanel[], settings: SensitivitySettings, look: Look, inner: Box): Plot[] {
  const columns = Math.max(1, Math.min(panels.length, Math.floor(inner.width / smallestPlot)));
  const rows = Math.ceil(panels.length / columns);
  const ticks = Math.max(3, Math.floor(inner.width / columns / (look.fontSize * 4.5)));
  const scales = panels.map((panel) => ({ x: xScale(panels.filter((other) => sameAxis(other, panel)), ticks), y: yScale(panels.filter((other) => sameMetric(other, panel)), settings) }));
  const room = Math.max(roomFor("diverged", look.fontSize), ...scales.map(({ y }) => labelRoom(y.scale, look.fontSize, y.label))) + look.fontSize + 12;
  const stripRows = maxOf(panels.map((panel) => edgeCurves(panel).length));
  const gap = 14;
  // Plots of a row have equal width; only those with labels need extra room.
  return panels.map((panel, i): Plot => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const inRow = panels.slice(row * columns, (row + 1) * columns);
    const outerAt = inRow.map((other, j) => j === 0 || !sameMetric(other, inRow[j - 1]!));
    const free = inner.width - 10 - outerAt.filter(Boolean).length * room - (columns - 1) * gap;
    const width = free / columns;
    const left = inner.left + outerAt.slice(0, column + 1).filter(Boolean).length * room + column * (width + gap);
    const cell: Box = { left, top: inner.top + (row * inner.height) / rows, width, height: inner.height / rows };
    const headHeight = panels.length > 1 && panel.title !== undefined ? look.fontSize * 1.3 + 8 : 2;
    // Its label must not touch the axis's topmost label.
    const stripHeight = stripRows === 0 ? 0 : Math.max(stripRows * stripRow, look.fontSize * 1.6);
    const top = cell.top + headHeight + (stripRows > 0 ? stripHeight + 5 : 4);
    const bottom = look.fontSize * 2 + 26;
    return {
      panel,
      cell,
      box: { left, top, width, height: Math.max(20, cell.top + cell.height - top - bottom) },
      strip: edgeCurves(panel).length > 0 ? { left, top: cell.top + headHeight, width, height: stripHeight } : null,
      outer: outerAt[column]!,
      xLog: panel.curves.axis?.scale === "log",
      yLog: settings.yLog === true,
      ...scales[i]!,
    };
  });
}

const sameMetric = (a: SensitivityPanel, b: SensitivityPanel) => metricTitle(a.curves.metric, a.study.base) === metricTitle(b.curves.metric, b.study.base);
const sameAxis = (a: SensitivityPanel, b: SensitivityPanel) =>
  a.curves.axis?.label === b.curves.axis?.label && a.curves.axis?.scale === b.curves.axis?.scale;

function xScale(panels: readonly SensitivityPanel[], ticks: number): AxisScale | undefined {
  const values = panels.flatMap(({ curves }) => curves.curves.flatMap(({ points }) => points.map(({ x }) => x)));
  if (panels[0]?.curves.axis?.scale === "log") return logScale(values, ticks);
  const scale = linearScale(values, Math.min(6, ticks));
  if (!scale) return undefined;
  const room = (scale.max - scale.min) * 0.02;
  return { ...scale, min: scale.min - room, max: scale.max + room };
}

function yScale(panels: readonly SensitivityPanel[], { yLog, band }: SensitivitySettings): Plot["y"] {
  const values = panels.flatMap(({ curves }) =>
    curves.curves.flatMap(({ points }) =>
      points.flatMap((point) => [...point.runs.flatMap(({ value }) => value ?? []), ...(point.mean === null ? [] : [point.mean, ...(bandOf(point, band ?? "standardError") ?? [])])]),
    ),
  );
  for (const { reference } of panels) for (const { values: read } of reference?.curves ?? []) values.push(...read);
  if (values.length === 0) return { scale: undefined, label: undefined };
  if (yLog) {
    const scale = logScale(values);
    return { scale, label: logLabels(scale) };
  }
  // Start at zero, unless all values are far from it.
  const [low, high] = [minOf(values), maxOf(values)];
  const scale = linearScale(low >= 0 && low < 0.5 * high ? [0, ...values] : values, 5);
  return { scale, label: scale?.label };
}

// ---- what is drawn in a plot -----------------------------------------------------------------------

interface Place {
  readonly xAxisIndex: number;
  readonly yAxisIndex: number;
}

function curveSeries(panel: SensitivityPanel, curve: Curve, style: CurveStyle, settings: SensitivitySettings, { yLog, ...place }: Place & { yLog: boolean }): Record<string, unknown>[] {
  const { name, color, dash, mark } = style;
  const drawn = (y: number) => !yLog || y > 0;
  const points = curve.points.filter(({ mean }) => mean !== null && drawn(mean));
  const base = { ...place, name, animation: false, itemStyle: { color } };
  const line = {
    ...base,
    type: "line",
    symbol: mark,
    symbolSize: markSize(curve.points.length),
    showAllSymbol: true,
    lineStyle: { color, width: 2, type: dash },
    emphasis: { disabled: true },
    z: 4,
    data: curve.points.map((point): ChartItem | (number | null)[] =>
      point.mean === null || !drawn(point.mean)
        ? [point.x, null]
        : { value: [point.x, point.mean], runs: idsOf(point.runs), height: curve.height, told: () => pointContent(panel, name, style, point) },
    ),
  };
  const outline = points.flatMap((point): BandPoint[] => {
    const ends = bandOf(point, settings.band ?? "standardError");
    return ends === null ? [] : [{ x: point.x, low: ends[0], high: ends[1] }];
  });
  const band = bandSeries(outline, color, yLog, base);
  // The line first: the legend uses the symbol of the first series of a name.
  if (settings.dots === false) return [line, ...band];
  const dots = curve.points.flatMap((point) => point.runs.filter(({ value }) => value !== null && drawn(value)).map((run) => ({ point, run })));
  return [
    line,
    ...band,
    {
      ...base,
      type: "scatter",
      symbol: "circle",
      symbolSize: 4.5,
      z: 3,
      cursor: "pointer",
      data: dots.map(({ point, run }) => ({
        value: [point.x, run.value!],
        runs: idsOf([run]),
        height: curve.height,
        // An unfinished or stopped run is a ring.
        itemStyle: run.outcome === "measured" ? { color, opacity: 0.55 } : { color: "transparent", borderColor: color, borderWidth: 1, opacity: 0.8 },
        told: () => runContent(panel, name, style, point, run),
      })),
    },
  ];
}

const markSize = (points: number) => (points > 40 ? 4 : points > 20 ? 6 : 8);

/**
 * At every value of the axis, a cross if runs diverged and a triangle if they exploded, side by
 * side if
 * both; with several seeds, the number of runs is written next to them.
 */
function edgeMarks(panel: SensitivityPanel, curve: Curve, style: CurveStyle, y: number, { counts, ...place }: Place & { counts: boolean }): Record<string, unknown>[] {
  const { name, color } = style;
  const marks = (of: typeof hasDiverged, symbol: string) => ({
    ...place,
    type: "scatter",
    name,
    animation: false,
    clip: false,
    symbol,
    symbolSize: 6,
    cursor: "pointer",
    itemStyle: { color, borderColor: color, borderWidth: symbol === crossPath ? 1.6 : 0 },
    z: 5,
    data: curve.points
      .filter(({ runs }) => runs.some(of))
      .map((point) => {
        const both = symbol === explodedPath && point.diverged > 0;
        return {
          value: [point.x, y],
          runs: idsOf(point.runs.filter(of)),
          height: curve.height,
          symbolOffset: both ? [-8, 0] : [0, 0],
          label: { show: counts && !both && point.runs.length > 1, position: "right", distance: 3, fontSize: 9, color, formatter: `${point.diverged + point.exploded}/${point.runs.length}` },
          told: () => pointContent(panel, name, style, point),
        };
      }),
  });
  return [marks(hasDiverged, crossPath), marks(hasExploded, explodedPath)].filter(({ data }) => data.length > 0);
}

/** Whether a count fits between two neighboring crosses. */
function hasRoom({ curves }: SensitivityPanel, { min, max }: AxisScale, width: number): boolean {
  const at = (value: number) => (curves.axis?.scale === "log" ? Math.log10(value) : value);
  const places = curves.curves.flatMap(({ points }) => points.filter(isAtEdge).map(({ x }) => at(x)));
  const sorted = [...new Set(places)].sort((a, b) => a - b);
  const closest = minOf(sorted.slice(1).map((place, i) => place - sorted[i]!));
  return (closest / (at(max) - at(min))) * width > 34;
}

/** A line at chance level, if the plot reaches it. */
function chanceLine({ curves, defaults }: SensitivityPanel, look: Look, place: Place, y: AxisScale, x: AxisScale): Record<string, unknown>[] {
  const { chance } = curves;
  if (chance === null || chance < y.min || chance > y.max) return [];
  // In the middle, but beside a line at the published default.
  const share = defaults ? 0.62 : 0.5;
  const middle = curves.axis?.scale === "log" ? x.min * (x.max / x.min) ** share : x.min + share * (x.max - x.min);
  return [
    {
      ...place,
      type: "line",
      silent: true,
      animation: false,
      symbol: "none",
      showAllSymbol: true,
      lineStyle: { color: look.axis, width: 1, type: "dotted" },
      z: 0,
      data: [
        [x.min, chance],
        { value: [middle, chance], symbol: "circle", symbolSize: 0.01, label: { show: true, position: "top", distance: 2, formatter: "guessing", color: look.faint, fontSize: look.fontSize - 1.5 } },
        [x.max, chance],
      ],
    },
  ];
}

/** `paper, Figure 4a (read by eye; 30 epochs, here 2)` */
function referenceName(figure: PaperFigure, { study }: SensitivityPanel): string {
  const difference = budgetDifference(figure, study.base);
  return `${figure.label} (read by eye${difference === null ? "" : `; ${difference}`})`;
}

/** Published values as dashed lines in the colors of their heights. */
function referenceLines(reference: PaperFigure, panel: SensitivityPanel, styles: ReadonlyMap<string, CurveStyle>, look: Look, place: Place): Record<string, unknown>[] {
  const base = { ...place, type: "line", name: referenceName(reference, panel), silent: true, animation: false, symbol: "none", z: 2 };
  const dashed = (color: string) => ({ lineStyle: { color, width: 1.4, type: [5, 4], opacity: 0.8 }, itemStyle: { color } });
  const colorOf = (height: number) => [...styles.values()].find((style) => style.height === height)?.color ?? look.reference;
  return [
    // No points: adds neutral dashes to the legend.
    { ...base, ...dashed(look.reference), data: [] },
    ...reference.curves.map(({ height, values }) => ({ ...base, ...dashed(colorOf(height)), data: values.map((value, i) => [reference.x[i]!, value]) })),
  ];
}
