/**
 * Parallel coordinates: an axis for each varying setting and for the result, a line for each run
 * colored by its result. Dragging along an axis selects the lines that cross there.
 */
import { linearScale, logScale } from "./axes.ts";
import { frameOf, logLabels, roomFor, tooltipOption, type TooltipItem } from "./frame.ts";
import { formatHyperparameter } from "../shared/tower.ts";
import { heatColors, orderedMix, type ChartSettings } from "./theme.ts";

export interface ParallelAxis {
  readonly label: string;
  readonly scale: "log" | "linear" | "category";
  /** One value per line; null for none, which is drawn at the foot of the axis. */
  readonly values: readonly (number | string | null)[];
  /** Formats a value for a tooltip. */
  format(value: number | string): string;
}

export interface ParallelLine {
  readonly name: string;
  /** Shown next to the result, such as "diverged". */
  readonly note?: string;
}

/** Positions of values on an axis of length 1, and their labels. */
export interface Places {
  readonly at: readonly number[];
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

/** Share of an axis reserved at its foot for missing values. */
const noneRoom = 0.14;
const shorten = (label: string, most = 16) => (label.length > most ? `${label.slice(0, most - 1)}…` : label);

export function placesOn({ scale, values }: Pick<ParallelAxis, "scale" | "values">): Places {
  const known = values.filter((value) => value !== null);
  const foot = known.length < values.length ? noneRoom : 0;
  const none = foot === 0 ? [] : [{ at: 0, label: "none" }];
  const lift = (at: number) => foot + (1 - foot) * at;
  if (scale === "category") {
    const names = [...new Set(known.map(String))].sort();
    const place = (name: string) => lift(names.length < 2 ? 0.5 : names.indexOf(name) / (names.length - 1));
    return { at: values.map((value) => (value === null ? 0 : place(String(value)))), ticks: [...none, ...names.map((name) => ({ at: place(name), label: shorten(name) }))] };
  }
  const numbers = known.map(Number);
  const axis = scale === "log" ? logScale(numbers, 8) : linearScale(numbers);
  if (!axis) return { at: values.map(() => 0), ticks: none };
  const along = scale === "log" ? Math.log10 : (value: number) => value;
  const place = (value: number) => lift((along(value) - along(axis.min)) / (along(axis.max) - along(axis.min)));
  const label = (scale === "log" ? logLabels(axis) : undefined) ?? axis.label;
  // A few values get a label each; more get round ticks.
  const own = [...new Set(numbers)];
  const written = scale === "linear" && own.length <= 5 ? own.map((at) => ({ at, text: formatHyperparameter(at) })) : axis.ticks.map((at) => ({ at, text: label(at) }));
  return { at: values.map((value) => (value === null ? 0 : place(Number(value)))), ticks: [...none, ...written.map(({ at, text }) => ({ at: place(at), label: text }))] };
}

/**
 * Chart with the result as last axis, which determines the color: pale is low. Omit lines without a
 * result.
 */
export function parallelChart(axes: readonly ParallelAxis[], lines: readonly ParallelLine[], settings: ChartSettings): Record<string, unknown> {
  const { look, inner, parts } = frameOf(settings, []);
  const places = axes.map(placesOn);
  const font = { fontFamily: look.fontFamily, fontSize: look.fontSize };
  const colors = heatColors(settings.theme);
  const result = places.at(-1);
  const width = axes.length > 1 ? inner.width / axes.length : inner.width;
  const opacity = Math.max(0.18, Math.min(0.85, 12 / Math.sqrt(Math.max(1, lines.length)) / 4));
  const sideRoom = (of: Places | undefined) => (of ? Math.max(24, ...of.ticks.map(({ label }) => roomFor(label, look.fontSize))) : 24);
  return {
    ...parts,
    ...tooltipOption(settings),
    parallel: {
      left: inner.left + Math.max(30, roomFor(axes[0]?.label ?? "", look.fontSize) / 2),
      right: settings.width - inner.left - inner.width + Math.max(sideRoom(result) + 16, roomFor(axes.at(-1)?.label ?? "", look.fontSize) / 2),
      top: inner.top + look.fontSize * 1.5 + 10,
      bottom: settings.height - inner.top - inner.height + 12,
      axisExpandable: false,
    },
    parallelAxis: axes.map((axis, dim) => ({
      dim,
      type: "value",
      min: 0,
      max: 1,
      name: shorten(axis.label, Math.max(8, Math.floor(width / (look.fontSize * 0.57)))),
      nameLocation: "end",
      nameGap: 12,
      nameTextStyle: { ...font, color: look.text, fontWeight: 600 },
      axisLine: { lineStyle: { color: look.axis, width: 1 } },
      axisTick: { show: true, customValues: places[dim]!.ticks.map(({ at }) => at), lineStyle: { color: look.axis } },
      splitLine: { show: false },
      axisLabel: {
        ...font,
        color: look.soft,
        customValues: places[dim]!.ticks.map(({ at }) => at),
        formatter: (tick: number) => places[dim]!.ticks.find(({ at }) => Math.abs(at - tick) < 1e-9)?.label ?? "",
        // Keeps lines from running through the labels.
        backgroundColor: look.background,
        padding: [1, 3],
        borderRadius: 3,
      },
      areaSelectStyle: { width: 18, borderWidth: 1, borderColor: look.soft, color: look.soft, opacity: 0.25 },
    })),
    series: [
      {
        type: "parallel",
        animation: false,
        progressive: 0,
        smooth: 0.12,
        inactiveOpacity: 0.03,
        activeOpacity: Math.max(opacity, 0.6),
        emphasis: { lineStyle: { width: 3, opacity: 1 } },
        data: lines.map((line, i): TooltipItem & Record<string, unknown> => ({
          name: line.name,
          value: places.map(({ at }) => at[i]!),
          lineStyle: { color: orderedMix(colors, 0.12 + 0.88 * (result?.at[i] ?? 0)), width: 1.6, opacity },
          told: () => ({
            title: line.name,
            rows: axes.map((axis, dim) => {
              const value = axis.values[i] ?? null;
              const note = dim === axes.length - 1 && line.note !== undefined ? { note: line.note } : {};
              return { name: axis.label, value: value === null ? "none" : axis.format(value), ...note };
            }),
          }),
        })),
      },
    ],
  };
}
