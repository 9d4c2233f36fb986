/**
 * `npm run bench:data`: what data takes of memory and of a training step's time. Each case runs in a
 * process of its own: the memory is what the process grew by at its highest (its peak resident set
 * size beyond that of the loaded program), the time is that of making a batch, median over an epoch.
 * The text is long, so that what the program itself takes while it runs does not count for much.
 * CIFAR-10 stands in as random bytes in its own files' form where it is not downloaded.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCifar } from "../../src/main/datasets/formats/cifar.ts";
import { readText } from "../../src/main/datasets/formats/text.ts";
import { loadDataset, loadTextOf } from "../../src/main/datasets/index.ts";
import { Random } from "../../src/main/models/random.ts";
import { batchesInOrder } from "../../src/main/training/batches.ts";
import { streams } from "../../src/main/training/textFeed.ts";
import { experiment } from "../../src/shared/experiment.ts";
import { median } from "./median.ts";

interface Found {
  /** Bytes of the data as it is trained on. */
  readonly data: number;
  /** Milliseconds of each batch, by how it is made. */
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

const orderOf = (count: number) => new Random(0, "shuffling").permutation(count);

async function cifar(folder: string): Promise<Found> {
  const examples = await readCifar([1, 2, 3, 4, 5].map((i) => join(folder, `data_batch_${i}.bin`)));
  const plan = { examples, order: orderOf(examples.count), batchSize: 128 };
  const shape = [3, 32, 32];
  return {
    data: examples.features.byteLength + examples.labels.byteLength,
    batches: { "128 images": timed(batchesInOrder(plan)), "128 images, shifted and mirrored": timed(batchesInOrder({ ...plan, augmentation: { crop: 4, flip: true, shape, seed: 1 } })) },
  };
}

function text(codes: Uint8Array): Found {
  return { data: codes.byteLength, batches: { "64 x 50 characters": timed(streams(codes, 64, 50)) } };
}

const cases: Record<string, (at: string) => Promise<Found>> = {
  mnist: async () => {
    const { train, test } = await loadDataset(experiment.parse({}).dataset);
    return { data: train.features.byteLength + test.features.byteLength + train.count + test.count, batches: { "256 images": timed(batchesInOrder({ examples: train, order: orderOf(train.count), batchSize: 256 })) } };
  },
  cifar10: cifar,
  text: async (at) => text((await readText(at)).codes as Uint8Array),
  "war-and-peace": async () => {
    const { train, test } = await loadTextOf("war-and-peace");
    return { ...text(train), data: train.byteLength + test.byteLength };
  },
};

async function child(name: string, at: string): Promise<void> {
  const before = process.resourceUsage().maxRSS * 1024;
  const found = await cases[name]!(at);
  console.log(JSON.stringify({ ...found, peak: process.resourceUsage().maxRSS * 1024 - before }));
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

const [, , name, at = ""] = process.argv;
if (name) await child(name, at);
else {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-bench-"));
  try {
    pretendCifar(join(folder, "cifar"));
    const novel = join(folder, "novel.txt");
    writeFileSync(novel, "It is a truth that is seldom acknowledged: a text of three million letters – and “quotes” – takes no more.\n".repeat(580_000));
    for (const [one, path] of [["mnist", ""], ["cifar10", join(folder, "cifar")], ["text", novel]] as const) {
      const { data, peak, batches } = JSON.parse(execFileSync(process.execPath, [import.meta.filename, one, path], { encoding: "utf8" })) as Found & { peak: number };
      const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
      console.log(`${one.padEnd(8)} ${mb(data)} of data, ${mb(peak)} at the highest (${(peak / data).toFixed(2)} x)`);
      for (const [what, ms] of Object.entries(batches)) console.log(`         a batch of ${what}: ${ms.toFixed(3)} ms`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
