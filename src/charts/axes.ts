/** Ticks, extents and labels of chart axes that follow the data closely. */
import { extentOf } from "../shared/extent.ts";
import { formatHyperparameter } from "../shared/tower.ts";

export interface AxisScale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
  /** Label of a tick. */
  readonly label: (tick: number) => string;
  /** Formats a value of the series with the digits that the axis resolves. */
  readonly value: (value: number) => string;
  /**
   * Base of labels written as differences, where the values differ too little to be written out;
   * otherwise null.
   */
  readonly offset: number | null;
}

/** Round step that makes about `count` intervals, up to half as many again. */
function roundStep(span: number, count: number): number {
  const rough = span / count;
  const exponent = Math.floor(Math.log10(rough));
  const mantissa = [1, 2, 5].find((m) => Number(`${m}e${exponent}`) >= rough * 0.7);
  return mantissa === undefined ? Number(`1e${exponent + 1}`) : Number(`${mantissa}e${exponent}`);
}

const round = (value: number) => Number(value.toPrecision(15));

/** With more decimals than this, labels are differences. */
const maxDecimals = 7;

/**
 * A linear axis around the values; undefined without values. `whole` puts ticks at whole numbers.
 */
export function linearScale(values: Iterable<number>, count = 4, whole = false): AxisScale | undefined {
  const found = extentOf(values);
  if (!found) return undefined;
  let [low, high] = found;
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) * 0.1;
    [low, high] = [low - room, high + room];
  }
  const step = Math.max(roundStep(high - low, count), whole ? 1 : 0);
  const first = Math.floor(low / step + 1e-6);
  const last = Math.ceil(high / step - 1e-6);
  const ticks: number[] = [];
  for (let i = first; i <= last; i++) ticks.push(round(i * step));
  const magnitude = Math.max(Math.abs(first), Math.abs(last)) * step;
  const offset = decimalsOf(step) > maxDecimals && step / magnitude < 1e-5 ? Number(low.toPrecision(4)) : null;
  const label = (tick: number) => (offset === null ? written(tick, step, magnitude) : difference(tick - offset, step));
  const value = (v: number) => written(v, step / 100, magnitude);
  return { min: round(first * step), max: round(last * step), ticks, label, value, offset };
}

/** Number of decimals that distinguish multiples of a round step. */
function decimalsOf(step: number): number {
  return Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
}

function written(value: number, step: number, magnitude: number): string {
  if (value === 0) return "0";
  if (magnitude >= 1e-3 && magnitude < 1e6) return value.toFixed(Math.min(12, decimalsOf(step)));
  const digits = Math.floor(Math.log10(Math.abs(value))) - Math.floor(Math.log10(step) + 1e-9);
  return value.toExponential(Math.min(12, Math.max(0, digits))).replace("e+", "e");
}

function difference(value: number, step: number): string {
  const multiple = Math.round(value / step) * step;
  if (multiple === 0) return "0";
  return `${multiple > 0 ? "+" : ""}${formatHyperparameter(multiple)}`;
}

/**
 * A logarithmic axis around the positive values, with at most `most` labelled decades; undefined
 * without positive values.
 */
export function logScale(values: Iterable<number>, most = 6): AxisScale | undefined {
  const found = extentOf(positive(values));
  if (!found) return undefined;
  const [low, high] = found;
  // A flat line still needs some height.
  const room = low === high ? 0.15 : Math.max(0.06 * Math.log10(high / low), 0.002);
  const [min, max] = [low / 10 ** room, high * 10 ** room];
  const ticks = logTicks(min, max, most);
  const closest = ticks.slice(1).reduce((least, tick, i) => Math.min(least, tick - (ticks[i] ?? 0)), max - min);
  const narrow = max / min < 10;
  const label = (tick: number) => (narrow ? written(tick, roundStep(closest, 1), max) : formatHyperparameter(tick));
  const value = (v: number) => (narrow ? written(v, roundStep((max - min) / 500, 1), max) : String(Number(v.toPrecision(4))));
  return { min, max, ticks, label, value, offset: null };
}

/** The values of one curve. */
export interface CurveValues {
  readonly values: readonly number[];
  /** Whether its run diverged or it has non-finite values. */
  readonly broken: boolean;
}

/**
 * A curve has exploded if it exceeds the median curve by this factor (linear) or number of decades
 * (logarithmic).
 */
const explosion = { times: 1000, decades: 6 } as const;
/** An outlier is farther from the bulk than this many times the bulk's span, and on a logarithmic axis farther than `decades` at most. */
const fence = { linear: 20, log: 3, decades: 6 } as const;

/**
 * A vertical axis that outliers do not stretch: it covers the bulk (5th to 95th percentile) of
 * every
 * curve that neither broke nor exploded, and all values near that bulk. Clip values outside `min`
 * to `max`.
 */
export function robustScale(curves: readonly CurveValues[], log: boolean): AxisScale | undefined {
  const onAxis = (value: number) => (log ? Math.log10(value) : value);
  const drawable = curves.map(({ values, broken }) => ({ broken, values: values.filter((value) => Number.isFinite(value) && (!log || value > 0)) })).filter(({ values }) => values.length > 0);
  const sound = drawable.filter(({ broken }) => !broken);
  const percentile = sound.length > 0 ? 0.05 : 0.1;
  const bulks = (sound.length > 0 ? sound : drawable).map(({ values }) => {
    const sorted = Float64Array.from(values, onAxis).sort();
    const last = sorted.length - 1;
    const [low, high] = [sorted[Math.floor(percentile * last)]!, sorted[Math.ceil((1 - percentile) * last)]!];
    return { low, high, reach: log ? high : Math.max(Math.abs(low), Math.abs(high)) };
  });
  const reaches = bulks.map(({ reach }) => reach).filter((reach) => log || reach > 0).sort((a, b) => a - b);
  const typical = reaches[(reaches.length - 1) >> 1] ?? 0;
  const farthest = log ? typical + explosion.decades : typical * explosion.times;
  const core = extentOf(bulks.filter(({ reach }) => reach <= farthest).flatMap(({ low, high }) => [low, high]));
  const scale = log ? logScale : linearScale;
  if (!core) return scale(drawable.flatMap(({ values }) => values));
  const [low, high] = core;
  const span = log ? Math.max(high - low, 1) : Math.max(high - low, 0.05 * Math.max(Math.abs(low), Math.abs(high)));
  const room = span === 0 ? Infinity : log ? Math.min(span * fence.log, fence.decades) : span * fence.linear;
  return scale(drawable.flatMap(({ values }) => values.filter((value) => onAxis(value) >= low - room && onAxis(value) <= high + room)));
}

function* positive(values: Iterable<number>): Generator<number> {
  for (const value of values) if (value > 0) yield value;
}

/**
 * Round values between the ends: decades where there are enough, else 1-2-5, else evenly spaced.
 */
export function logTicks(min: number, max: number, most = 6): number[] {
  const from = Math.floor(Math.log10(min));
  const to = Math.ceil(Math.log10(max));
  const series = (mantissas: readonly number[], every = 1) => {
    const ticks: number[] = [];
    for (let exponent = from; exponent <= to; exponent++) {
      if (exponent % every !== 0) continue;
      for (const mantissa of mantissas) ticks.push(Number(`${mantissa}e${exponent}`));
    }
    return ticks.filter((value) => value >= min && value <= max);
  };
  const decades = series([1]);
  if (decades.length > most) return series([1], Math.ceil(decades.length / most));
  if (decades.length >= 3) return decades;
  const fine = series([1, 2, 5]);
  if (fine.length >= 3) return fine;
  return [...(linearScale([min, max])?.ticks ?? [])].filter((value) => value >= min && value <= max);
}
