import { expect, it } from "vitest";
import { SeriesCache, type SeriesReply } from "@/lib/seriesCache.ts";
import { bucketOf, coarsen, drawnPoints, widthFor } from "@shared/series.ts";

/** A source that answers as series.read does: from the bucket that holds `after + 1` on. */
function source(logged: Record<string, number[]>) {
  return (query: { metrics: string[]; after: number; width: number }, maxBuckets = 64): SeriesReply => {
    const steps = Math.max(...Object.values(logged).map((values) => values.length));
    const width = Math.max(query.width, widthFor(steps, maxBuckets));
    const from = Math.floor((query.after + 1) / width) * width;
    return {
      width,
      lastStep: steps - 1,
      series: query.metrics.map((metric) => {
        const values = logged[metric] ?? [];
        return { metric, total: values.length, buckets: coarsen(values.slice(from).map((v, i) => bucketOf(from + i, v)), width) };
      }),
    };
  };
}

const wave = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(i * 0.7) + (i === 77 ? 50 : 0));

it("ends with what a single read would have brought, however the deltas were cut", () => {
  const all = wave(1000);
  const cache = new SeriesCache();
  for (const upTo of [0, 1, 3, 60, 61, 64, 65, 130, 500, 999, 1000]) {
    const read = source({ loss: all.slice(0, upTo) });
    for (const query of cache.plan(["loss"])) cache.merge(read(query));
  }
  const whole = new SeriesCache();
  whole.merge(source({ loss: all })({ metrics: ["loss"], after: -1, width: 1 }));
  expect(cache.get("loss")?.width).toBe(16);
  expect(drawnPoints(cache.get("loss")?.buckets ?? [])).toEqual(drawnPoints(whole.get("loss")?.buckets ?? []));
  expect(cache.get("loss")?.total).toBe(1000);
  expect(drawnPoints(cache.get("loss")?.buckets ?? [])).toContainEqual([77, all[77]]);
});

it("asks for a delta, never for everything again", () => {
  const cache = new SeriesCache();
  const read = source({ loss: wave(200) });
  for (const query of cache.plan(["loss"])) cache.merge(read(query));
  expect(cache.plan(["loss"])).toEqual([{ metrics: ["loss"], after: 199, width: 4 }]);
});

it("fetches a metric shown later from its start, then all with one request", () => {
  const cache = new SeriesCache();
  for (const query of cache.plan(["loss"])) cache.merge(source({ loss: wave(100) })(query));
  const read = source({ loss: wave(150), "L0.alpha": wave(150) });
  const queries = cache.plan(["loss", "L0.alpha"]);
  expect(queries).toEqual([
    { metrics: ["L0.alpha"], after: -1, width: 1 },
    { metrics: ["loss"], after: 99, width: 2 },
  ]);
  for (const query of queries) cache.merge(read(query));
  expect(cache.plan(["loss", "L0.alpha"])).toEqual([{ metrics: ["loss", "L0.alpha"], after: 149, width: 4 }]);
  expect(cache.get("L0.alpha")?.buckets[0]?.start).toBe(0);
});

it("ignores a late reply that knows less than what is held", () => {
  const cache = new SeriesCache();
  const old = source({ loss: wave(50) })({ metrics: ["loss"], after: -1, width: 1 });
  cache.merge(source({ loss: wave(90) })({ metrics: ["loss"], after: -1, width: 1 }));
  expect(cache.merge(old)).toBe(false);
  expect(cache.get("loss")?.lastStep).toBe(89);
});

it("says whether anything changed", () => {
  const cache = new SeriesCache();
  const read = source({ loss: wave(64) });
  expect(cache.merge(read({ metrics: ["loss"], after: -1, width: 1 }))).toBe(true);
  expect(cache.merge(read({ metrics: ["loss"], after: 63, width: 1 }))).toBe(false);
});

it("splits requests at the contract's limit of metrics", () => {
  const metrics = Array.from({ length: 501 }, (_, i) => `L${i}.alpha`);
  expect(new SeriesCache().plan(metrics).map((query) => query.metrics.length)).toEqual([500, 1]);
});
