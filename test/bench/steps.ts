/**
 * `npm run bench`: milliseconds per training step of the seed example's network on
 * ONNX Runtime, one thread, as ratios to PyTorch's plain optimizers measured in turn
 * in the same minutes. Ours includes gathering the batch from the dataset and
 * converting its bytes; the peer's batch is a float tensor that is there already.
 */
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { loadDataset } from "../../src/main/datasets/index.ts";
import { Random } from "../../src/main/models/random.ts";
import { batchesInOrder, type Batch } from "../../src/main/training/batches.ts";
import { prepareRun } from "../../src/main/training/prepare.ts";
import { validateExperiment } from "../../src/shared/experiment.ts";
import { startPeer, type PeerWork } from "./peer.ts";

const { values } = parseArgs({
  options: { repetitions: { type: "string", default: "15" }, steps: { type: "string", default: "100" } },
});
const repetitions = Number(values.repetitions);
const steps = Number(values.steps);
const batchSize = 256;

const sgd = { optimizer: "sgd" };
const stacks: Record<string, { tower: unknown[]; peer: "sgd" | "adam" }> = {
  SGD: { tower: [sgd], peer: "sgd" },
  "SGD/SGD": { tower: [sgd, sgd], peer: "sgd" },
  "SGD x 10": { tower: Array<unknown>(10).fill(sgd), peer: "sgd" },
  "SGD x 50": { tower: Array<unknown>(50).fill(sgd), peer: "sgd" },
  Adam: { tower: [{ optimizer: "adam" }], peer: "adam" },
  "Adam/SGD": { tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-5 }], peer: "adam" },
  "Adam/Adam": { tower: [{ optimizer: "adam" }, { optimizer: "adam" }], peer: "adam" },
};

const median = (list: readonly number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
const least = (list: readonly number[]) => Math.min(...list);

async function trainable(tower: unknown) {
  const validated = validateExperiment({ tower });
  if (!validated.ok) throw new Error(validated.errors[0]!.message);
  const { executable } = await prepareRun(validated.experiment);
  let started = false;
  return async (batch: Batch) => {
    await executable.run(`${started ? "step" : "begin"}@${batch.size}`, { features: batch.features, labels: batch.labels });
    started = true;
  };
}

const dataset = await loadDataset({ kind: "mnist", trainExamples: 60_000, testExamples: 1 });
const random = new Random(0, "shuffling");
function* endlessBatches(): Generator<Batch> {
  for (;;) {
    for (const batch of batchesInOrder(dataset.train, random.permutation(dataset.train.count), batchSize)) {
      if (batch.size === batchSize) yield batch;
    }
  }
}
const batches = endlessBatches();

const ours = new Map<string, (batch: Batch) => Promise<void>>();
for (const [name, { tower }] of Object.entries(stacks)) ours.set(name, await trainable(tower));
const peer = await startPeer();

async function timeOurs(name: string): Promise<number> {
  const step = ours.get(name)!;
  const start = performance.now();
  for (let i = 0; i < steps; i++) await step(batches.next().value as Batch);
  return (performance.now() - start) / steps;
}

/** The peer's best number of threads for a piece of work. */
async function bestThreads(what: PeerWork): Promise<number> {
  const candidates = [1, Math.max(1, Math.floor(cpus().length / 2)), cpus().length].filter((n, i, all) => all.indexOf(n) === i);
  const times: { threads: number; ms: number }[] = [];
  for (const threads of candidates) {
    await peer.time(what, 30, threads);
    times.push({ threads, ms: least([await peer.time(what, steps, threads), await peer.time(what, steps, threads)]) });
  }
  return times.reduce((best, next) => (next.ms < best.ms ? next : best)).threads;
}

for (const name of ours.keys()) await timeOurs(name);
const threads = { sgd: await bestThreads("sgd"), adam: await bestThreads("adam"), products: await bestThreads("products") };
const peerTimes = { sgd: [] as number[], adam: [] as number[], products: [] as number[] };
const ourTimes = new Map([...ours.keys()].map((name) => [name, [] as number[]]));
for (let repetition = 0; repetition < repetitions; repetition++) {
  for (const what of ["products", "sgd", "adam"] as const) peerTimes[what].push(await peer.time(what, steps, threads[what]));
  for (const [name, times] of ourTimes) times.push(await timeOurs(name));
}
peer.close();

const ms = (value: number) => value.toFixed(3).padStart(8);
console.log(`machine: ${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}; torch ${peer.version}`);
console.log(`MLP 784-128-10, batch ${batchSize}, float32; ${repetitions} repetitions of ${steps} steps, taken in turn`);
console.log(`\n${"".padEnd(22)}${"median ms".padStart(10)}${"best ms".padStart(9)}${"ratio".padStart(8)}   to`);
for (const what of ["products", "sgd", "adam"] as const) {
  const label = what === "products" ? "torch, products alone" : `torch.optim ${what}`;
  console.log(`${label.padEnd(22)}${ms(median(peerTimes[what])).padStart(10)}${ms(least(peerTimes[what])).padStart(9)}           (${threads[what]} threads)`);
}
for (const [name, { peer: against }] of Object.entries(stacks)) {
  const times = ourTimes.get(name)!;
  // Taken in turn, so that a slow minute slows both: the median of the repetitions' own ratios.
  const ratio = median(times.map((time, i) => time / peerTimes[against][i]!));
  console.log(`${name.padEnd(22)}${ms(median(times)).padStart(10)}${ms(least(times)).padStart(9)}${ratio.toFixed(3).padStart(8)}   torch.optim ${against}`);
}
const fifty = median(ourTimes.get("SGD x 50")!.map((time, i) => time / ourTimes.get("SGD/SGD")![i]!));
console.log(`\nSGD x 50 to SGD/SGD: ${fifty.toFixed(3)}`);
process.exit(0);
