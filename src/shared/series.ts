/**
 * Downsampled series. A bucket covers `width` consecutive steps, `width` a power
 * of two, and keeps the extremes with their steps: no spike is ever lost, and
 * buckets stay where they are while data is appended, so deltas can be merged.
 */
import { z } from "zod";

export const bucket = z.object({
  /** First step covered; a multiple of the width. */
  start: z.number().int(),
  /** Values in the bucket, non-finite ones included. */
  count: z.number().int(),
  /** Non-finite values in the bucket. */
  nonFinite: z.number().int(),
  /** Extremes of the finite values and their steps; null without any. */
  min: z.number().nullable(),
  minStep: z.number().int().nullable(),
  max: z.number().nullable(),
  maxStep: z.number().int().nullable(),
  /** Sum of the finite values, for means. */
  sum: z.number(),
});

export type Bucket = z.infer<typeof bucket>;

/** The bucket of a single value. */
export function bucketOf(step: number, value: number): Bucket {
  const finite = Number.isFinite(value);
  return {
    start: step,
    count: 1,
    nonFinite: finite ? 0 : 1,
    min: finite ? value : null,
    minStep: finite ? step : null,
    max: finite ? value : null,
    maxStep: finite ? step : null,
    sum: finite ? value : 0,
  };
}

/** Merges `later` into `earlier` under a new start. */
export function mergeBuckets(start: number, earlier: Bucket, later: Bucket): Bucket {
  const lowIsEarlier = later.min === null || (earlier.min !== null && earlier.min <= later.min);
  const highIsEarlier = later.max === null || (earlier.max !== null && earlier.max >= later.max);
  return {
    start,
    count: earlier.count + later.count,
    nonFinite: earlier.nonFinite + later.nonFinite,
    min: lowIsEarlier ? earlier.min : later.min,
    minStep: lowIsEarlier ? earlier.minStep : later.minStep,
    max: highIsEarlier ? earlier.max : later.max,
    maxStep: highIsEarlier ? earlier.maxStep : later.maxStep,
    sum: earlier.sum + later.sum,
  };
}

/** Regroups buckets to a larger power-of-two width. Input sorted by start. */
export function coarsen(buckets: readonly Bucket[], width: number): Bucket[] {
  const merged: Bucket[] = [];
  for (const next of buckets) {
    const start = Math.floor(next.start / width) * width;
    const last = merged.at(-1);
    if (last?.start === start) merged[merged.length - 1] = mergeBuckets(start, last, next);
    else merged.push({ ...next, start });
  }
  return merged;
}

/** Smallest power-of-two width at which `steps` steps need at most `maxBuckets` buckets. */
export function widthFor(steps: number, maxBuckets: number): number {
  let width = 1;
  while (Math.ceil(steps / width) > maxBuckets) width *= 2;
  return width;
}

/**
 * Appends a delta to buckets: a bucket of the delta replaces the one with the same start, since the
 * last
 * bucket is sent again while it fills.
 */
export function appendBuckets(held: readonly Bucket[], delta: readonly Bucket[], width: number): Bucket[] {
  const base = coarsen(held, width);
  const first = delta[0];
  if (!first) return base;
  const keep = base.findIndex((b) => b.start >= first.start);
  return [...(keep === -1 ? base : base.slice(0, keep)), ...delta];
}

/** The points to draw: both extremes of every bucket, in order of step. */
export function drawnPoints(buckets: readonly Bucket[]): [step: number, value: number][] {
  const points: [number, number][] = [];
  for (const { min, minStep, max, maxStep } of buckets) {
    if (min === null || minStep === null || max === null || maxStep === null) continue;
    if (minStep === maxStep) points.push([minStep, min]);
    else if (minStep < maxStep) points.push([minStep, min], [maxStep, max]);
    else points.push([maxStep, max], [minStep, min]);
  }
  return points;
}

/** Steps where a curve breaks: the last step of every bucket with a non-finite value. */
export function gapSteps(buckets: readonly Bucket[]): number[] {
  return buckets.filter(({ nonFinite }) => nonFinite > 0).map(({ start, count }) => start + count - 1);
}
