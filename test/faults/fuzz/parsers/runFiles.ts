/** Files of runs: checkpoints and weights. */
import { createHash } from "node:crypto";
import { decodeCheckpoint, readCheckpointHeader } from "../../../../src/core/checkpoint/file.ts";
import { decodeWeights, readWeightsLayout } from "../../../../src/core/weights/file.ts";
import type { FuzzedParser } from "../parser.ts";

const readerOf = (bytes: Uint8Array) => (at: number, length: number) => Promise.resolve(Buffer.from(bytes.subarray(at, at + length)));

/** With the header's length and the checksum as they have to be. */
function repaired(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 44) return bytes;
  const body = bytes.subarray(0, -32);
  return Uint8Array.from(Buffer.concat([body, createHash("sha256").update(body).digest()]));
}

export const runFileParsers: readonly FuzzedParser[] = [
  {
    name: "checkpoint",
    repair: repaired,
    parse: async ({ bytes }) => {
      await readCheckpointHeader(readerOf(bytes), bytes.length);
      decodeCheckpoint(Buffer.from(bytes));
    },
  },
  {
    name: "weights",
    repair: repaired,
    parse: async ({ bytes }) => {
      await readWeightsLayout(readerOf(bytes), bytes.length);
      decodeWeights(Buffer.from(bytes));
    },
  },
];
