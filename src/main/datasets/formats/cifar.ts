/** The binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): a label byte, then 3 x 32 x 32 bytes, ten thousand times a file. */
import { readFile, stat } from "node:fs/promises";

const pixels = 3 * 32 * 32;
const record = 1 + pixels;

export interface LabelledImages {
  readonly count: number;
  /** `[count, 3, 32, 32]` */
  readonly features: Uint8Array;
  /** `[count]` */
  readonly labels: Uint8Array;
}

/** @throws Error naming a file that does not hold whole records, or a label that is no class */
export async function readCifar(paths: readonly string[]): Promise<LabelledImages> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  sizes.forEach((size, i) => {
    if (size % record !== 0 || size === 0) throw new Error(`${paths[i]!}: ${size} bytes are no whole number of records of ${record}`);
  });
  const count = sizes.reduce((sum, size) => sum + size / record, 0);
  const [features, labels] = [new Uint8Array(count * pixels), new Uint8Array(count)];
  let at = 0;
  // One file after another: two copies of all images at once would be a lot.
  for (const [i, path] of paths.entries()) {
    const bytes = await readFile(path);
    if (bytes.length !== sizes[i]) throw new Error(`${path} changes while it is read`);
    for (let offset = 0; offset < bytes.length; offset += record, at++) {
      const label = bytes[offset]!;
      if (label > 9) throw new Error(`${path}: byte ${offset} is ${label}; a label is from 0 to 9`);
      labels[at] = label;
      features.set(bytes.subarray(offset + 1, offset + record), at * pixels);
    }
  }
  return { count, features, labels };
}
