import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, it } from "vitest";
import { appendBuckets, bucketOf, coarsen, widthFor, type Bucket } from "../../../src/shared/series.ts";
import type { Store } from "../../../src/main/store/store.ts";
import { anEnvironment, aRun, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";

/** Random values with spikes, ties, NaN and infinities among them; no -0, of which SQLite makes 0. */
function randomValues(seed: number, count: number): number[] {
  const generator = xoroshiro128plus(seed);
  return Array.from({ length: count }, () => {
    const kind = uniformFloat64(generator);
    const value = uniformFloat64(generator) * 2 - 1;
    if (kind < 0.01) return NaN;
    if (kind < 0.02) return value < 0 ? -Infinity : Infinity;
    if (kind < 0.03) return value * 1e6;
    return kind < 0.3 ? Math.round(value * 3) + 0 : value;
  });
}

const negative = (value: number) => -value + 0;

function bruteForce(values: readonly number[], width: number, from = 0): Bucket[] {
  return coarsen(
    values.map((value, step) => bucketOf(step, value)).filter((b) => b.start >= from),
    width,
  );
}

/** Equal in all but the rounding of the sums, which depends on the order of adding. */
function expectBuckets(actual: readonly Bucket[], expected: readonly Bucket[]): void {
  const exact = (buckets: readonly Bucket[]) => buckets.map(({ sum: _sum, ...rest }) => rest);
  expect(exact(actual)).toEqual(exact(expected));
  actual.forEach((b, i) => expect(Math.abs(b.sum - expected[i]!.sum)).toBeLessThan(1e-6));
}

/** Commits the values in random portions, with the second metric their negatives. */
function log(store: Store, values: readonly number[], seed = 1, run = aRun()): string {
  store.createRun(run);
  store.beginSeries(run.id, ["loss", "negative"], anEnvironment);
  const generator = xoroshiro128plus(seed);
  for (let at = 0; at < values.length; ) {
    const portion = values.slice(at, at + 1 + Math.floor(uniformFloat64(generator) * Math.max(100, values.length / 20)));
    store.appendRows(run.id, rowsOf([portion, portion.map(negative)], at));
    at += portion.length;
    if (uniformFloat64(generator) < 0.7) store.flush();
  }
  store.flush();
  return run.id;
}

describe("series of a resumed run", () => {
  it.each([[0, 100], [31, 33], [32, 300], [5, 260], [2_047, 2_100], [2_048, 20_000], [7_000, 16_500]])("after %i of %i steps equal brute force at every width", (first, count) => {
    const folder = freshFolder();
    const values = randomValues(count, count);
    const before = openStore(folder);
    const run = log(before, values.slice(0, first));
    before.saveRun({ ...before.getRun(run)!, status: "stopped" });
    before.closeNow();
    const store = openStore(folder);
    const metrics = ["loss", "negative"];
    expect(store.requeueRun({ ...store.getRun(run)!, status: "queued" })).toBe(true);
    // It is taken: nobody else can have it.
    expect(store.requeueRun({ ...store.getRun(run)!, status: "queued" })).toBe(false);
    expect(() => store.resumeSeries(run, ["loss"], null, anEnvironment)).toThrow("the run logged loss, negative; this version would log loss");
    expect(store.resumeSeries(run, metrics, null, anEnvironment)).toEqual({ logged: first, evaluations: [], events: [], differences: [] });
    const rest = values.slice(first);
    expect(() => store.appendRows(run, rowsOf([rest, rest.map(negative)], first + 1))).toThrow(RangeError);
    store.appendRows(run, rowsOf([rest, rest.map(negative)], first));
    store.flush();
    for (const maxBuckets of [16, 100, 8192]) {
      const reply = store.readSeries({ run, metrics, after: -1, width: 1, maxBuckets });
      expectBuckets(reply.series[0]!.buckets, bruteForce(values, reply.width));
      expectBuckets(reply.series[1]!.buckets, bruteForce(values.map(negative), reply.width));
    }
  });

  it("keep their evaluations after the checkpoint, and report differences of the environment", () => {
    const folder = freshFolder();
    const before = openStore(folder);
    const run = log(before, [1, 2, 3, 4], 1, aRun({ evaluation: { every: 2 } }));
    const evaluation = (step: number) => ({ step, epoch: step, trainLoss: 1, testLoss: null, testError: 2 });
    // A stop has made the one after step 3.
    for (const step of [1, 2, 3, 4]) before.addEvaluation(run, evaluation(step));
    before.saveRun({ ...before.getRun(run)!, status: "failed" });
    before.closeNow();
    const store = openStore(folder);
    store.requeueRun({ ...store.getRun(run)!, status: "queued" });
    const now = { ...anEnvironment, node: "25", libraries: { "onnxruntime-node": "2" } };
    expect(store.resumeSeries(run, ["loss", "negative"], 1, now)).toEqual({
      logged: 4,
      evaluations: [evaluation(2), evaluation(4)],
      events: [],
      differences: ["node 25 (was 24)", "onnxruntime-node 2 (was 1)"],
    });
    // Who saw them finds them, even if the run ends before it has repeated them.
    expect(store.getRun(run)!.evaluations).toEqual([1, 2, 4].map(evaluation));
  });
});

describe("series", () => {
  it.each([0, 1, 31, 32, 33, 255, 256, 300, 5_000, 20_000])("of %i steps equal brute force at every width", (count) => {
    const store = openStore();
    const values = randomValues(count + 1, count);
    const run = log(store, values);
    for (const maxBuckets of [16, 100, 1024, 8192]) {
      const reply = store.readSeries({ run, metrics: ["negative", "loss"], after: -1, width: 1, maxBuckets });
      expect(reply.width).toBe(widthFor(count, maxBuckets));
      expect(reply.lastStep).toBe(count - 1);
      expect(reply.series.map((s) => [s.metric, s.total])).toEqual([["negative", count], ["loss", count]]);
      expectBuckets(reply.series[1]!.buckets, bruteForce(values, reply.width));
      expectBuckets(reply.series[0]!.buckets, bruteForce(values.map(negative), reply.width));
    }
  });

  it("are equal whether read at once or in deltas, at any cursor", () => {
    const store = openStore();
    const values = randomValues(7, 6_000);
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    const generator = xoroshiro128plus(3);
    let held: Bucket[] = [];
    let after = -1;
    let width = 1;
    for (let at = 0; at < values.length; ) {
      const portion = values.slice(at, at + 1 + Math.floor(uniformFloat64(generator) * 400));
      store.appendRows(run.id, rowsOf([portion], at));
      store.flush();
      at += portion.length;
      const reply = store.readSeries({ run: run.id, metrics: ["loss"], after, width, maxBuckets: 64 });
      const delta = reply.series[0]!.buckets;
      expect(delta[0]!.start).toBe(Math.floor((after + 1) / reply.width) * reply.width);
      held = appendBuckets(held, delta, reply.width);
      ({ width } = reply);
      after = reply.lastStep;
      expectBuckets(held, bruteForce(values.slice(0, at), width));
    }
    expect(width).toBe(128);
  });

  it("keep the caller's width when fewer buckets would suffice", () => {
    const store = openStore();
    const values = randomValues(9, 1_000);
    const run = log(store, values);
    const reply = store.readSeries({ run, metrics: ["loss"], after: 700, width: 64, maxBuckets: 8192 });
    expect(reply.width).toBe(64);
    expectBuckets(reply.series[0]!.buckets, bruteForce(values, 64, 640));
  });

  it("have no buckets after the last step, nor for a metric that is not logged", () => {
    const store = openStore();
    const run = log(store, [1, 2, 3, 4]);
    const ask = { run, metrics: ["loss", "unknown"], width: 1, maxBuckets: 100 };
    expect(store.readSeries({ ...ask, after: 3 })).toEqual({
      width: 1,
      lastStep: 3,
      series: [{ metric: "loss", total: 4, buckets: [] }, { metric: "unknown", total: 0, buckets: [] }],
    });
  });

  it("of a million steps equal a brute-force computation", () => {
    const store = openStore();
    const values = randomValues(11, 1_000_000);
    const run = aRun();
    store.createRun(run);
    store.beginSeries(run.id, ["loss"], anEnvironment);
    for (let at = 0; at < values.length; at += 100_000) {
      store.appendRows(run.id, rowsOf([values.slice(at, at + 100_000)], at));
    }
    store.flush();
    const reply = store.readSeries({ run: run.id, metrics: ["loss"], after: -1, width: 1, maxBuckets: 1024 });
    expect(reply.width).toBe(1024);
    expectBuckets(reply.series[0]!.buckets, bruteForce(values, 1024));
  });

  it("survive sums that overflow", () => {
    const store = openStore();
    const values = [...Array<number>(100).fill(1.7e308), ...Array<number>(1000).fill(-1.7e308)];
    const run = log(store, values);
    const { series } = store.readSeries({ run, metrics: ["loss"], after: -1, width: 64, maxBuckets: 16 });
    for (const b of series[0]!.buckets) expect(Number.isFinite(b.sum)).toBe(true);
    expect(series[0]!.buckets.at(-1)!.min).toBe(-1.7e308);
  });

  it("refuse rows that skip or repeat a step, or lack a metric", () => {
    const store = openStore();
    const run = log(store, [1, 2, 3]);
    expect(() => store.appendRows(run, rowsOf([[1], [1]], 2))).toThrow(/start at step 2; the next step to log is 3/);
    expect(() => store.appendRows(run, rowsOf([[1], [1]], 4))).toThrow(/start at step 4/);
    expect(() => store.appendRows(run, rowsOf([[1]], 3))).toThrow(/need 2 values, not 1/);
    store.appendRows(run, rowsOf([[4], [4]], 3));
    store.flush();
    expect([...store.readSteps(run)].map((s) => s.values[0])).toEqual([1, 2, 3, 4]);
  });

  it("stream every value, including NaN and the infinities", () => {
    const store = openStore();
    const values = randomValues(5, 9_000);
    const run = log(store, values);
    const streamed = [...store.readSteps(run)];
    expect(streamed.map((s) => s.step)).toEqual(values.map((_, i) => i));
    expect(streamed.map((s) => s.values)).toEqual(values.map((v) => [v, negative(v)]));
  });
});
