/** The buckets that a thinned run keeps, and their checksums. Released checksums must stay what they are. */
import { crc32 } from "node:zlib";
import type { Database, Statement } from "better-sqlite3";
import type { Bucket } from "../../shared/series.ts";
import { keptFrom } from "../../shared/thinning.ts";
import { pyramidWidths } from "./pyramid.ts";
import { toBucket, type BucketColumns } from "./seriesRows.ts";

/** Buckets of a width under one checksum. */
export const bucketSpan = 64;

/** Width under which the checksum of step 0's value is stored. */
export const firstValueWidth = 1;

/** Consecutive buckets of a width under one checksum. */
export interface BucketGroup {
  readonly width: number;
  /** First step of its first bucket. */
  readonly start: number;
  readonly count: number;
}

/** Widths of the buckets that a run thinned to `width` keeps. */
export const keptWidths = (width: number): number[] => pyramidWidths.filter((w) => w >= width);

/** The groups of buckets that a metric keeps, narrow ones first, each width in order of step. */
export function* bucketGroups(lastStep: number, thinnedTo: number): Generator<BucketGroup> {
  for (const width of keptWidths(thinnedTo)) {
    const whole = Math.floor((lastStep + 1) / width);
    for (let at = 0; at < whole; at += bucketSpan) yield { width, start: at * width, count: Math.min(bucketSpan, whole - at) };
  }
}

/** Checksum of a group of buckets. @param metric `checksumName()` of the metric */
export function bucketsChecksum(metric: string, { width, start }: Pick<BucketGroup, "width" | "start">, buckets: readonly Bucket[]): number {
  const cells = new Float64Array(buckets.length * 8);
  buckets.forEach((b, i) => {
    // NaN for NULL, and 0 for -0: as they are stored.
    cells.set([b.start, b.count, b.nonFinite, b.min ?? NaN, b.minStep ?? NaN, b.max ?? NaN, b.maxStep ?? NaN, b.sum].map((cell) => (Number.isNaN(cell) ? NaN : cell + 0)), i * 8);
  });
  return crc32(new Uint8Array(cells.buffer), crc32(`${metric}\nbuckets\n${width}\n${start}`));
}

/** Checksum of a metric's value at step 0. */
export function firstValueChecksum(metric: string, value: number): number {
  return crc32(new Uint8Array(Float64Array.of(Number.isNaN(value) ? NaN : value + 0).buffer), crc32(`${metric}\nfirst`));
}

/** Whether a bucket can stand for `width` values from `start` on. */
export function isBucketOf({ width, start }: Pick<BucketGroup, "width" | "start">, b: Bucket): boolean {
  const isInside = (step: number | null) => step !== null && step >= start && step < start + width;
  const isEmpty = b.min === null && b.max === null && b.minStep === null && b.maxStep === null;
  const hasExtremes = b.min !== null && b.max !== null && b.min <= b.max && isInside(b.minStep) && isInside(b.maxStep);
  return b.start === start && b.count === width && b.nonFinite >= 0 && b.nonFinite <= width && (b.nonFinite === width ? isEmpty : hasExtremes) && typeof b.sum === "number";
}

/** Stands for values that are lost, like NaN. */
export const lostBucket = (width: number, start: number): Bucket => ({ start, count: width, nonFinite: width, min: null, minStep: null, max: null, maxStep: null, sum: 0 });

/** Reads groups of buckets and the stored checksums. */
export class KeptBuckets {
  readonly #buckets: Statement<[number, number, number, number], BucketColumns>;
  readonly #checksum: Statement<[number, number, number], number>;

  constructor(db: Database) {
    this.#buckets = db
      .prepare<[number, number, number, number], BucketColumns>("SELECT start, count, non_finite, min, min_step, max, max_step, sum FROM buckets WHERE metric = ? AND width = ? AND start >= ? AND start < ? ORDER BY start")
      .raw();
    this.#checksum = db.prepare<[number, number, number], number>("SELECT crc FROM kept_checksums WHERE metric = ? AND width = ? AND start = ?").pluck();
  }

  read(metric: number, { width, start, count }: BucketGroup): Bucket[] {
    return this.#buckets.all(metric, width, start, start + width * count).map(toBucket);
  }

  checksum(metric: number, { width, start }: Pick<BucketGroup, "width" | "start">): number | undefined {
    return this.#checksum.get(metric, width, start);
  }

  /** Whether the buckets are all there, in order. */
  static isWhole({ width, start, count }: BucketGroup, buckets: readonly Bucket[]): boolean {
    return buckets.length === count && buckets.every((bucket, i) => isBucketOf({ width, start: start + i * width }, bucket));
  }
}

/** Number of values of a metric that stay. */
export const keptValues = (lastStep: number, width: number): number => lastStep + 1 - Math.max(0, keptFrom(lastStep, width) - 1);
