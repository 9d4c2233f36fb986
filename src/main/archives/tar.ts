/**
 * Plain ustar files of regular entries. Any `tar` lists and unpacks them. The reader accepts nothing but what the
 * writer writes: libraries buffer the extended headers of other tar files, whose size a stranger chooses.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { ArchiveError } from "./errors.ts";

const block = 512;

/** Length of the end of a file: two empty blocks. */
const endLength = 2 * block;

const paddingOf = (size: number) => (block - (size % block)) % block;

/** Header of an entry. @param name at most 100 ASCII characters */
export function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(block);
  header.write(name, 0, 100, "latin1");
  header.write("0000644\0", 100, "latin1");
  header.write("0000000\0", 108, "latin1");
  header.write("0000000\0", 116, "latin1");
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write("00000000000\0", 136, "latin1");
  header.write("        0", 148, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** What follows an entry's bytes. */
export const tarPadding = (size: number): Buffer => Buffer.alloc(paddingOf(size));
export const tarEnd = (): Buffer => Buffer.alloc(endLength);

export interface TarEntry {
  readonly name: string;
  readonly size: number;
  /** Position of its first byte in the file. */
  readonly at: number;
}

/** An open tar file. */
export class TarFile {
  readonly path: string;
  readonly size: number;
  readonly #descriptor: number;

  /** @throws ArchiveError when there is no such regular file */
  constructor(path: string) {
    this.path = path;
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new ArchiveError("there is no such file");
    // Opening a pipe would wait for its writer.
    if (!found.isFile()) throw new ArchiveError("it is not a regular file");
    this.#descriptor = openSync(path, "r");
    this.size = fstatSync(this.#descriptor).size;
  }

  /** Reads into `target`; returns the number of bytes. */
  read(at: number, target: Uint8Array): number {
    let done = 0;
    while (done < target.length) {
      const read = readSync(this.#descriptor, target, done, target.length - done, at + done);
      if (read === 0) break;
      done += read;
    }
    return done;
  }

  /** All bytes of an entry. Check its size first. @throws ArchiveError */
  bytesOf({ name, size, at }: TarEntry): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    if (this.read(at, bytes) < size) throw new ArchiveError(`it ends within ${name}`);
    return bytes;
  }

  /**
   * Lists the entries without reading their bytes.
   * @param accept throws for an entry that is not allowed
   * @throws ArchiveError
   */
  list(maxEntries: number, accept: (name: string, size: number) => void): TarEntry[] {
    const entries: TarEntry[] = [];
    const header = Buffer.alloc(block);
    for (let at = 0; ; ) {
      if (this.read(at, header) < block) throw new ArchiveError(at === 0 ? "it is no archive of Hypertower" : "it is cut off");
      if (header.every((byte) => byte === 0)) {
        this.#requireEnd(at);
        return entries;
      }
      if (entries.length === maxEntries) throw new ArchiveError(`it has more than ${maxEntries} parts`);
      const name = header.toString("latin1", 0, 100).replace(/\0.*$/s, "");
      const size = parseInt(header.toString("latin1", 124, 135), 8);
      if (!Number.isSafeInteger(size) || size < 0 || !tarHeader(name, size).equals(header)) {
        throw new ArchiveError(at === 0 ? "it is no archive of Hypertower" : `it is damaged at byte ${at}`);
      }
      accept(name, size);
      if (at + block + size + paddingOf(size) > this.size) throw new ArchiveError("it is cut off");
      entries.push({ name, size, at: at + block });
      at += block + size + paddingOf(size);
    }
  }

  #requireEnd(at: number): void {
    if (this.size !== at + endLength) throw new ArchiveError(this.size < at + endLength ? "it is cut off" : `it has ${this.size - at - endLength} bytes after its end`);
    const end = Buffer.alloc(endLength, 1);
    this.read(at, end);
    if (!end.equals(tarEnd())) throw new ArchiveError(`it is damaged at byte ${at}`);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
