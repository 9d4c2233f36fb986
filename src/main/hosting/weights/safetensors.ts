/** Weights files as safetensors, copied block by block like npz.ts. */
import { readBlocks, type ReadBytes } from "../../../core/checkpoint/container.ts";
import { decodeValues } from "../../../core/checkpoint/stateCodec.ts";
import { batchCounters } from "../../../core/weights/batchCounters.ts";
import { readWeightsLayout, type StoredArray, type WeightsHeader } from "../../../core/weights/file.ts";
import { inFileOrder, safetensorsHeader, type TensorEntry } from "../../../core/weights/safetensors.ts";

interface Source extends TensorEntry {
  bytes(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface SafetensorsOptions {
  /** Texts about the file, from its header. */
  readonly metadata: (header: WeightsHeader) => Readonly<Record<string, string>>;
  /** Further names of arrays, and the name that each has here. */
  readonly tied: Readonly<Record<string, string>>;
}

/**
 * A file whose arrays `load_state_dict(strict=True)` accepts; the same bytes for the same weights.
 * @throws CheckpointError saying what is wrong with the file
 */
export async function* safetensorsOf(read: ReadBytes, size: number, { metadata, tied }: SafetensorsOptions): AsyncGenerator<Uint8Array> {
  const { header, arrays } = await readWeightsLayout(read, size);
  const sources: Source[] = [];
  for (const array of arrays) sources.push(await sourceOf(read, array));
  for (const [name, shared] of Object.entries(tied)) {
    const source = sources.find((one) => one.name === shared);
    if (source) sources.push({ ...source, name });
  }
  const counted = Buffer.alloc(8);
  counted.writeBigInt64LE(BigInt(header.evaluation.step));
  for (const name of batchCounters(arrays.map((array) => array.name))) sources.push({ name, type: "I64", shape: [], bytes: () => [counted] });
  const ordered = inFileOrder(sources);
  yield safetensorsHeader(ordered, metadata(header));
  for (const source of ordered) yield* source.bytes();
}

async function sourceOf(read: ReadBytes, { name, shape, dtype, length, at, end }: StoredArray): Promise<Source> {
  if (length > 1) return { name, shape, type: dtype === "float32" ? "F32" : "F64", bytes: () => readBlocks(read, at, end) };
  // A weights file has single values as float64 even where float32 is exact.
  const values = decodeValues(dtype, await read(at, end - at));
  const single = Float32Array.from(values);
  const exact = values.every((value, i) => Object.is(value, single[i]));
  const data = exact ? single : values;
  return { name, shape, type: exact ? "F32" : "F64", bytes: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)] };
}
