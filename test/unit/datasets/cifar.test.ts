/** CIFAR-10's files: read record by record, refused by file and byte. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readCifar } from "../../../src/core/datasets/formats/cifar.ts";

const record = 3073;
let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hypertower-cifar-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** Records whose pixels count on from their place. */
async function file(name: string, records: number, change: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) {
  const bytes = Uint8Array.from({ length: records * record }, (_, i) => (i % record === 0 ? (i / record) % 10 : (i + (i >> 8)) % 251));
  const path = join(folder, name);
  await writeFile(path, change(bytes));
  return { path, bytes };
}

it("gives labels and pixels in the order of the files", async () => {
  const [a, b] = [await file("a.bin", 130), await file("b.bin", 3)];
  const { count, features, labels } = await readCifar([a.path, b.path]);
  expect(count).toBe(133);
  const whole = Buffer.concat([a.bytes, b.bytes]);
  for (const i of [0, 63, 64, 65, 128, 129, 130, 132]) {
    expect(labels[i]).toBe(whole[i * record]);
    expect(Buffer.compare(features.subarray(i * 3072, (i + 1) * 3072), whole.subarray(i * record + 1, (i + 1) * record))).toBe(0);
  }
});

it("refuses a cut file and a label that is no class, by file and byte", async () => {
  const cut = await file("cut.bin", 2, (bytes) => bytes.subarray(0, 5000));
  await expect(readCifar([cut.path])).rejects.toThrow(`${cut.path}: 5000 bytes are not a whole number of records of 3073 bytes`);
  const wrong = await file("wrong.bin", 70, (bytes) => bytes.fill(10, 66 * record, 66 * record + 1));
  await expect(readCifar([wrong.path])).rejects.toThrow(`${wrong.path}: byte ${66 * record} is the label 10; allowed: 0 to 9`);
});
