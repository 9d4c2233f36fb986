/** Rows and queries of series that the reader and the writer share. */
import type { Bucket } from "../../shared/series.ts";

export type BucketColumns = [
  start: number,
  count: number,
  nonFinite: number,
  min: number | null,
  minStep: number | null,
  max: number | null,
  maxStep: number | null,
  sum: number,
];

/** Finished buckets of a metric and width from a start on. */
export const bucketsFrom = `SELECT start, count, non_finite, min, min_step, max, max_step, sum FROM buckets
  WHERE metric = ? AND width = ? AND start >= ? ORDER BY start`;

/** Values of a metric from a step on. */
export const valuesFrom = "SELECT step, value FROM series_values WHERE metric = ? AND step >= ? ORDER BY step";

export function toBucket([start, count, nonFinite, min, minStep, max, maxStep, sum]: BucketColumns): Bucket {
  return { start, count, nonFinite, min, minStep, max, maxStep, sum };
}
