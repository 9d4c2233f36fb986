/** Appends lines to a file that is rotated by size. Several processes may share it: each line is one write at the file's end. */
import { closeSync, fstatSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

export const logFileName = "hypertower.jsonl";

export interface LogLimits {
  /** Size of a file after which the next one is begun. */
  readonly bytes: number;
  /** Number of files, the current one included. */
  readonly files: number;
}

export const logLimits: LogLimits = { bytes: 1024 * 1024, files: 5 };

/** Milliseconds after which a rotation has been given up: its process has died. */
const rotationLimit = 10_000;

/** Names of the files, newest first. */
export const logFileNames = ({ files }: LogLimits = logLimits): string[] => Array.from({ length: files }, (_, index) => nameOf(index));

const nameOf = (index: number) => (index === 0 ? logFileName : `hypertower.${index}.jsonl`);

export class LogFile {
  readonly #folder: string;
  readonly #limits: LogLimits;

  constructor(folder: string, limits: LogLimits = logLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  /** Appends one line. @throws a file system error */
  append(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    // Not recursive: the folder of a store that is gone must not come back empty.
    if (!statSync(this.#folder, { throwIfNoEntry: false })) mkdirSync(this.#folder, { mode: 0o700 });
    if (this.#size() + bytes > this.#limits.bytes) this.#rotate(bytes);
    const file = openSync(join(this.#folder, logFileName), "a+", 0o600);
    try {
      writeSync(file, `${endsWithinLine(file) ? "\n" : ""}${line}\n`);
    } finally {
      closeSync(file);
    }
  }

  #size(): number {
    return statSync(join(this.#folder, logFileName), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** One process rotates; the others append to the file that there is. */
  #rotate(bytes: number): void {
    const lock = join(this.#folder, "rotating");
    if (!take(lock)) return;
    try {
      if (this.#size() + bytes <= this.#limits.bytes || this.#size() === 0) return;
      for (let index = this.#limits.files - 1; index > 0; index--) {
        const [from, to] = [join(this.#folder, nameOf(index - 1)), join(this.#folder, nameOf(index))];
        if (statSync(from, { throwIfNoEntry: false })) renameSync(from, to);
      }
    } finally {
      rmSync(lock, { force: true });
    }
  }
}

/** A write that a full disk cut short must not spoil the next line. */
function endsWithinLine(file: number): boolean {
  const { size } = fstatSync(file);
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  return readSync(file, last, 0, 1, size - 1) === 1 && last[0] !== 10;
}

function take(lock: string): boolean {
  try {
    closeSync(openSync(lock, "wx", 0o600));
    return true;
  } catch {
    const begun = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    // abs: a clock that was set back must not stop rotation.
    if (Math.abs(Date.now() - begun) > rotationLimit) rmSync(lock, { force: true });
    return false;
  }
}
