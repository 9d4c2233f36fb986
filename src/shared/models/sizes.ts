/** Settings of image layers by direction: one number, or a number for each direction or side. */
import { z } from "zod";

/** `[height, width]`. */
export type Pair = [number, number];
/** `[top, left, bottom, right]`. */
export type Sides = [number, number, number, number];

/** Numbers in a range; a list has one for each of `parts`. */
interface Numbers {
  readonly what: string;
  readonly min: number;
  readonly max: number;
  readonly parts: readonly string[];
}

function problemOf(input: unknown, { what, min, max, parts }: Numbers): string {
  const values = Array.isArray(input) ? (input as unknown[]) : [input];
  const listed = values.length === parts.length || !Array.isArray(input);
  if (!listed || values.some((value) => typeof value !== "number")) {
    return `${what} must be a whole number from ${min} to ${max}, or ${parts.length} of them: [${parts.join(", ")}]`;
  }
  if (!values.every(Number.isInteger)) return `${what} must be a whole number`;
  return values.some((value) => Number(value) < min) ? `${what} must be at least ${min}` : `${what} must be at most ${max}`;
}

const message = (numbers: Numbers) => ({ error: (issue: { input?: unknown }) => problemOf(issue.input, numbers) });

const single = (numbers: Numbers) => z.number().int(message(numbers)).min(numbers.min, message(numbers)).max(numbers.max, message(numbers));

/** Checked as a whole, so that an error is at the field. */
const each = (values: readonly number[], { min, max }: Numbers) => values.every((value) => Number.isInteger(value) && value >= min && value <= max);

function pair(numbers: Numbers) {
  return z.tuple([z.number(), z.number()]).refine((values) => each(values, numbers), message(numbers));
}

/** One number for both directions, or `[height, width]`. */
export function byDirection(what: string, min: number, max: number) {
  const numbers = { what, min, max, parts: ["height", "width"] };
  return z.union([single(numbers), pair(numbers)], message(numbers));
}

/** Distance of windows: like byDirection(), or as far as windows are wide. */
export function bySize(what: string, min: number, max: number) {
  const numbers = { what, min, max, parts: ["height", "width"] };
  return z.union([z.literal("size"), single(numbers), pair(numbers)], { error: ({ input }) => `${problemOf(input, numbers)}, or "size"` });
}

/** One number for every side, or `[top, left, bottom, right]`. */
export function bySide(what: string, min: number, max: number) {
  const numbers = { what, min, max, parts: ["top", "left", "bottom", "right"] };
  const sides = z.tuple([z.number(), z.number(), z.number(), z.number()]).refine((values) => each(values, numbers), message(numbers));
  return z.union([single(numbers), sides], message(numbers));
}

/** One number for both ends of a sequence, or `[before, after]`. */
export function byEnd(what: string, min: number, max: number) {
  const numbers = { what, min, max, parts: ["before", "after"] };
  return z.union([single(numbers), pair(numbers)], message(numbers));
}

export const pairOf = (value: number | Pair): Pair => (typeof value === "number" ? [value, value] : value);
export const sidesOf = (value: number | Sides): Sides => (typeof value === "number" ? [value, value, value, value] : value);

/** `3 × 5`; one number means a square. */
export const pairText = (value: number | Pair): string => pairOf(value).join(" × ");
/** `1`, or every side: `1, 0, 1, 0`. */
export const sizesText = (value: number | readonly number[]): string => (typeof value === "number" ? String(value) : value.join(", "));

/** Number of positions of a kernel along an axis of `size`, padded on both sides; below 1 where it does not fit. */
export function positionsAlong(size: number, kernel: number, stride: number, padding: number, dilation = 1): number {
  return Math.floor((size + padding - dilation * (kernel - 1) - 1) / stride) + 1;
}
