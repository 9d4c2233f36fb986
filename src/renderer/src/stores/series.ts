/** Series of recently viewed runs, for quick return. */
import { defineStore } from "pinia";
import { reactive } from "vue";
import { call } from "@/transport/client.ts";
import { SeriesCache, type HeldSeries } from "@/lib/seriesCache.ts";

/** Maximum number of cached runs; more than a comparison draws. */
const runsHeld = 160;
/** More points than a wide chart has pixels. */
const maxBuckets = 1024;

export const useSeriesStore = defineStore("series", () => {
  const caches = new Map<string, SeriesCache>();
  /** Incremented with every change of a run's series; computed values depend on it. */
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

  /** Updates metrics of a run; rejects when a request fails. */
  async function read(run: string, metrics: readonly string[]): Promise<void> {
    const cache = cacheOf(run);
    let changed = false;
    for (const query of cache.plan(metrics)) {
      changed = cache.merge(await call("series.read", { run, ...query, maxBuckets })) || changed;
    }
    if (changed) versions.set(run, (versions.get(run) ?? 0) + 1);
  }

  /** Reactive: the cached rows of a metric. */
  function held(run: string, metric: string): HeldSeries | undefined {
    void versions.get(run);
    return caches.get(run)?.get(metric);
  }

  /** Reads a run anew: its values were replaced. */
  function forget(run: string): void {
    if (caches.delete(run)) versions.set(run, (versions.get(run) ?? 0) + 1);
  }

  return { read, held, forget };
});
