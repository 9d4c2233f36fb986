/**
 * The pyramid: a metric's values aggregated in buckets of increasing widths. Only finished buckets
 * are emitted, in order, and they never change: writing is append-only, and readers take the
 * unfinished tail from narrower widths.
 */
import { bucketOf, mergeBuckets, type Bucket } from "../../shared/series.ts";

/**
 * Powers of two, each 8 times the previous: a reader merges at most 8 stored buckets into one of
 * its own. Below 32 it reads the values.
 */
export const pyramidWidths: readonly number[] = [32, 256, 2048, 16_384, 131_072, 1_048_576];

/** Clamps an overflowed sum to the largest finite number: the store and JSON hold no infinite sums. */
export function withFiniteSum(bucket: Bucket): Bucket {
  if (Number.isFinite(bucket.sum)) return bucket;
  return { ...bucket, sum: Math.sign(bucket.sum) * Number.MAX_VALUE };
}

export interface FinishedBucket {
  readonly width: number;
  readonly bucket: Bucket;
}

/** Builds the pyramid of a metric from its values in order of step. */
export class PyramidBuilder {
  readonly #open: (Bucket | undefined)[] = pyramidWidths.map(() => undefined);

  /**
   * Continues after the stored values.
   * @param next step of the next value
   * @param values reads stored values from a step on, in order
   * @param buckets reads finished buckets of a width from a start on, in order
   */
  static resume(
    next: number,
    values: (from: number) => readonly { step: number; value: number }[],
    buckets: (width: number, from: number) => readonly Bucket[],
  ): PyramidBuilder {
    const builder = new PyramidBuilder();
    pyramidWidths.forEach((width, level) => {
      const start = Math.floor(next / width) * width;
      const below = pyramidWidths[level - 1];
      const parts = below === undefined ? values(start).map(({ step, value }) => bucketOf(step, value)) : buckets(below, start);
      builder.#open[level] = parts.reduce<Bucket | undefined>((open, part) => (open ? mergeBuckets(start, open, part) : { ...part, start }), undefined);
    });
    return builder;
  }

  /** Adds the next value; appends the buckets that it finishes to `finished`. */
  add(step: number, value: number, finished: FinishedBucket[]): void {
    this.#merge(0, bucketOf(step, value), step, finished);
  }

  /** Merges a part that ends at `lastStep` into the open bucket of `level`. */
  #merge(level: number, part: Bucket, lastStep: number, finished: FinishedBucket[]): void {
    const width = pyramidWidths[level];
    if (width === undefined) return;
    const start = Math.floor(part.start / width) * width;
    let open = this.#open[level];
    if (open && open.start !== start) {
      this.#finish(level, width, open, finished);
      open = undefined;
    }
    const merged = open ? mergeBuckets(start, open, part) : { ...part, start };
    if (lastStep === start + width - 1) this.#finish(level, width, merged, finished);
    else this.#open[level] = merged;
  }

  #finish(level: number, width: number, open: Bucket, finished: FinishedBucket[]): void {
    const bucket = withFiniteSum(open);
    this.#open[level] = undefined;
    finished.push({ width, bucket });
    this.#merge(level + 1, bucket, bucket.start + width - 1, finished);
  }
}
