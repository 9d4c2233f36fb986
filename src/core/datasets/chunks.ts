/** Reads files in chunks, with one small buffer. */
import { open, readFile, stat } from "node:fs/promises";
import { requireReadable } from "./formats/packed.ts";

/** Opening a named pipe would wait for a writer forever. @throws Error when the path is missing or not a file */
export async function requireFile(path: string): Promise<void> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error(`${path} is ${found.isDirectory() ? "a folder" : "a device, socket or pipe"}; a file is needed`);
}

/** The bytes of a file. @throws Error naming a file that is too large, or that has grown meanwhile */
export async function wholeFile(path: string): Promise<Uint8Array> {
  requireReadable(path, (await stat(path)).size);
  return readFile(path);
}

/**
 * Chunks of a file: each has `length` bytes but the last, and the next one overwrites it. A stream would
 * allocate a new buffer for each, tens of megabytes before they are collected.
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
