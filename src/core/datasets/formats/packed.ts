/** Limits on what a packed file may unpack to, told before memory is taken for it. */
import { formatBytes } from "../../../shared/format.ts";

/** Bytes that any file may unpack to, the times its own size beyond that, and the most in all. */
const always = 2 ** 28;
const ratio = 200;
const most = 2 ** 32;

/** How much a file of so many bytes may unpack to. */
export const largestUnpacked = (packed: number) => Math.min(most, Math.max(always, ratio * packed));

/** @throws Error with both sizes */
export function requireUnpackable(packed: number, unpacked: number): void {
  const largest = largestUnpacked(packed);
  if (unpacked > largest) throw new Error(`its ${formatBytes(packed)} hold ${formatBytes(unpacked)}; at most ${formatBytes(largest)} are unpacked: save it unpacked, or in parts`);
}
