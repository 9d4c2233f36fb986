/**
 * Reads SQLite's write-ahead log without SQLite, which silently ignores everything after the first
 * damaged frame. Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

const headerLength = 32;
const frameHeaderLength = 24;

type Sums = readonly [number, number];

/** A frame as stored. `own`: what its checksum would be after the stored checksum of the frame before it. */
interface Frame {
  readonly salts: Sums;
  readonly stored: Sums;
  readonly own: Sums;
  /** Whether a transaction ends here. */
  readonly commits: boolean;
}

export interface LogState {
  readonly frames: number;
  /** Frames that SQLite reads. */
  readonly readable: number;
  /** Frames after them that belong to the log: committed transactions that SQLite ignores. */
  readonly ignored: number;
  /** Whether the file ends within a frame, or its last frame is damaged: as after a power cut, or by damage. */
  readonly torn: boolean;
}

function sumsOf(bytes: Buffer, from: number, to: number, littleEndian: boolean, [a, b]: Sums): Sums {
  let first = a;
  let second = b;
  for (let at = from; at < to; at += 8) {
    first = (first + (littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)) + second) >>> 0;
    second = (second + (littleEndian ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4)) + first) >>> 0;
  }
  return [first, second];
}

const pair = (bytes: Buffer, at: number): Sums => [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
const same = (a: Sums, b: Sums): boolean => a[0] === b[0] && a[1] === b[1];
const littleEndianMagic = 0x377f0682;

interface Log {
  readonly header: Buffer;
  readonly soundHeader: boolean;
  readonly littleEndian: boolean;
  readonly pageSize: number;
  readonly salts: Sums;
  readonly frames: readonly Frame[];
  readonly partial: boolean;
}

function readLog(file: number, defaultPageSize: number): Log {
  const { size } = fstatSync(file);
  const header = Buffer.alloc(headerLength);
  readSync(file, header, 0, headerLength, 0);
  const magic = header.readUInt32BE(0);
  const seemsLittle = magic !== littleEndianMagic + 1;
  const soundHeader = (magic === littleEndianMagic || !seemsLittle) && same(sumsOf(header, 0, 24, seemsLittle, [0, 0]), pair(header, 24));
  const pageSize = soundHeader ? header.readUInt32BE(8) : defaultPageSize;
  const length = frameHeaderLength + pageSize;
  const count = Math.floor(Math.max(0, size - headerLength) / length);
  const frames: Frame[] = [];
  const bytes = Buffer.alloc(length);
  let before = pair(header, 24);
  for (let index = 0; index < count; index++) {
    readSync(file, bytes, 0, length, headerLength + index * length);
    const own = sumsOf(bytes, frameHeaderLength, length, seemsLittle, sumsOf(bytes, 0, 8, seemsLittle, before));
    const stored = pair(bytes, 16);
    frames.push({ salts: pair(bytes, 8), stored, own, commits: bytes.readUInt32BE(4) !== 0 });
    before = stored;
  }
  const [first, second] = frames;
  const salts = !soundHeader && first && (!second || same(first.salts, second.salts)) ? first.salts : pair(header, 16);
  return { header, soundHeader, littleEndian: seemsLittle, pageSize, salts, frames, partial: size > headerLength + count * length };
}

/** Number of frames that belong to the log; older frames, with other salts, may follow them. */
function belonging({ frames, salts }: Log): number {
  return frames.findLastIndex((frame) => same(frame.salts, salts)) + 1;
}

function stateOf(log: Log): LogState {
  const { frames, salts, soundHeader, partial } = log;
  const sound = (frame: Frame) => same(frame.salts, salts) && same(frame.own, frame.stored);
  const end = belonging(log);
  const firstBad = soundHeader ? frames.slice(0, end).findIndex((frame) => !sound(frame)) : 0;
  const readable = firstBad < 0 ? end : firstBad;
  // A sound frame after a damaged one was written later: the damaged one was whole once.
  const later = frames.slice(readable + (soundHeader ? 1 : 0), end).findLastIndex((frame) => sound(frame));
  const ignored = later < 0 ? 0 : later + (soundHeader ? 2 : 1);
  return { frames: frames.length, readable, ignored, torn: ignored === 0 && (readable < end || (partial && end === frames.length)) };
}

/** State of a log; undefined for a missing or empty one. @param pageSize of the database, for a log whose header is damaged */
export function inspectLog(path: string, pageSize: number): LogState | undefined {
  return withFile(path, "r", (file) => stateOf(readLog(file, pageSize)));
}

/** Inverse of an odd number modulo 2^32, by Newton's iteration. */
function inverse(odd: number): number {
  let found = odd;
  for (let i = 0; i < 4; i++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}

/** Whether two 32-bit numbers differ in one byte. */
const inOneByte = (a: number, b: number): boolean => [0xff, 0xff00, 0xff0000, 0xff000000].some((mask) => ((a ^ b) & ~mask) === 0);

/**
 * Mends a frame in which one byte was changed: its checksums are linear in its words modulo 2^32, so a
 * change of one word shows which one it was, and by how much. Of its highest byte there may be several
 * answers; the page as it was before decides. Leaves other frames as they are.
 * @param before reads the page as it was before; empty for a new one
 */
function mendFrame(bytes: Buffer, littleEndian: boolean, { own, stored }: Frame, before: () => Buffer): void {
  const missing: Sums = [(stored[0] - own[0]) | 0, (stored[1] - own[1]) | 0];
  // What one more in the first or second sum, after a pair of words, adds to both sums at the end.
  let first: Sums = [1, 0];
  let second: Sums = [0, 1];
  const places = [...pairsOf(frameHeaderLength, bytes.length), ...pairsOf(0, 8)];
  const read = (at: number, from = bytes) => (littleEndian ? from.readInt32LE(at) : from.readInt32BE(at));
  let found: { word: number; corrected: number }[] = [];
  for (const at of places) {
    const both: Sums = [(first[0] + second[0]) | 0, (first[1] + second[1]) | 0];
    for (const [word, by] of [[at, both], [at + 4, second]] as const) {
      const change = by[0] & 1 ? Math.imul(inverse(by[0]), missing[0]) : Math.imul(inverse(by[1]), missing[1]);
      const corrected = (read(word) + change) | 0;
      if (Math.imul(by[0], change) !== missing[0] || Math.imul(by[1], change) !== missing[1] || !inOneByte(read(word), corrected)) continue;
      found.push({ word, corrected });
    }
    second = [(both[0] + second[0]) | 0, (both[1] + second[1]) | 0];
    first = both;
  }
  if (found.length > 1) {
    const old = before();
    const was = (word: number) => (word < frameHeaderLength || old.length === 0 ? undefined : read(word - frameHeaderLength, old));
    // A word that is as it was before is not the changed one.
    found = found.filter(({ word }) => was(word) !== read(word));
    const unchanged = found.filter(({ word, corrected }) => was(word) === corrected);
    if (unchanged.length > 0) found = unchanged;
  }
  const [only, ...others] = found;
  if (!only || others.length > 0) return;
  if (littleEndian) bytes.writeInt32LE(only.corrected, only.word);
  else bytes.writeInt32BE(only.corrected, only.word);
}

/** A page of a database; empty past its end. */
function pageOf(file: number, page: number, pageSize: number): Buffer {
  const bytes = Buffer.alloc(pageSize);
  return page > 0 && readSync(file, bytes, 0, pageSize, (page - 1) * pageSize) === pageSize ? bytes : Buffer.alloc(0);
}

/** Offsets of pairs of words, last first. */
function* pairsOf(from: number, to: number): Generator<number> {
  for (let at = to - 8; at >= from; at -= 8) yield at;
}

/**
 * Writes the pages of a log into the database, with a single changed byte corrected. Others are written as they
 * are: their rows then fail their own checksums. SQLite would ignore everything after the first damaged one. Only for copies.
 * @param past whether to go on after the first damaged page
 * @returns the number of pages that SQLite ignores
 */
export function foldLog(database: string, path: string, usualPageSize: number, past = true): number {
  return (
    withFile(path, "r", (file) => {
      const log = readLog(file, usualPageSize);
      const { pageSize, littleEndian, frames } = log;
      const { readable } = stateOf(log);
      const lastCommit = (until: number) => frames.slice(0, until).findLastIndex(({ commits }) => commits) + 1;
      const all = lastCommit(belonging(log));
      const end = past ? all : lastCommit(readable);
      const target = openSync(database, "r+");
      try {
        const pages = Math.ceil(fstatSync(target).size / pageSize) + end;
        let size: number | undefined;
        const bytes = Buffer.alloc(frameHeaderLength + pageSize);
        for (let index = 0; index < end; index++) {
          readSync(file, bytes, 0, bytes.length, headerLength + index * bytes.length);
          const frame = frames[index]!;
          if (!same(frame.own, frame.stored)) mendFrame(bytes, littleEndian, frame, () => pageOf(target, bytes.readUInt32BE(0), pageSize));
          const page = bytes.readUInt32BE(0);
          if (page === 0 || page > pages) continue;
          writeSync(target, bytes, frameHeaderLength, pageSize, (page - 1) * pageSize);
          const committed = bytes.readUInt32BE(4);
          if (committed > 0 && committed <= pages) size = committed;
        }
        if (size !== undefined) ftruncateSync(target, size * pageSize);
      } finally {
        closeSync(target);
      }
      return Math.max(0, all - readable);
    }) ?? 0
  );
}

function withFile<T>(path: string, flags: string, work: (file: number) => T): T | undefined {
  let file: number;
  try {
    file = openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return fstatSync(file).size === 0 ? undefined : work(file);
  } finally {
    closeSync(file);
  }
}
