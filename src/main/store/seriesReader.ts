/** Reads series in buckets, from the pyramid's finished buckets and the values after them. */
import type { Database, Statement } from "better-sqlite3";
import { maxOf } from "../../shared/extent.ts";
import { bucketOf, coarsen, widthFor, type Bucket } from "../../shared/series.ts";
import { pyramidWidths, withFiniteSum } from "./pyramid.ts";
import { bucketsFrom, toBucket, valuesFrom, type BucketColumns } from "./seriesRows.ts";

export interface SeriesQuery {
  readonly run: string;
  readonly metrics: readonly string[];
  /** Last step that the caller has; -1 for none. */
  readonly after: number;
  /** Width of the caller's buckets, a power of two. */
  readonly width: number;
  readonly maxBuckets: number;
}

export interface SeriesAnswer {
  readonly width: number;
  readonly lastStep: number;
  readonly series: { metric: string; total: number; buckets: Bucket[] }[];
}

interface MetricRow {
  readonly id: number;
  readonly name: string;
  readonly count: number;
  readonly lastStep: number;
}

export class SeriesReader {
  readonly #metrics: Statement<[string], MetricRow>;
  readonly #buckets: Statement<[number, number, number], BucketColumns>;
  readonly #values: Statement<[number, number], [number, number | null]>;
  readonly #thinnedTo: Statement<[string], number | null>;
  readonly #read: (query: SeriesQuery) => SeriesAnswer;

  constructor(db: Database) {
    this.#metrics = db.prepare("SELECT id, name, count, last_step AS lastStep FROM metrics WHERE run = ?");
    this.#buckets = db.prepare<[number, number, number], BucketColumns>(bucketsFrom).raw();
    this.#values = db.prepare<[number, number], [number, number | null]>(valuesFrom).raw();
    this.#thinnedTo = db.prepare<[string], number | null>("SELECT thinned_width FROM runs WHERE id = ?").pluck();
    // One transaction, so that every statement sees the same commit.
    this.#read = db.transaction((query: SeriesQuery) => this.#answer(query));
  }

  /**
   * Buckets of the metrics, from the one with step `after + 1` on. Their width is the smallest power
   * of two that is at least the caller's and needs at most `maxBuckets` for the whole series; of a thinned
   * run, at least that of the kept buckets. A metric that is not logged has no buckets.
   */
  read(query: SeriesQuery): SeriesAnswer {
    return this.#read(query);
  }

  #answer({ run, metrics, after, width: held, maxBuckets }: SeriesQuery): SeriesAnswer {
    const known = new Map(this.#metrics.all(run).map((row) => [row.name, row]));
    const lastStep = Math.max(-1, maxOf(metrics.map((name) => known.get(name)?.lastStep ?? -1)));
    const width = Math.max(held, this.#thinnedTo.get(run) ?? 1, widthFor(lastStep + 1, maxBuckets));
    const from = Math.floor((after + 1) / width) * width;
    return {
      width,
      lastStep,
      series: metrics.map((metric) => {
        const row = known.get(metric);
        return { metric, total: row?.count ?? 0, buckets: row ? this.#bucketsFrom(row.id, from, width) : [] };
      }),
    };
  }

  #bucketsFrom(metric: number, from: number, width: number): Bucket[] {
    const parts: Bucket[] = [];
    let next = from;
    for (const stored of pyramidWidths.filter((w) => w <= width).reverse()) {
      const found = this.#buckets.all(metric, stored, next);
      for (const columns of found) parts.push(toBucket(columns));
      const last = found.at(-1);
      if (last) next = last[0] + stored;
    }
    for (const [step, value] of this.#values.all(metric, next)) parts.push(bucketOf(step, value ?? NaN));
    return coarsen(parts, width).map(withFiniteSum);
  }
}
