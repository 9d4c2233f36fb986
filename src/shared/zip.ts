/** Unpacks zip archives in memory, within limits that are checked before anything is unpacked. */
import { unzipSync } from "fflate";
import { formatBytes, formatCount } from "./format.ts";

/** Bytes that any file may unpack to; for larger files a multiple of the packed size; the maximum for all files. */
const alwaysAllowed = 2 ** 28;
const maxRatio = 200;
export const maxUnpacked = 2 ** 32;

const maxFiles = 20_000;
const maxName = 1_000;

/** Maximum unpacked bytes of a file with `packed` bytes. */
export const largestUnpacked = (packed: number): number => Math.min(maxUnpacked, Math.max(alwaysAllowed, maxRatio * packed));

/** @throws Error naming both sizes and the limit */
export function requireUnpackable(packed: number, unpacked: number): void {
  const largest = largestUnpacked(packed);
  if (unpacked > largest) throw new Error(`${formatBytes(packed)} would unpack to ${formatBytes(unpacked)}; at most ${formatBytes(largest)} are allowed: save the file unpacked, or in parts`);
}

/** Files of a zip archive by name. @throws Error saying what is wrong or too large */
export function unzipped(bytes: Uint8Array): Map<string, Uint8Array> {
  let [files, unpacked] = [0, 0];
  // The archive's directory states the sizes; unzipSync never unpacks more than it states.
  unzipSync(bytes, {
    filter: ({ name, originalSize }) => {
      unpacked += originalSize;
      if (name.length > maxName) throw new Error(`the name of a file in it has ${formatCount(name.length)} characters; at most ${formatCount(maxName)} are allowed`);
      if (++files > maxFiles) throw new Error(`it holds more than ${formatCount(maxFiles)} files`);
      return false;
    },
  });
  requireUnpackable(bytes.length, unpacked);
  return new Map(Object.entries(unzipSync(bytes)));
}
