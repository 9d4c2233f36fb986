/** Limits on the unpacked size of a file, checked before memory is allocated for it. */
import { formatBytes } from "../../../shared/format.ts";

/** Bytes that any file may unpack to; for larger files a multiple of the packed size; the maximum for all files. */
const alwaysAllowed = 2 ** 28;
const maxRatio = 200;
const maxUnpacked = 2 ** 32;

/** Maximum unpacked bytes of a file with `packed` bytes. */
export const largestUnpacked = (packed: number) => Math.min(maxUnpacked, Math.max(alwaysAllowed, maxRatio * packed));

/** @throws Error naming both sizes and the limit */
export function requireUnpackable(packed: number, unpacked: number): void {
  const largest = largestUnpacked(packed);
  if (unpacked > largest) throw new Error(`${formatBytes(packed)} would unpack to ${formatBytes(unpacked)}; at most ${formatBytes(largest)} are allowed: save the file unpacked, or in parts`);
}
