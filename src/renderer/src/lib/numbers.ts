/** Reading and stepping numbers in form fields. */
import type { Domain } from "@shared/optimizers.ts";

/** Content of a field: a number if it parses, else the text, which validation refuses. */
export type Entry = number | string;

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Reads `0.01`, `1e-5`, `60,000`; anything else stays text. A typographic minus counts as a minus. */
export function readEntry(text: string): Entry {
  const plain = text.trim().replace(/[−–]/g, "-");
  const ungrouped = /^[+-]?\d{1,3}(,\d{3})+$/.test(plain) ? plain.replaceAll(",", "") : plain;
  return decimal.test(ungrouped) ? Number(ungrouped) : text;
}

/** A number for every direction, or a list with a number for each. */
export type Sizes = Entry | readonly Entry[];

/** Reads `3`, and `3 × 5`, `3x5` or `1, 0, 1, 0` as a list; anything else stays text. */
export function readSizes(entry: Entry): Sizes {
  if (typeof entry === "number") return entry;
  const numbers = entry.split(/[×x,\s]+/).map(readEntry);
  return numbers.length > 1 && numbers.every((number) => typeof number === "number") ? numbers : entry;
}

export const showSizes = (sizes: Sizes, separator: string): Entry => (typeof sizes === "object" ? sizes.join(separator) : sizes);

/**
 * How arrow keys change a value: through decades, toward 1 through 0.9, 0.99, by 0.05, or by whole
 * numbers.
 */
export type StepKind = "decades" | "fraction" | "share" | "whole";

const mantissas = [1, 2, 5, 10];

/** Next of ..., 1, 2, 5, 10, ... above or below a positive value. */
function nextInDecades(value: number, direction: 1 | -1): number {
  const exponent = Math.floor(Math.log10(value) + 1e-9);
  const mantissa = value / 10 ** exponent;
  const tolerance = 1e-6;
  const at = (m: number, e: number) => Number(`${m}e${e}`);
  if (direction === 1) return at(mantissas.find((m) => m > mantissa + tolerance) ?? 10, exponent);
  const below = mantissas.findLast((m) => m < mantissa - tolerance);
  return below === undefined ? at(5, exponent - 1) : at(below, exponent);
}

/** Value after an arrow key press, within the domain. */
export function stepValue(value: number, direction: 1 | -1, kind: StepKind, domain?: Domain): number {
  const next = rawStep(value, direction, kind);
  if (!domain) return next;
  const { min, max, minExclusive, maxExclusive } = domain;
  if (next < min || (minExclusive && next <= min) || next > max || (maxExclusive && next >= max)) return value;
  return next;
}

function rawStep(value: number, direction: 1 | -1, kind: StepKind): number {
  if (kind === "whole") return Math.round(value) + direction;
  if (kind === "share") return (Math.round(20 * value) + direction) / 20;
  if (kind === "decades") {
    if (value > 0) return nextInDecades(value, direction);
    return direction === 1 ? 1e-5 : value;
  }
  // A decay's natural scale is its distance from 1: 0.9, 0.95, 0.98, 0.99, 0.995, ...
  if (value >= 1) return value;
  const rest = nextInDecades(1 - value, direction === 1 ? -1 : 1);
  return rest >= 1 ? 0 : Number((1 - rest).toPrecision(12));
}
