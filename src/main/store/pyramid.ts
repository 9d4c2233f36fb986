/**
 * The pyramid: every metric's values summed up in buckets of ever larger
 * widths. Only finished buckets are emitted, in order, and they never change:
 * writing is append-only, and readers take the unfinished tail from the
 * narrower widths.
 */
import { bucketOf, mergeBuckets, type Bucket } from "../../shared/series.ts";

/**
 * Powers of two, each 8 times the one before: a reader merges at most 8 stored
 * buckets into one of its own, and below 32 it reads the values themselves.
 */
export const pyramidWidths: readonly number[] = [32, 256, 2048, 16_384, 131_072, 1_048_576];

/** A sum of huge values may overflow; neither the store nor JSON holds what follows from that. */
export function withFiniteSum(bucket: Bucket): Bucket {
  if (Number.isFinite(bucket.sum)) return bucket;
  return { ...bucket, sum: Math.sign(bucket.sum) * Number.MAX_VALUE };
}

export interface FinishedBucket {
  readonly width: number;
  readonly bucket: Bucket;
}

/** Builds the pyramid of one metric from its values in order of step. */
export class PyramidBuilder {
  readonly #open: (Bucket | undefined)[] = pyramidWidths.map(() => undefined);

  /**
   * Goes on behind the values that are stored already.
   * @param next step of the first value to come
   * @param values stored values from a step on, @param buckets finished buckets of a width from a start on, both in order
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

  /** Adds the next value and appends the buckets it finishes to `finished`. */
  add(step: number, value: number, finished: FinishedBucket[]): void {
    this.#merge(0, bucketOf(step, value), step, finished);
  }

  /** Merges a part of `level`'s buckets that ends with `lastStep`. */
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
