/** Files read without more memory than what is made of them. */
import { open, stat } from "node:fs/promises";

/** Opening a named pipe waits for ever for who writes into it. @throws Error when it is no file, or not there */
export async function requireFile(path: string): Promise<void> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error(`${path} is ${found.isDirectory() ? "a folder" : "a device, socket or pipe"}; a file is needed`);
}

/**
 * A file piece by piece, each of `length` bytes but the last, and written over by the next one. Streams give
 * a new buffer each time, and tens of megabytes of them stand about before they are collected.
 */
export async function* chunksOf(path: string, length = 65_536): AsyncGenerator<Uint8Array, void> {
  const file = await open(path);
  try {
    const buffer = new Uint8Array(length);
    for (let filled = 0; ; ) {
      const { bytesRead } = await file.read(buffer, filled, length - filled);
      filled += bytesRead;
      if (filled === length || (bytesRead === 0 && filled > 0)) yield buffer.subarray(0, filled);
      if (bytesRead === 0) return;
      filled %= length;
    }
  } finally {
    await file.close();
  }
}
