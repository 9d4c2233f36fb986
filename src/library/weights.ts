/** Weights as files: safetensors, which PyTorch's tools read, and NumPy's archives. */
import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { readNumpy } from "../core/datasets/formats/npy.ts";
import { syncFolder } from "../core/durable/folders.ts";
import type { Shape } from "../core/program/node.ts";
import { inFileOrder, parseSafetensors, safetensorsHeader, type TensorEntry } from "../core/weights/safetensors.ts";

export interface LoadedWeights {
  /** Arrays by name, row-major: what `optimize` takes as `parameters`. */
  readonly values: Readonly<Record<string, Float64Array>>;
  readonly shapes: Readonly<Record<string, Shape>>;
  /** Texts that the file's writer added. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a .safetensors file, or a .npz file of NumPy.
 * @throws Error naming the file and what is wrong with it
 */
export async function loadWeights(path: string): Promise<LoadedWeights> {
  if (/\.npz$/i.test(path)) {
    const arrays = Object.entries(await readNumpy(path));
    return {
      values: Object.fromEntries(arrays.map(([name, { data }]) => [name, Float64Array.from(data)])),
      shapes: Object.fromEntries(arrays.map(([name, { shape }]) => [name, shape])),
      metadata: {},
    };
  }
  const { tensors, metadata } = parseSafetensors(await readFile(path), path);
  return {
    values: Object.fromEntries([...tensors].map(([name, { values }]) => [name, values])),
    shapes: Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape])),
    metadata,
  };
}

export interface WrittenArray {
  readonly name: string;
  readonly shape: Shape;
  readonly values: Float64Array;
}

/** Writes a .safetensors file completely, or not at all: float32 where that is exact, else float64. */
export async function writeSafetensors(path: string, arrays: readonly WrittenArray[], metadata: Readonly<Record<string, string>>): Promise<void> {
  const entries = inFileOrder(
    arrays.map(({ name, shape, values }): TensorEntry & { readonly data: Float32Array | Float64Array } => {
      const single = Float32Array.from(values);
      const exact = values.every((value, i) => Object.is(value, single[i]));
      return { name, shape, type: exact ? "F32" : "F64", data: exact ? single : values };
    }),
  );
  const part = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(part, "wx");
    try {
      await file.writeFile(safetensorsHeader(entries, metadata));
      for (const { data } of entries) await file.writeFile(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
