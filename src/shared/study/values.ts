/** Computes the values of axes. */
import type { FieldError } from "../experiment.ts";
import type { Axis, AxisValues } from "./study.ts";

type Ranged = Exclude<AxisValues, { kind: "list" }>;
export type Sampled = Extract<AxisValues, { kind: "random" | "quasiRandom" }>;

export function isSampled(values: AxisValues): values is Sampled {
  return values.kind === "random" || values.kind === "quasiRandom";
}

/** Number of values of an axis. */
export function countValues(values: AxisValues): number {
  return values.kind === "list" ? values.values.length : values.points;
}

/** One base per axis of the Halton sequence. */
const bases = [2, 3, 5, 7] as const;

/**
 * Values of every axis, in order. More points on a sampled axis keep the earlier ones, and so do
 * finer grids: values are rounded to 12 digits, so that the same value is always the same number.
 */
export function axisValues(axes: readonly Axis[]): number[][] {
  let quasiRandom = 0;
  return axes.map((axis) => {
    const { values } = axis;
    switch (values.kind) {
      case "list":
        return values.values;
      case "grid":
        return fractions(values.points, (i) => (values.points === 1 ? 0 : i / (values.points - 1)), values);
      case "random": {
        // Each axis has its own stream, even if two have the same seed.
        const stream = hash(`${axis.level}.${axis.hyperparameter}`);
        return fractions(values.points, (i) => uniform(values.seed, stream, i), values);
      }
      case "quasiRandom": {
        const base = bases[quasiRandom++ % bases.length]!;
        // Index 0 would be the lower end of every range.
        return fractions(values.points, (i) => radicalInverse(i + 1, base), values);
      }
    }
  });
}

/** Errors of an axis range. */
export function rangeErrors(values: AxisValues, path: string): FieldError[] {
  if (values.kind === "list") return [];
  const errors: FieldError[] = [];
  if (values.scale === "log") {
    for (const end of ["from", "to"] as const) {
      if (values[end] <= 0) errors.push({ path: `${path}.${end}`, message: `${end} is ${values[end]}; on a log scale it must be greater than 0` });
    }
  }
  if (errors.length === 0 && values.points > 1 && values.from === values.to) {
    errors.push({ path: `${path}.to`, message: `${values.points} points need a range; from and to are both ${values.from}` });
  }
  if (values.kind === "grid" && values.points === 1 && values.from !== values.to) {
    errors.push({ path: `${path}.points`, message: `a grid from ${values.from} to ${values.to} needs at least 2 points` });
  }
  return errors;
}

function fractions(count: number, at: (i: number) => number, range: Ranged): number[] {
  return Array.from({ length: count }, (_, i) => between(at(i), range));
}

function between(fraction: number, { scale, from, to }: Ranged): number {
  if (fraction === 0) return from;
  if (fraction === 1) return to;
  const value = scale === "log" ? 10 ** (Math.log10(from) + fraction * (Math.log10(to) - Math.log10(from))) : from + fraction * (to - from);
  return rounded(value);
}

/** Drops the last digits, in which different computations of one value differ. */
export function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

/** Van der Corput sequence in a base, in (0, 1); Halton (1960) uses one base per dimension. */
function radicalInverse(index: number, base: number): number {
  let fraction = 0;
  let scale = 1 / base;
  for (let rest = index; rest > 0; rest = Math.floor(rest / base)) {
    fraction += (rest % base) * scale;
    scale /= base;
  }
  return fraction;
}

/** FNV-1a. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Random number in [0, 1): murmur3's finalizer over the seed, the stream and the index. */
function uniform(seed: number, stream: number, index: number): number {
  let h = seed ^ Math.imul(stream, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
  for (const factor of [0x85ebca6b, 0xc2b2ae35]) {
    h = Math.imul(h ^ (h >>> 16), factor);
    h ^= h >>> 13;
  }
  return (h >>> 0) / 2 ** 32;
}
