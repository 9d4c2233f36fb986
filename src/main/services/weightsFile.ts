/** Arrays of a weights file from elsewhere: .safetensors or .npz, which can hold no code. */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { formatBytes } from "../../shared/format.ts";
import { readNumpy } from "../../core/datasets/formats/npy.ts";
import { parseSafetensors } from "../../core/weights/safetensors.ts";

export interface WeightsFile {
  /** SHA-256 of the file. */
  readonly sha256: string;
  readonly arrays: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float64Array }>;
}

/** Maximum size of a weights file. */
const maxBytes = 2 ** 31 - 1;

/** @throws Error naming the file and what is wrong with it */
export async function readWeightsFile(path: string): Promise<WeightsFile> {
  const { size } = await stat(path);
  if (size > maxBytes) throw new Error(`${path} has ${formatBytes(size)}; a weights file has at most ${formatBytes(maxBytes)}`);
  if (/\.npz$/i.test(path)) {
    const sha256 = createHash("sha256").update(await readFile(path)).digest("hex");
    const arrays = Object.entries(await readNumpy(path)).map(([name, { shape, data }]) => [name, { shape, values: Float64Array.from(data) }] as const);
    return { sha256, arrays: new Map(arrays) };
  }
  if (!/\.safetensors$/i.test(path)) throw new Error(`${path}: weights are read from .safetensors and .npz files`);
  return weightsIn(await readFile(path), path);
}

/** The arrays of a safetensors file that was read. @throws Error naming it as `source` */
export function weightsIn(bytes: Uint8Array, source: string): WeightsFile {
  return { sha256: createHash("sha256").update(bytes).digest("hex"), arrays: parseSafetensors(bytes, source).tensors };
}
