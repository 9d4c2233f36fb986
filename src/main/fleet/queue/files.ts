/** Files as rows of chunks. */
import { open } from "node:fs/promises";
import type { Queries } from "./database.ts";
import { chunkBytes } from "./schema/names.ts";

/** Pieces of bytes, of which there is one at least. */
export function* piecesOf(bytes: Uint8Array): Generator<Buffer> {
  for (let at = 0; at === 0 || at < bytes.length; at += chunkBytes) yield Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(chunkBytes, bytes.length - at));
}

/** Writes a file as chunks; `insert` takes them as its last two values. @returns bytes */
export async function writeChunks(queries: Queries, insert: string, values: readonly unknown[], path: string): Promise<number> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(chunkBytes);
    let [size, chunk] = [0, 0];
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, size);
      if (bytesRead === 0 && chunk > 0) return size;
      await queries.query(insert, [...values, chunk++, buffer.subarray(0, bytesRead)]);
      size += bytesRead;
      if (bytesRead === 0) return size;
    }
  } finally {
    await file.close();
  }
}
