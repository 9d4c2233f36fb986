/** Reads a file that another program may be appending to. */
import { open, type FileHandle } from "node:fs/promises";
import { RecordError } from "./draft.ts";

/** Bytes per read. */
const piece = 1 << 20;

/** Largest number of bytes of one record or line. */
export const maxRecordBytes = 64 << 20;

/**
 * Takes whole records from the front of `bytes`, whose first byte stands at `offset` of the file.
 * @returns the number of bytes taken; the rest comes again with what follows
 */
export type TakeRecords = (bytes: Buffer, offset: number) => number;

export class FileTail {
  readonly path: string;
  #taken = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Offset of the first byte that is not part of a whole record yet. */
  get offset(): number {
    return this.#taken;
  }

  /**
   * Reads from the last whole record to the end of the file.
   * @returns the bytes of an unfinished record at the end
   * @throws RecordError naming the file, also when it has become shorter
   */
  async read(take: TakeRecords, onProgress: (bytes: number) => void = () => undefined): Promise<Buffer> {
    let file: FileHandle | undefined;
    try {
      file = await open(this.path, "r");
      const { size } = await file.stat();
      if (size < this.#taken) throw new RecordError(`it has ${size} bytes, fewer than the ${this.#taken} that were read: another program has replaced it; import it again`);
      let held: Buffer = Buffer.alloc(0);
      for (let at = this.#taken; at < size; ) {
        const chunk = Buffer.allocUnsafe(Math.min(piece, size - at));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
        if (bytesRead === 0) break;
        at += bytesRead;
        held = held.length === 0 ? chunk.subarray(0, bytesRead) : Buffer.concat([held, chunk.subarray(0, bytesRead)]);
        const count = take(held, this.#taken);
        this.#taken += count;
        held = held.subarray(count);
        if (held.length > maxRecordBytes) throw new RecordError(`the record at byte ${this.#taken} is longer than ${maxRecordBytes >> 20} MiB`);
        onProgress(at);
      }
      return held;
    } catch (error) {
      if (error instanceof RecordError && error.message.startsWith(this.path)) throw error;
      throw new RecordError(`${this.path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      await file?.close();
    }
  }

  /** Takes the unfinished record at the end as a whole one. */
  finish(bytes: number): void {
    this.#taken += bytes;
  }
}
