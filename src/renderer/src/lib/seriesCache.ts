/** Caches a run's series and plans delta requests. */
import { maxOf, minOf } from "@shared/extent.ts";
import type { RequestOutput } from "@shared/contract.ts";
import { appendBuckets, type Bucket } from "@shared/series.ts";

export type SeriesReply = RequestOutput<"series.read">;

export interface HeldSeries {
  readonly buckets: readonly Bucket[];
  /** Power-of-two width of the buckets. */
  readonly width: number;
  /** Number of values logged up to `lastStep`. */
  readonly total: number;
  /** Cursor; -1 for none. */
  readonly lastStep: number;
}

export interface SeriesQuery {
  metrics: string[];
  after: number;
  width: number;
}

/** The contract's limit of metrics in one request. */
const metricsPerRequest = 500;

export class SeriesCache {
  private readonly held = new Map<string, HeldSeries>();

  get(metric: string): HeldSeries | undefined {
    return this.held.get(metric);
  }

  /**
   * Requests that update `metrics`: new ones from the start, cached ones from their earliest cursor
   * at their
   * coarsest width.
   */
  plan(metrics: readonly string[]): SeriesQuery[] {
    const fresh = metrics.filter((metric) => !this.held.has(metric));
    const known = metrics.flatMap((metric) => {
      const series = this.held.get(metric);
      return series ? [{ metric, series }] : [];
    });
    const queries: SeriesQuery[] = chunks(fresh).map((part) => ({ metrics: part, after: -1, width: 1 }));
    if (known.length > 0) {
      const after = minOf(known.map(({ series }) => series.lastStep));
      const width = maxOf(known.map(({ series }) => series.width));
      queries.push(...chunks(known.map(({ metric }) => metric)).map((part) => ({ metrics: part, after, width })));
    }
    return queries;
  }

  /** Merges a reply; returns whether anything changed. */
  merge(reply: SeriesReply): boolean {
    let changed = false;
    for (const { metric, total, buckets } of reply.series) {
      const before = this.held.get(metric);
      // Polls may overlap; ignore the older reply.
      if (before && before.lastStep > reply.lastStep) continue;
      const width = Math.max(before?.width ?? 1, reply.width);
      this.held.set(metric, {
        buckets: buckets.length === 0 && before?.width === width ? before.buckets : appendBuckets(before?.buckets ?? [], buckets, width),
        width,
        total,
        lastStep: reply.lastStep,
      });
      changed ||= !before || buckets.length > 0 || before.width !== width || before.total !== total;
    }
    return changed;
  }
}

function chunks(metrics: string[]): string[][] {
  const parts: string[][] = [];
  for (let i = 0; i < metrics.length; i += metricsPerRequest) parts.push(metrics.slice(i, i + metricsPerRequest));
  return parts;
}
