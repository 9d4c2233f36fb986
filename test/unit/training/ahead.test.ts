/** Batches made ahead by another thread: the same as those made in place, whatever becomes of the thread or the run. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import type { Examples } from "../../../src/core/datasets/dataset.ts";
import { Random } from "../../../src/core/models/random.ts";
import { BatchMaker } from "../../../src/core/feeds/ahead/batchMaker.ts";
import { inSharedMemory, isMadeAhead, makeAheadWhen } from "../../../src/core/feeds/ahead/index.ts";
import { shared } from "../../../src/core/feeds/ahead/ring.ts";
import { batchesInOrder, type Batch, type BatchPlan } from "../../../src/core/feeds/batches.ts";
import type { Captured } from "../../../src/core/checkpoint/saver.ts";
import { commonFeed } from "../../../src/core/feeds/commonFeed.ts";
import { RunControl } from "../../../src/core/training/control.ts";
import { epochOf, type FeedBatch } from "../../../src/core/feeds/feed.ts";
import { loadFeed } from "../../../src/core/feeds/loadFeed.ts";
import { prepareCohort, prepareRun } from "../../../src/core/training/prepare.ts";
import { TrainingRun } from "../../../src/core/training/run.ts";
import { buildModel } from "../../../src/core/models/build.ts";
import { describeModel } from "../../../src/shared/models/architecture.ts";
import { dataShape } from "../../../src/shared/models/data.ts";
import { experiment, type Experiment } from "../../../src/shared/experiment.ts";

const source = (path: string) => fileURLToPath(new URL(`../../../src/core/feeds/${path}`, import.meta.url));

function tmpDir(): string {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-ahead-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

afterEach(() => makeAheadWhen(() => false));

function maker(entry?: string): BatchMaker {
  const one = new BatchMaker(entry);
  onTestFinished(() => one.close());
  return one;
}

const pixels = (count: number): Examples => ({
  count,
  features: shared(Uint8Array.from({ length: count * 48 }, (_, i) => i * 7)),
  labels: shared(Uint8Array.from({ length: count }, (_, i) => i)),
});

const planOf = (seed: number, count = 203): BatchPlan => ({
  examples: pixels(count),
  order: new Random(seed, "shuffling", 1).permutation(count),
  batchSize: 10,
  augmentation: { crop: 1, flip: true, shape: [3, 4, 4], seed, generator: 1 },
});

const copied = ({ size, features, labels }: Batch) => ({ size, features: [...features], labels: [...labels] });

/** Leaves the other thread the time to be ahead, or behind, as it comes. */
async function collected(batches: Iterable<Batch>): Promise<ReturnType<typeof copied>[]> {
  const all = [];
  for (const batch of batches) {
    all.push(copied(batch));
    if (all.length % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return all;
}

/** Until the thread has made a batch that nobody else has begun. */
async function untilRunning(one: BatchMaker): Promise<void> {
  while (one.handedOver === 0) await collected(one.batches(planOf(0)));
}

describe("batches made ahead", () => {
  it("are those made in place, the smaller last one too, wherever an epoch begins", async () => {
    const one = maker();
    await untilRunning(one);
    for (const first of [0, 1, 7, 20, 21]) expect(await collected(one.batches(planOf(3), first))).toEqual(Array.from(batchesInOrder(planOf(3), first), copied));
  });

  it("may be of floats, and as they stand", async () => {
    const examples = { count: 25, features: shared(Float32Array.from({ length: 100 }, (_, i) => Math.sin(i))), labels: shared(Float32Array.from({ length: 25 }, Math.sqrt)) };
    const plan = { examples, order: Uint32Array.from({ length: 25 }, (_, i) => i), batchSize: 4 };
    const one = maker();
    await untilRunning(one);
    expect(await collected(one.batches(plan))).toEqual(Array.from(batchesInOrder(plan), copied));
  });

  it("are each epoch's own, when more are under way than the thread takes on", async () => {
    const one = maker();
    await untilRunning(one);
    const seeds = [1, 2, 3, 4, 5, 6];
    const epochs = seeds.map((seed) => one.batches(planOf(seed)));
    const got: ReturnType<typeof copied>[][] = seeds.map(() => []);
    for (let number = 0; number < 21; number++) epochs.forEach((epoch, i) => got[i]!.push(copied(epoch.next().value as Batch)));
    seeds.forEach((seed, i) => expect(got[i]).toEqual(Array.from(batchesInOrder(planOf(seed)), copied)));
  });

  it("leave nothing behind when an epoch is broken off", async () => {
    const one = maker();
    await untilRunning(one);
    for (let i = 0; i < 20; i++) for (const batch of one.batches(planOf(i))) if (batch.labels.length > 0) break;
    expect(one.underWay).toBe(0);
    const before = one.handedOver;
    while (one.handedOver === before) await collected(one.batches(planOf(8)));
  });

  it("end in an error by name when the thread fails", async () => {
    const entry = join(tmpDir(), "broken.mjs");
    writeFileSync(entry, 'throw new Error("no memory for pixels");');
    const one = maker(entry);
    const forEver = async () => {
      for (;;) await collected(one.batches(planOf(1)));
    };
    await expect(forEver()).rejects.toThrow("the worker thread for batches failed: no memory for pixels");
    await expect(collected(one.batches(planOf(1)))).rejects.toThrow("no memory for pixels");
    expect(one.underWay).toBe(0);
  });

  it("keep no process alive, in the middle of an epoch either", async () => {
    const script = join(tmpDir(), "epoch.ts");
    writeFileSync(
      script,
      `import { BatchMaker } from ${JSON.stringify(source("ahead/batchMaker.ts"))};
      const examples = { count: 64, features: new Uint8Array(new SharedArrayBuffer(6400)), labels: new Uint8Array(new SharedArrayBuffer(64)) };
      const maker = new BatchMaker();
      let epoch;
      while (maker.handedOver === 0) {
        epoch = maker.batches({ examples, order: Uint32Array.from({ length: 64 }, (_, i) => i), batchSize: 2 });
        for (let i = 0; i < 9; i++) epoch.next();
        await new Promise((resolve) => setImmediate(resolve));
        if (maker.handedOver === 0) epoch.return();
      }
      console.log("left", maker.underWay);`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [script]);
    expect(stdout.trim()).toBe("left 1");
  });
});

describe("the rule", () => {
  const dataset = (count: number, width: number) => {
    const examples = { count, features: new Uint8Array(count * width), labels: new Uint8Array(count) };
    return { task: "classification" as const, exampleShape: [width], classes: 2, scale: 1, train: examples, test: examples };
  };
  const plan = (examples: Examples, batchSize: number) => ({ examples, order: new Uint32Array(examples.count), batchSize });

  it("takes large batches of large sets", () => {
    makeAheadWhen(() => true);
    const large = inSharedMemory(dataset(2000, 784));
    expect(isMadeAhead(plan(large.train, 256))).toBe(true);
    expect(isMadeAhead(plan(large.train, 64))).toBe(false);
  });

  it("leaves small sets where they are", () => {
    makeAheadWhen(() => true);
    const small = dataset(1437, 64);
    expect(inSharedMemory(small)).toBe(small);
    expect(isMadeAhead(plan(small.train, 1437))).toBe(false);
  });

  it("needs a core that is free", () => {
    const { train } = inSharedMemory(dataset(2000, 784));
    expect(isMadeAhead(plan(train, 256))).toBe(false);
    makeAheadWhen(() => true);
    expect(isMadeAhead(plan(train, 256))).toBe(true);
  });
});

describe("a run", () => {
  const e = experiment.parse({
    dataset: { kind: "mnist", trainExamples: 1500, testExamples: 100, augmentation: { crop: 2, flip: true } },
    model: { hidden: [4] },
    batchSize: 100,
    budget: { epochs: 2 },
  });
  const ignore = () => undefined;

  async function losses(of: Experiment, free: boolean, { from, until = Infinity }: { from?: Captured; until?: number } = {}) {
    makeAheadWhen(() => free);
    const prepared = await prepareRun(of);
    const control = new RunControl();
    const values: number[] = [];
    let captured: Captured | undefined;
    const saver = { due: false, save: (state: Captured) => ((captured = state), Promise.resolve()) };
    const step = (record: { step: number; values: readonly number[] }) => (values.push(record.values[0]!), record.step + 1 >= until && control.stop());
    const run = new TrainingRun(prepared, control, { step, evaluation: ignore, paused: ignore, resumed: ignore, rolledBack: ignore }, saver as never);
    if (from) run.restore(from);
    await run.train();
    await prepared.executable.dispose();
    return { values, captured };
  }

  it("is the same with and without, also when stopped and resumed in between", async () => {
    const whole = await losses(e, false);
    const first = await losses(e, true, { until: 8 });
    expect(first.values).toEqual(whole.values.slice(0, 8));
    const rest = await losses(e, true, { from: first.captured! });
    expect(rest.values).toEqual(whole.values.slice(8));
    const inOrder = { ...e, shuffle: false };
    expect((await losses(inOrder, true)).values).toEqual((await losses(inOrder, false)).values);
  });

  it("is the same in a cohort, whose members need not have the same order", async () => {
    const cohort = async (free: boolean) => {
      makeAheadWhen(() => free);
      const runs = await prepareCohort([5, 5, 6].map((seed, seat) => ({ experiment: { ...e, seed }, seat })), 3);
      const values: number[][] = runs.map(() => []);
      await Promise.all(
        runs.map(async (run, i) => {
          await new TrainingRun(run, new RunControl(), { step: (record) => void values[i]!.push(record.values[0]!), evaluation: ignore, paused: ignore, resumed: ignore, rolledBack: ignore }).train();
          await run.executable.dispose();
        }),
      );
      return values;
    };
    const [inPlace, ahead] = [await cohort(false), await cohort(true)];
    expect(ahead).toEqual(inPlace);
    expect(ahead[0]).not.toEqual(ahead[2]);
  });
});

describe("a feed for many", () => {
  const e = experiment.parse({ dataset: { kind: "digits", trainExamples: 100, testExamples: 20 }, model: { hidden: [4] }, batchSize: 30 });

  const featuresOf = ({ inputs }: FeedBatch) => [...inputs["features"]!];

  /** A feed that tells how many orders were drawn, how many batches were made, and how many iterators are open. */
  async function counted() {
    const feed = await loadFeed(e, buildModel(describeModel(e.model, dataShape(e))));
    const counts = { drawn: 0, made: 0, open: 0 };
    const epoch = (random: Random, first: number) => {
      counts.drawn++;
      const of = feed.epoch(random, first);
      return epochOf(function* (number) {
        counts.open++;
        try {
          for (const batch of of.from(number)) {
            counts.made++;
            yield batch;
          }
        } finally {
          counts.open--;
        }
      }, first);
    };
    const alone = new Random(1, "shuffling", 1);
    const expected = Array.from(feed.epoch(alone, 0), featuresOf);
    return { common: commonFeed({ ...feed, epoch }), counts, alone, expected };
  }

  it("gives each run what it would have alone, draws an order once, and lets go of it when the last has left", async () => {
    const { common, counts, alone, expected } = await counted();
    const randoms = [1, 1, 1].map((seed) => new Random(seed, "shuffling", 1));
    const runs = randoms.map((random) => common.epoch(random, 0)[Symbol.iterator]());
    for (const random of randoms) expect(random.state).toEqual(alone.state);
    for (const features of expected) for (const run of runs) expect(featuresOf(run.next().value!)).toEqual(features);
    expect(runs.map((run) => run.next().done)).toEqual([true, true, true]);
    expect(counts).toEqual({ drawn: 1, made: expected.length, open: 0 });

    const [a, b] = [common.epoch(new Random(2, "shuffling", 1), 0)[Symbol.iterator](), common.epoch(new Random(2, "shuffling", 1), 0)[Symbol.iterator]()];
    a.next();
    b.next();
    a.return!();
    expect(counts.open).toBe(1);
    b.return!();
    expect(counts.open).toBe(0);
  });

  it("draws an order once for runs at different places, and makes their batches once from where they meet", async () => {
    const { common, counts, alone, expected } = await counted();
    expect(expected).toHaveLength(4);
    const begun = (first: number) => {
      const random = new Random(1, "shuffling", 1);
      const run = common.epoch(random, first)[Symbol.iterator]();
      expect(random.state).toEqual(alone.state);
      return () => {
        const { value, done } = run.next();
        return done ? null : featuresOf(value);
      };
    };
    const [early, late] = [begun(0), begun(2)];
    expect([early(), late(), early(), late()]).toEqual([expected[0], expected[2], expected[1], expected[3]]);
    expect(counts).toEqual({ drawn: 1, made: 4, open: 2 });
    // What the late one passed is made once more; where it stands they meet.
    expect([early(), early()]).toEqual([expected[2], expected[3]]);
    expect(counts).toEqual({ drawn: 1, made: 5, open: 1 });
    expect([early(), late()]).toEqual([null, null]);
    expect(counts).toEqual({ drawn: 1, made: 5, open: 0 });
  });

  it("does not take a failure for the end of the epoch", async () => {
    const { common } = await counted();
    const failing = commonFeed({
      ...common,
      epoch: (_, first) =>
        epochOf(function* () {
          throw new Error("no batch");
        }, first),
    });
    const runs = [1, 2].map(() => failing.epoch(new Random(1, "shuffling", 1), 0)[Symbol.iterator]());
    for (const run of runs) expect(() => run.next()).toThrow("no batch");
  });
});
