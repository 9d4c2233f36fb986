/** Limits on the size of a file and of what it unpacks to, checked before memory is allocated for it. */
import { formatBytes } from "../../../shared/format.ts";
import { maxUnpacked } from "../../../shared/zip.ts";

export { largestUnpacked, requireUnpackable } from "../../../shared/zip.ts";

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
