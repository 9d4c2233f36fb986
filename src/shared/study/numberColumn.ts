/** A key figure of a study as a table column. */
import type { Estimate, HeightNumbers } from "./numbers.ts";

export interface NumberColumn {
  readonly key: string;
  readonly title: string;
  /** Follows a value in text; may be empty. */
  readonly unit: string;
  /** One sentence. */
  readonly definition: string;
  /** Use a log axis. */
  readonly log: boolean;
  readonly of: (height: HeightNumbers) => Estimate | null;
  /** Formats without the unit. */
  readonly format: (value: number) => string;
}

export const decimals = (digits: number) => (value: number) => value.toFixed(digits);
export const significant = (digits: number) => (value: number) => String(Number(value.toPrecision(digits)));
export const percent = (value: number) => (100 * value).toFixed(Math.abs(value) < 0.0995 ? 1 : 0);

/** A single value is no range: show nothing until there is a second. */
export const overRange = ({ numbers, known }: HeightNumbers) => (known > 1 ? numbers : null);

/** `3.41 % (3.35 to 3.49)` */
export function estimateText({ format, unit }: Pick<NumberColumn, "format" | "unit">, estimate: Estimate | null): string {
  if (estimate === null) return "–";
  const { value, interval } = estimate;
  const range = interval === null ? "" : ` (${format(interval[0])} to ${format(interval[1])})`;
  return `${format(value)}${unit === "" ? "" : ` ${unit}`}${range}`;
}
