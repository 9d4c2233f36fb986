/**
 * `npm run bench:data`: what data takes of memory and of a training step's time. Each case runs in a
 * process of its own. Memory is how far the resident set rose at its highest above what it was when the
 * program was loaded and its garbage collected: while the data was read, and with batches made as well.
 * It counts the program's own growth (code that is compiled, the heap), which the case of a text of
 * 1 KB shows by itself. Times are those of making a batch, median over an epoch. CIFAR-10 stands in as
 * random bytes in its own files' form.
 * Then what batches made ahead bring: see ahead.ts. `npm run bench:data -- ahead` measures that alone.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readCifar } from "../../src/core/datasets/formats/cifar.ts";
import { encodeNpy } from "../../src/core/datasets/formats/npy.ts";
import { readText } from "../../src/core/datasets/formats/text.ts";
import { labelledArrays } from "../../src/core/datasets/arrays.ts";
import { importArrays } from "../../src/core/datasets/import.ts";
import { datasetProblem, listDatasets, loadDataset, loadTextOf, loadWhole } from "../../src/core/datasets/index.ts";
import { Random } from "../../src/core/models/random.ts";
import { batchesInOrder } from "../../src/core/feeds/batches.ts";
import { streams } from "../../src/core/feeds/textFeed.ts";
import { experiment } from "../../src/shared/experiment.ts";
import { aheadCases, type AheadFound } from "./ahead.ts";
import { median } from "./median.ts";

interface Loaded {
  /** Bytes of the data as it is trained on. */
  readonly data: number;
  /** How batches are made of it. */
  readonly batches: Readonly<Record<string, () => Iterable<unknown>>>;
}

interface Found {
  readonly data: number;
  /** Bytes above the loaded program: while the data was read, and with batches. */
  readonly reading: number;
  readonly batching: number;
  /** Milliseconds of a batch. */
  readonly batches: Readonly<Record<string, number>>;
}

function timed(batches: Iterable<unknown>): number {
  const times: number[] = [];
  let last = performance.now();
  for (const _ of batches) {
    const now = performance.now();
    times.push(now - last);
    last = now;
    if (times.length === 400) break;
  }
  return median(times);
}

const orderOf = (count: number) => new Random(0, "shuffling", 1).permutation(count);

async function cifar(folder: string): Promise<Loaded> {
  const examples = await readCifar([1, 2, 3, 4, 5].map((i) => join(folder, `data_batch_${i}.bin`)));
  const plan = { examples, order: orderOf(examples.count), batchSize: 128 };
  const augmentation = { crop: 4, flip: true, shape: [3, 32, 32], seed: 1, generator: 1 as const };
  return {
    data: examples.features.byteLength + examples.labels.byteLength,
    batches: { "128 images": () => batchesInOrder(plan), "128 images, shifted and mirrored": () => batchesInOrder({ ...plan, augmentation }) },
  };
}

const text = (codes: Uint8Array | Uint16Array): Loaded => ({ data: codes.byteLength, batches: { "64 x 50 characters": () => streams(codes, 64, 50) } });

const cases: Record<string, (at: string) => Promise<Loaded>> = {
  mnist: async () => {
    const { train, test } = await loadDataset(experiment.parse({}).dataset);
    return {
      data: train.features.byteLength + test.features.byteLength + train.count + test.count,
      batches: { "256 images": () => batchesInOrder({ examples: train, order: orderOf(train.count), batchSize: 256 }) },
    };
  },
  cifar10: cifar,
  text: async (at) => text((await readText(at)).codes),
  arrays: async (at) => {
    const { features, labels } = await labelledArrays(arraysIn(at));
    return { data: features.byteLength + labels.byteLength, batches: {} };
  },
  own: async (folder) => {
    const [{ kind } = { kind: "" }] = (await listDatasets(folder)).filter(({ own }) => own);
    const { train, test } = await loadWhole(kind, folder);
    return { data: train.features.byteLength + train.labels.byteLength + test.features.byteLength + test.labels.byteLength, batches: {} };
  },
  "war-and-peace": async () => {
    const { train, test } = await loadTextOf("war-and-peace");
    return { ...text(train), data: train.byteLength + test.byteLength };
  },
};

const arraysIn = (folder: string) => ({ features: { path: join(folder, "x.npy") }, targets: { path: join(folder, "y.npy") }, task: "regression" }) as const;

/** A million rows of sixteen numbers as a user has them, and as they are kept once imported. */
async function numbers(folder: string): Promise<void> {
  mkdirSync(folder);
  const rows = 1_000_000;
  for (const [name, shape] of [["x", [rows, 16]], ["y", [rows]]] as const) {
    const values = Float64Array.from({ length: rows * (shape[1] ?? 1) }, (_, i) => (i * 37) % 101);
    writeFileSync(join(folder, `${name}.npy`), encodeNpy({ shape, values }));
  }
  await importArrays(arraysIn(folder), { title: "numbers", folder });
}

/** Linux tells the peak of this program alone, and forgets it when told to; elsewhere it is that since the process began. */
const linux = existsSync("/proc/self/clear_refs");
const peak = () => (linux ? Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) : process.resourceUsage().maxRSS) * 1024;

async function child(name: string, at: string): Promise<void> {
  globalThis.gc!();
  if (linux) writeFileSync("/proc/self/clear_refs", "5");
  const before = peak();
  const { data, batches } = await cases[name]!(at);
  const reading = peak() - before;
  const times = Object.fromEntries(Object.entries(batches).map(([what, make]) => [what, timed(make())]));
  console.log(JSON.stringify({ data, reading, batching: peak() - before, batches: times } satisfies Found));
}

/** Files of CIFAR-10's form with random pixels. */
function pretendCifar(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (let file = 1; file <= 5; file++) {
    const bytes = new Uint8Array(10_000 * 3073);
    for (let i = 0, seed = file; i < bytes.length; i++) bytes[i] = i % 3073 === 0 ? i % 10 : ((seed = (seed * 1103515245 + 12345) >>> 0) >>> 24);
    writeFileSync(join(folder, `data_batch_${file}.bin`), bytes);
  }
}

async function ahead(): Promise<void> {
  const run = async (name: string) => JSON.parse((await promisify(execFile)(process.execPath, [join(import.meta.dirname, "ahead.ts"), name])).stdout) as AheadFound;
  const row = (what: string, { inPlace, ahead: made }: AheadFound) => {
    const pair = (of: keyof AheadFound["ahead"]) => `${inPlace[of].toFixed(2)} -> ${made[of].toFixed(2)} (${made[of] > inPlace[of] ? "+" : ""}${((made[of] / inPlace[of] - 1) * 100).toFixed(1)} %)`;
    console.log(`  ${what.padEnd(6)} ${pair("clock").padEnd(26)} ${pair("quiet").padEnd(26)} ${pair("thread").padEnd(26)} ${pair("process")}`);
  };
  console.log("\nms per step, batches in place -> ahead:  on the clock (median, tenth part that took least), processor time of the training thread, of the whole process");
  for (const [name, { title }] of Object.entries(aheadCases)) {
    console.log(title);
    row("alone", await run(name));
    for (const found of await Promise.all([run(name), run(name)])) row("beside", found);
  }
}

const [, , name, at = ""] = process.argv;
if (name === "ahead") await ahead();
else if (name) await child(name, at);
else {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-bench-"));
  try {
    pretendCifar(join(folder, "cifar"));
    await numbers(join(folder, "numbers"));
    const line = "It is a truth that is seldom acknowledged: a text of three million letters – and “quotes” – takes no more.\n";
    const novel = (characters: number) => {
      const path = join(folder, `${characters}.txt`);
      writeFileSync(path, line.repeat(characters / line.length));
      return path;
    };
    const all: [title: string, name: string, at?: string][] = [
      ["MNIST", "mnist"],
      ["CIFAR-10", "cifar10", join(folder, "cifar")],
      ["a text of 1 KB", "text", novel(1_000)],
      ["a text", "text", novel(3_200_000)],
      ["a long text", "text", novel(62_000_000)],
      ["arrays (.npy)", "arrays", join(folder, "numbers")],
      ["the same, kept and divided", "own", join(folder, "numbers")],
      ...((await datasetProblem("war-and-peace")) === null ? [["War and Peace", "war-and-peace"] as [string, string]] : []),
    ];
    const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    for (const [title, one, path = ""] of all) {
      const { data, reading, batching, batches } = JSON.parse(execFileSync(process.execPath, ["--expose-gc", import.meta.filename, one, path], { encoding: "utf8" })) as Found;
      const times = (bytes: number) => (data < 1e6 ? "" : ` (${(bytes / data).toFixed(2)} x)`);
      console.log(`${title}: ${mb(data)} of data; at the highest ${mb(reading)}${times(reading)} while it is read${Object.keys(batches).length > 0 ? `, ${mb(batching)}${times(batching)} with batches` : ""}`);
      for (const [what, ms] of Object.entries(batches)) console.log(`    a batch of ${what}: ${ms.toFixed(3)} ms`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  await ahead();
}
