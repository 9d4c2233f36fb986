/** Reads the binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): records of a label byte and 3 x 32 x 32 pixel bytes, 10,000 per file. */
import { stat } from "node:fs/promises";
import { chunksOf } from "../chunks.ts";

const pixels = 3 * 32 * 32;
const record = 1 + pixels;

export interface LabelledImages {
  readonly count: number;
  /** `[count, 3, 32, 32]` */
  readonly features: Uint8Array;
  /** `[count]` */
  readonly labels: Uint8Array;
}

/** @throws Error naming a file with an incomplete record, or a label above 9 */
export async function readCifar(paths: readonly string[]): Promise<LabelledImages> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  sizes.forEach((size, i) => {
    if (size % record !== 0 || size === 0) throw new Error(`${paths[i]!}: ${size} bytes are not a whole number of records of ${record} bytes`);
  });
  const count = sizes.reduce((sum, size) => sum + size / record, 0);
  // Shared memory: the thread that makes batches needs no copy.
  const [features, labels] = [new Uint8Array(new SharedArrayBuffer(count * pixels)), new Uint8Array(new SharedArrayBuffer(count))];
  let at = 0;
  for (const [i, path] of paths.entries()) {
    let offset = 0;
    for await (const piece of chunksOf(path, 64 * record)) {
      if (offset + piece.length > sizes[i]!) break;
      for (let start = 0; start < piece.length; start += record, offset += record, at++) {
        const label = piece[start]!;
        if (label > 9) throw new Error(`${path}: byte ${offset} is the label ${label}; allowed: 0 to 9`);
        labels[at] = label;
        features.set(piece.subarray(start + 1, start + record), at * pixels);
      }
    }
    if (offset !== sizes[i]) throw new Error(`${path} changed while it was read; read it again`);
  }
  return { count, features, labels };
}
