/** Runs that other programs recorded. Damage within a record ends it with a warning, which counts as a refusal here. */
import { crc32 } from "node:zlib";
import { maskedCrc32c } from "../../../../src/main/importing/records/crc32c.ts";
import { readRecords } from "../../../../src/main/importing/records/index.ts";
import type { FuzzedInput, FuzzedParser } from "../parser.ts";

async function read({ path }: FuzzedInput): Promise<void> {
  const warnings: string[] = [];
  await readRecords({ paths: [path()], columns: {}, watch: false }, { onNews: (news) => "warnings" in news && warnings.push(...news.warnings) });
  if (warnings.length > 0) throw new Error(warnings[0]);
}

/** With the checksums that the records should have, as far as their lengths fit. */
function repaired(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let at = 0; at + 12 <= copy.length; ) {
    copy.writeUInt32LE(maskedCrc32c(copy.subarray(at, at + 8)), at + 8);
    const length = Number(copy.readBigUInt64LE(at));
    if (at + 16 + length > copy.length) break;
    copy.writeUInt32LE(maskedCrc32c(copy.subarray(at + 12, at + 12 + length)), at + 12 + length);
    at += 16 + length;
  }
  return copy;
}

/** The same for a file of W&B. */
function repairedLog(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let at = 7; at + 7 <= copy.length; ) {
    const left = 32_768 - (at % 32_768);
    if (left < 7) {
      at += left;
      continue;
    }
    const end = at + 7 + copy.readUInt16LE(at + 4);
    if (end > copy.length) break;
    copy.writeUInt32LE(crc32(copy.subarray(at + 7, end), crc32(copy.subarray(at + 6, at + 7))), at);
    at = end;
  }
  return copy;
}

export const recordParsers: readonly FuzzedParser[] = [
  { name: "events", repair: repaired, parse: read },
  { name: "wandb", repair: repairedLog, parse: read },
  { name: "trackio", parse: read },
  { name: "runCsv", parse: read },
  { name: "jsonLines", parse: read },
];
