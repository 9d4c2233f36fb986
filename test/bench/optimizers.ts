/**
 * `npm run bench:optimizers`: milliseconds per training step of every optimizer on ONNX Runtime, alone and under SGD,
 * as ratios to torch.optim or the optimizer's reference package: the same network (784-128-10, tanh) and the same MNIST
 * batches, measured in turn. Either side has its fastest setting: threads, and in PyTorch a loop, foreach or fused.
 * `--quick` is for trying it.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadDataset } from "../../src/core/datasets/index.ts";
import { batchesInOrder } from "../../src/core/feeds/batches.ts";
import { Random } from "../../src/core/models/random.ts";
import { prepareRun } from "../../src/core/training/prepare.ts";
import { validateExperiment } from "../../src/shared/experiment.ts";
import { median } from "./median.ts";
import { optimizerCases, type OptimizerCase } from "./optimizerCases.ts";
import { startPython, type PythonPeer } from "./python.ts";

const { values } = parseArgs({
  options: {
    /** Names in optimizerCases.ts. */
    only: { type: "string", default: Object.keys(optimizerCases).join(",") },
    hidden: { type: "string", default: "128" },
    repetitions: { type: "string" },
    /** Time of one measurement, in ms. */
    slice: { type: "string" },
    /** Keeps both sides to so many threads; by default either has the number that is fastest. */
    threads: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const repetitions = Number(values.repetitions ?? (values.quick ? 3 : 15));
const slice = Number(values.slice ?? (values.quick ? 40 : 150));
const hidden = Number(values.hidden);
const threadCounts = values.threads ? [Number(values.threads)] : [...new Set([1, cpus().length])];
const names = values.only.split(",");
for (const name of names) if (!(name in optimizerCases)) throw new Error(`there is no case ${name}; there are ${Object.keys(optimizerCases).join(", ")}`);

/** Largest ratio that is aimed at. */
const aim = 0.75;
const batchSize = 256;
const batchCount = 16;

const { train } = await loadDataset({ kind: "mnist", trainExamples: 60_000, testExamples: 1 });
const order = new Random(0, "shuffling", 1).permutation(train.count);
const batches: { readonly features: Uint8Array; readonly labels: Uint8Array }[] = [];
for (const { features, labels } of batchesInOrder({ examples: train, order, batchSize })) {
  if (batches.length === batchCount) break;
  batches.push({ features: Uint8Array.from(features), labels: Uint8Array.from(labels) });
}

/** Milliseconds per step, over so many. */
type Timing = (steps: number) => Promise<number>;

interface Measured {
  readonly time: Timing;
  /** How it is run, in words. */
  readonly setting: string;
  readonly dispose: () => Promise<void> | void;
}

/** Steps before the clock starts. */
const warmUp = 3;

async function compiled(levels: readonly object[], threads: number): Promise<Measured> {
  const validated = validateExperiment({ tower: levels, model: { kind: "mlp", hidden: [hidden] }, batchSize, engine: { threads } });
  if (!validated.ok) throw new Error(validated.errors[0]!.message);
  const { executable } = await prepareRun(validated.experiment);
  let at = 0;
  const step = async () => {
    await executable.run(`${at === 0 ? "begin" : "step"}@${batchSize}`, batches[at % batchCount]!);
    at++;
  };
  return {
    setting: String(threads),
    dispose: () => executable.dispose(),
    async time(steps) {
      for (let i = 0; i < warmUp; i++) await step();
      const start = performance.now();
      for (let i = 0; i < steps; i++) await step();
      return (performance.now() - start) / steps;
    },
  };
}

/** The fastest of several, the others disposed of. */
async function fastest(candidates: readonly Measured[]): Promise<Measured> {
  const times = candidates.map((): number[] => []);
  for (let round = 0; round < 3; round++) for (const [i, { time }] of candidates.entries()) times[i]!.push(await time(round === 0 ? 2 : 10));
  const least = times.map((list) => Math.min(...list.slice(1)));
  const best = least.indexOf(Math.min(...least));
  for (const [i, candidate] of candidates.entries()) if (i !== best) await candidate.dispose();
  return candidates[best]!;
}

async function ours(levels: readonly object[]): Promise<Measured> {
  const candidates: Measured[] = [];
  for (const threads of threadCounts) candidates.push(await compiled(levels, threads));
  return fastest(candidates);
}

interface Peer extends PythonPeer {
  readonly threads: number;
}

/** @returns null where its package is not installed */
async function theirs(name: string, peers: readonly Peer[]): Promise<Measured | null> {
  const candidates: Measured[] = [];
  for (const peer of peers) {
    const { settings, problem } = (await peer.ask({ load: name })) as { settings?: string[]; problem?: string };
    if (problem !== undefined || !settings) return null;
    for (const [setting, words] of settings.entries()) {
      candidates.push({
        setting: [words, peer.threads].filter((part) => part !== "").join(", "),
        time: async (steps) => Number((await peer.ask({ case: name, setting, threads: peer.threads, steps }))["ms"]),
        dispose: () => undefined,
      });
    }
  }
  return fastest(candidates);
}

const folder = await mkdtemp(join(tmpdir(), "hypertower-bench-"));
const file = join(folder, "batches");
await writeFile(file, Buffer.concat([...batches.map(({ features }) => features), ...batches.map(({ labels }) => labels)]));
const peers: Peer[] = [];
for (const threads of threadCounts) {
  const python = await startPython({
    script: "optimizers_peer.py",
    imports: "import torch, numpy",
    missing: "PyTorch was not found. Install it: pip install torch==2.15.0 numpy.",
    cores: threads === 1 ? 1 : "any",
  });
  await python.ask({ batches: file, count: batchCount, size: batchSize, hidden });
  peers.push({ ...python, threads });
}
await rm(folder, { recursive: true });

/** One row of the table; null without the reference. */
async function row(name: string, { title, level, reference, packages }: OptimizerCase): Promise<{ readonly cells: readonly string[]; readonly ratios: readonly number[] } | null> {
  const peer = await theirs(name, peers);
  if (!peer) {
    console.log(`${title.padEnd(22)}its reference is not installed: pip install ${packages ?? "torch==2.15.0"}`);
    return null;
  }
  const measured = [peer, await ours([level]), await ours([level, { optimizer: "sgd", alpha: 1e-5 }])] as const;
  const counts: number[] = [];
  for (const { time } of measured) counts.push(Math.max(2, Math.round(slice / (await time(5)))));
  const times = measured.map((): number[] => []);
  for (let i = 0; i < repetitions; i++) for (const [k, { time }] of measured.entries()) times[k]!.push(await time(counts[k]!));
  for (const { dispose } of measured) await dispose();
  const ms = times.map((list) => median(list).toFixed(3));
  const ratios = [1, 2].map((k) => median(times[k]!.map((time, i) => time / times[0]![i]!)));
  const shown = ratios.map((ratio) => `${ratio.toFixed(2)}${ratio > aim ? " *" : "  "}`);
  return { cells: [reference, peer.setting, ms[0]!, measured[1].setting, ms[1]!, shown[0]!, ms[2]!, shown[1]!], ratios };
}

const widths = [26, 12, 9, 9, 9, 9, 11, 9];
const line = (title: string, cells: readonly string[]) => console.log(`${title.padEnd(22)}${cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("")}`);
console.log(`${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}; node ${process.versions.node}; torch ${String(peers[0]!.hello["torch"])}, ${peers[0]!.blas}`);
console.log(`MLP 784-${hidden}-10, batch ${batchSize}. ms per step, medians of ${repetitions} measurements taken in turn; ratio: median of each turn's, * above ${aim}.`);
console.log("Settings: the fastest way of PyTorch, and threads.\n");
line("", ["reference", "setting", "ms", "threads", "ours", "ratio", "under SGD", "ratio"]);
const all: number[][] = [[], []];
for (const name of names) {
  const { title } = optimizerCases[name]!;
  const found = await row(name, optimizerCases[name]!);
  if (!found) continue;
  line(title, found.cells);
  found.ratios.forEach((ratio, k) => all[k]!.push(ratio));
}
for (const peer of peers) peer.close();
for (const [k, what] of ["alone", "under SGD"].entries()) {
  const ratios = all[k]!;
  if (ratios.length > 0) console.log(`${k === 0 ? "\n" : ""}${what}: ${ratios.filter((ratio) => ratio <= aim).length} of ${ratios.length} at most ${aim}; median ${median(ratios).toFixed(2)}, largest ${Math.max(...ratios).toFixed(2)}`);
}
