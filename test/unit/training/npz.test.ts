/** Weights as NumPy archives, and files on their way to a trainer: block by block, never as a whole. */
import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { unzipSync } from "fflate";
import { expect, it, onTestFinished } from "vitest";
import { CheckpointError, requireIntact } from "../../../src/core/checkpoint/container.ts";
import { parseNpy } from "../../../src/core/datasets/formats/npy.ts";
import { encodeWeights } from "../../../src/core/weights/file.ts";
import { npzOf } from "../../../src/main/hosting/weights/npz.ts";
import { FileSender } from "../../../src/main/hosting/fileSender.ts";
import { pieceLength, piecesUnderWay, type Piece } from "../../../src/main/trainer/files.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

const evaluation = { step: 1, epoch: 1, trainLoss: null, testLoss: 1, testError: 1 };
const big = Float64Array.from({ length: 600_000 }, (_, i) => i / 3);
const arrays = [
  { name: "layer1.weight", shape: [2, 3], values: Float64Array.of(1, 2, 3, 4, 5, 6.5) },
  { name: "layer1.bias", shape: [1], values: Float64Array.of(0.5) },
  { name: "norm", shape: [600, 1000], values: big },
];
const file = encodeWeights({ run: "a", experiment: {}, savedAt: 1, evaluation, arrays });

/** Reads the file, and remembers the longest read. */
function reading(bytes: Buffer) {
  const longest = { length: 0 };
  const read = (at: number, length: number) => {
    longest.length = Math.max(longest.length, length);
    return Promise.resolve(bytes.subarray(at, at + length));
  };
  return { longest, read };
}

it("copies weights into an archive that holds the same arrays, in blocks of at most 1 MiB", async () => {
  const { longest, read } = reading(file);
  await requireIntact(read, file.length);
  const npz = await buffer(npzOf(read, file.length));
  expect(file.length).toBeGreaterThan(4 << 20);
  expect(longest.length).toBeLessThanOrEqual(1 << 20);
  const found = Object.entries(unzipSync(npz)).map(([name, bytes]) => [name, Buffer.from(bytes.subarray(0, 40)).toString("latin1"), parseNpy(bytes, name)] as const);
  expect(found.map(([name, head, { shape }]) => [name, /<f\d/.exec(head)?.[0], shape])).toEqual([
    ["layer1.weight.npy", "<f4", [2, 3]],
    ["layer1.bias.npy", "<f4", [1]],
    ["norm.npy", "<f8", [600, 1000]],
  ]);
  expect(found.map(([, , { data }]) => data[data.length - 1])).toEqual([6.5, 0.5, Math.fround(big.at(-1)!)]);
  expect((await buffer(npzOf(read, file.length))).equals(npz)).toBe(true);
});

it("refuses a damaged and a truncated file", async () => {
  const damaged = Buffer.from(file);
  damaged[file.length >> 1]! ^= 1;
  await expect(requireIntact(reading(damaged).read, file.length)).rejects.toThrow("its checksum does not match");
  const short = reading(file.subarray(0, -1000));
  await expect(requireIntact(short.read, file.length)).rejects.toThrow(CheckpointError);
  await expect(buffer(npzOf(short.read, file.length - 1000))).rejects.toThrow("it ends too early");
});

it("sends few pieces ahead of what the trainer has taken, and none after its end", async () => {
  const path = join(freshFolder(), "file");
  writeFileSync(path, Buffer.alloc(10 * pieceLength + 7, 3));
  const handle = await open(path);
  onTestFinished(() => handle.close());
  const sent: Piece[] = [];
  let taken = 0;
  let most = 0;
  const sender: FileSender = new FileSender((piece) => {
    sent.push(piece);
    most = Math.max(most, sent.length - taken);
    setImmediate(() => {
      taken++;
      sender.taken();
    });
  });
  await sender.send(handle);
  expect(sent.map(({ bytes }) => bytes.length)).toEqual([...Array.from({ length: 10 }, () => pieceLength), 7]);
  expect(most).toBeLessThanOrEqual(piecesUnderWay);

  const kept: Piece[] = [];
  const stuck: FileSender = new FileSender((piece) => {
    kept.push(piece);
    if (kept.length === piecesUnderWay) setImmediate(() => stuck.end());
  });
  await stuck.send(handle);
  expect(kept).toHaveLength(piecesUnderWay);
});
