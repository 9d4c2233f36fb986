/** Series of the runs looked at lately, so that going back to one shows it at once. */
import { defineStore } from "pinia";
import { reactive } from "vue";
import { call } from "@/transport/client.ts";
import { SeriesCache, type HeldSeries } from "@/lib/seriesCache.ts";

/** More than a comparison draws at once. */
const runsHeld = 160;
/** Enough that a wide chart has more points than pixels to show them. */
const maxBuckets = 1024;

export const useSeriesStore = defineStore("series", () => {
  const caches = new Map<string, SeriesCache>();
  /** Counts up with every change of a run's series: what computed values depend on. */
  const versions = reactive(new Map<string, number>());

  function cacheOf(run: string): SeriesCache {
    const cache = caches.get(run) ?? new SeriesCache();
    // Most recently used last.
    caches.delete(run);
    caches.set(run, cache);
    for (const oldest of caches.keys()) {
      if (caches.size <= runsHeld) break;
      caches.delete(oldest);
    }
    return cache;
  }

  /** Brings the metrics of a run up to date; throws what the request throws. */
  async function read(run: string, metrics: readonly string[]): Promise<void> {
    const cache = cacheOf(run);
    let changed = false;
    for (const query of cache.plan(metrics)) {
      changed = cache.merge(await call("series.read", { run, ...query, maxBuckets })) || changed;
    }
    if (changed) versions.set(run, (versions.get(run) ?? 0) + 1);
  }

  /** Reactive: what is held of one metric. */
  function held(run: string, metric: string): HeldSeries | undefined {
    void versions.get(run);
    return caches.get(run)?.get(metric);
  }

  return { read, held };
});
