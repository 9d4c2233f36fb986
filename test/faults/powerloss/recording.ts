/** Reads what the shim recorded: every change and sync of files, and what the program said, in their order. */
import { appendFileSync, readFileSync } from "node:fs";

const kinds = ["", "opened", "created", "written", "resized", "synced", "renamed", "linked", "removed", "folder", "said"] as const;
type Kind = Exclude<(typeof kinds)[number], "">;

export interface Entry {
  readonly kind: Kind;
  readonly inode: bigint;
  /** Offset of a write; new size of a resized file. */
  readonly offset: number;
  readonly path: string;
  /** Second name of a rename or link. */
  readonly target: string;
  readonly data: Buffer;
}

const headSize = 40;

export function readRecording(file: string): Entry[] {
  const bytes = readFileSync(file);
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = kinds[bytes.readUInt32LE(at)];
    if (kind === undefined || kind === "") throw new Error(`${file} is no recording: unknown kind at byte ${at}`);
    const inode = bytes.readBigUInt64LE(at + 8);
    const offset = Number(bytes.readBigInt64LE(at + 16));
    const length = Number(bytes.readBigInt64LE(at + 24));
    const pathLength = bytes.readUInt32LE(at + 32);
    const targetLength = bytes.readUInt32LE(at + 36);
    at += headSize;
    const take = (count: number) => bytes.subarray(at, (at += count));
    entries.push({ kind, inode, offset, path: take(pathLength).toString(), target: take(targetLength).toString(), data: take(length) });
  }
  return entries;
}

/** Adds a line that the program is taken to have said. Call while no process is recorded. */
export function addSaid(file: string, line: object): void {
  const data = Buffer.from(`${JSON.stringify(line)}\n`);
  const head = Buffer.alloc(headSize);
  head.writeUInt32LE(kinds.indexOf("said"));
  head.writeBigInt64LE(BigInt(data.length), 24);
  appendFileSync(file, Buffer.concat([head, data]));
}
