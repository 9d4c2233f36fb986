/** The binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): a label byte, then 3 x 32 x 32 bytes, ten thousand times a file. */
import { readFile } from "node:fs/promises";

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
  const files = await Promise.all(paths.map((path) => readFile(path)));
  files.forEach((bytes, i) => {
    if (bytes.length % record !== 0 || bytes.length === 0) throw new Error(`${paths[i]!}: ${bytes.length} bytes are no whole number of records of ${record}`);
  });
  const count = files.reduce((sum, { length }) => sum + length / record, 0);
  const [features, labels] = [new Uint8Array(count * pixels), new Uint8Array(count)];
  let at = 0;
  files.forEach((bytes, i) => {
    for (let offset = 0; offset < bytes.length; offset += record, at++) {
      const label = bytes[offset]!;
      if (label > 9) throw new Error(`${paths[i]!}: byte ${offset} is ${label}; a label is from 0 to 9`);
      labels[at] = label;
      features.set(bytes.subarray(offset + 1, offset + record), at * pixels);
    }
  });
  return { count, features, labels };
}
