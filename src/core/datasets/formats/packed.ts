/** Limits on the unpacked size of a file, checked before memory is allocated for it. */
import { formatBytes } from "../../../shared/format.ts";

/** Bytes that any file may unpack to; for larger files a multiple of the packed size; the maximum for all files. */
const alwaysAllowed = 2 ** 28;
const maxRatio = 200;
const maxUnpacked = 2 ** 32;

/** Maximum bytes of a file that is read into memory as a whole; Node reads no more at once. */
const maxRead = 2 ** 31 - 1;

/** @throws Error naming the size and the limit */
export function requireReadable(path: string, size: number): void {
  if (size > maxRead) throw new Error(`${path} has ${formatBytes(size)}; at most ${formatBytes(maxRead)} are allowed: save it in parts`);
}

/** @throws Error naming the size and the limit, before memory for the values of a dataset is allocated */
export function requireStorable(path: string, bytes: number): void {
  if (!(bytes <= maxUnpacked)) throw new Error(`${path}: the examples need ${formatBytes(bytes)}; at most ${formatBytes(maxUnpacked)} are allowed`);
}

/** Maximum unpacked bytes of a file with `packed` bytes. */
export const largestUnpacked = (packed: number) => Math.min(maxUnpacked, Math.max(alwaysAllowed, maxRatio * packed));

/** @throws Error naming both sizes and the limit */
export function requireUnpackable(packed: number, unpacked: number): void {
  const largest = largestUnpacked(packed);
  if (unpacked > largest) throw new Error(`${formatBytes(packed)} would unpack to ${formatBytes(unpacked)}; at most ${formatBytes(largest)} are allowed: save the file unpacked, or in parts`);
}
