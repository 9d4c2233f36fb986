/** Weights files as NumPy archives, copied block by block: neither file is ever in memory as a whole. */
import { Zip, ZipPassThrough } from "fflate";
import { readBlocks, type ReadBytes } from "../../../core/checkpoint/container.ts";
import { decodeValues } from "../../../core/checkpoint/stateCodec.ts";
import { encodeNpy, npyHeader } from "../../../core/datasets/formats/npy.ts";
import { readWeightsLayout, type StoredArray } from "../../../core/weights/file.ts";

/**
 * An .npz that `numpy.load` reads; the same bytes for the same weights.
 * @param tied further names of arrays, and the name that each has here
 * @throws CheckpointError saying what is wrong with the file
 */
export async function* npzOf(read: ReadBytes, size: number, tied: Readonly<Record<string, string>> = {}): AsyncGenerator<Uint8Array> {
  let written: Uint8Array[] = [];
  const zip = new Zip((error, bytes) => {
    if (error) throw error;
    written.push(bytes);
  });
  const { arrays } = await readWeightsLayout(read, size);
  const others = Object.entries(tied).flatMap(([name, own]) => arrays.filter((array) => array.name === own).map((array) => ({ ...array, name })));
  for (const array of [...arrays, ...others]) {
    const entry = new ZipPassThrough(`${array.name}.npy`);
    entry.mtime = new Date(1980, 0, 1);
    zip.add(entry);
    for await (const block of npyOf(read, array)) {
      entry.push(block);
      yield* written;
      written = [];
    }
    entry.push(new Uint8Array(), true);
  }
  zip.end();
  yield* written;
}

async function* npyOf(read: ReadBytes, { shape, dtype, length, at, end }: StoredArray): AsyncGenerator<Uint8Array> {
  // A weights file has single values as float64 even where float32 is exact.
  if (length === 1) yield encodeNpy({ shape, values: decodeValues(dtype, await read(at, end - at)) });
  else {
    yield npyHeader(shape, dtype === "float32" ? "<f4" : "<f8");
    yield* readBlocks(read, at, end);
  }
}
