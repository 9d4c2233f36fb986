/** Archives of runs and studies. */
import { Archive } from "../../../../src/main/archives/read.ts";
import { assembled, partsOf } from "../../../support/archiveMutations.ts";
import type { FuzzedParser } from "../parser.ts";

/** With a manifest that lists the parts as they are. */
function repaired(bytes: Uint8Array): Uint8Array {
  try {
    const { parts, manifest } = partsOf(Buffer.from(bytes));
    return Uint8Array.from(assembled(parts, manifest));
  } catch {
    return bytes;
  }
}

export const archiveParsers: readonly FuzzedParser[] = [{ name: "runArchive", repair: repaired, parse: async ({ path }) => (await Archive.open(path())).close() }];
