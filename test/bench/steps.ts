/**
 * `npm run bench`: milliseconds per training step of the seed example's network on
 * ONNX Runtime, as ratios to PyTorch's plain optimizers measured in turn in the same
 * minutes: one thread against one thread, and one and two against PyTorch at its best
 * setting. Batches are there already on both sides; ours are bytes, and their
 * conversion is part of our step. What gathering a batch costs is a row of its own.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { loadDataset } from "../../src/core/datasets/index.ts";
import { Random } from "../../src/core/models/random.ts";
import { batchesInOrder, type Batch } from "../../src/core/feeds/batches.ts";
import { prepareRun } from "../../src/core/training/prepare.ts";
import { validateExperiment } from "../../src/shared/experiment.ts";
import { startPeer, type Peer, type PeerWork } from "./peer.ts";
import { median } from "./median.ts";

const { values } = parseArgs({
  options: { repetitions: { type: "string", default: "25" }, steps: { type: "string", default: "60" } },
});
const repetitions = Number(values.repetitions);
const steps = Number(values.steps);
const warmUp = 5;

const sgd = { optimizer: "sgd" };
const adam = { optimizer: "adam" };
const stacks: Record<string, { tower: unknown[]; peer: "sgd" | "adam" }> = {
  SGD: { tower: [sgd], peer: "sgd" },
  "SGD/SGD": { tower: [sgd, sgd], peer: "sgd" },
  "SGD x 10": { tower: Array<unknown>(10).fill(sgd), peer: "sgd" },
  "SGD x 50": { tower: Array<unknown>(50).fill(sgd), peer: "sgd" },
  Adam: { tower: [adam], peer: "adam" },
  "Adam/SGD": { tower: [adam, { optimizer: "sgd", alpha: 1e-5 }], peer: "adam" },
  "Adam/Adam": { tower: [adam, adam], peer: "adam" },
};

const least = (list: readonly number[]) => Math.min(...list);

/** A run's step as training makes it. */
async function trainable(tower: unknown, threads: number): Promise<(batch: Batch) => Promise<void>> {
  const validated = validateExperiment({ tower, engine: { threads } });
  if (!validated.ok) throw new Error(validated.errors[0]!.message);
  const { executable } = await prepareRun(validated.experiment);
  let started = false;
  return async ({ size, features, labels }) => {
    await executable.run(`${started ? "step" : "begin"}@${size}`, { features, labels });
    started = true;
  };
}

const dataset = await loadDataset({ kind: "mnist", trainExamples: 60_000, testExamples: 1 });
function* shuffledBatches(): Generator<Batch> {
  const random = new Random(0, "shuffling", 1);
  for (;;) {
    for (const batch of batchesInOrder({ examples: dataset.train, order: random.permutation(dataset.train.count), batchSize: 256 })) if (batch.size === 256) yield batch;
  }
}
const source = shuffledBatches();
const batches = Array.from({ length: 16 }, () => {
  const { size, features, labels } = source.next().value as Batch;
  return { size, features: features.slice(), labels: labels.slice() };
});

async function timed(step: (batch: Batch) => Promise<void> | void): Promise<number> {
  for (let i = 0; i < warmUp; i++) await step(batches[i]!);
  const start = performance.now();
  for (let i = 0; i < steps; i++) await step(batches[i % batches.length]!);
  return (performance.now() - start) / steps;
}

/** Everything that is measured, by name: a function that takes one measurement. */
const measurements = new Map<string, () => Promise<number>>();
const oneCore = await startPeer(1);
const anyCores = await startPeer("any");
const works: PeerWork[] = ["products", "sgd", "adam"];

/** The number of torch threads at which the peer is fastest when nothing limits it. */
async function bestThreads(peer: Peer, what: PeerWork): Promise<number> {
  const times: { threads: number; ms: number }[] = [];
  for (const threads of [...new Set([1, cpus().length])]) {
    times.push({ threads, ms: least([await peer.time(what, 40, threads), await peer.time(what, 40, threads), await peer.time(what, 40, threads)]) });
  }
  return times.reduce((best, next) => (next.ms < best.ms ? next : best)).threads;
}

for (const what of works) {
  const threads = await bestThreads(anyCores, what);
  measurements.set(`${what}, one core`, () => oneCore.time(what, steps, 1));
  measurements.set(`${what}, best`, () => anyCores.time(what, steps, threads));
}
for (const [name, { tower }] of Object.entries(stacks)) {
  for (const threads of [1, 2]) {
    const step = await trainable(tower, threads);
    measurements.set(`${name}, ${threads}`, () => timed(step));
  }
}
measurements.set("gathering", () => timed(() => void source.next()));

const times = new Map([...measurements.keys()].map((name) => [name, [] as number[]]));
for (let repetition = 0; repetition < repetitions; repetition++) {
  for (const [name, measure] of measurements) times.get(name)!.push(await measure());
}
oneCore.close();
anyCores.close();

/** Taken in turn, so that a slow minute slows both: the median of the repetitions' own ratios. */
const ratio = (ours: string, theirs: string) => median(times.get(ours)!.map((time, i) => time / times.get(theirs)![i]!)).toFixed(2);
const ms = (name: string) => `${median(times.get(name)!).toFixed(3)} (${least(times.get(name)!).toFixed(3)})`.padStart(16);

console.log(`machine: ${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}; torch ${oneCore.version}`);
console.log(`MLP 784-128-10, batch 256, float32; ms per step: median (least) of ${repetitions} repetitions of ${steps} steps, all taken in turn\n`);
console.log(`${"PyTorch".padEnd(14)}${"one core".padStart(16)}${"at its best".padStart(16)}`);
for (const what of works) {
  console.log(`${(what === "products" ? "products alone" : what).padEnd(14)}${ms(`${what}, one core`)}${ms(`${what}, best`)}`);
}
const columns = ["1 thread", "2 threads", "1 : one core", "1 : best", "2 : best"];
console.log(`\n${"Hypertower".padEnd(14)}${columns.map((c, i) => c.padStart(i < 2 ? 16 : 14)).join("")}`);
for (const [name, { peer }] of Object.entries(stacks)) {
  const ratios = [ratio(`${name}, 1`, `${peer}, one core`), ratio(`${name}, 1`, `${peer}, best`), ratio(`${name}, 2`, `${peer}, best`)];
  console.log(`${name.padEnd(14)}${ms(`${name}, 1`)}${ms(`${name}, 2`)}${ratios.map((r) => r.padStart(14)).join("")}   torch ${peer}`);
}
console.log(`\nSGD x 50 to SGD/SGD, 1 thread: ${ratio("SGD x 50, 1", "SGD/SGD, 1")}`);
console.log(`gathering a shuffled batch of bytes: ${ms("gathering").trim()} ms`);
process.exit(0);
