/**
 * Watches the name of the open store file: SQLite goes on writing to a file that was removed or replaced, and all of
 * it is lost when the process ends. Looks by name only: closing another descriptor of the file would release SQLite's locks.
 */
import { statSync, type BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";

export type FileState = "here" | "missing" | "replaced";

interface Identity {
  readonly dev: bigint;
  readonly ino: bigint;
}

export interface FileWatchOptions {
  readonly path: string;
  /** Milliseconds between looks. */
  readonly every?: number;
  /** Called when two looks in a row found another state than before. */
  readonly onChange: (state: FileState) => void;
  /** Reads a file's facts; for tests. */
  readonly look?: (path: string) => Promise<Identity>;
}

export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #identity: Identity | undefined;
  readonly #timer: NodeJS.Timeout;
  #state: FileState = "here";
  /** State of the last look. */
  #seen: FileState = "here";
  #looking = false;

  /** Call while the file is known to be the open one. */
  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#identity = statSync(options.path, { bigint: true, throwIfNoEntry: false });
    this.#timer = setInterval(() => void this.look(), options.every ?? 1_000);
    this.#timer.unref();
  }

  get state(): FileState {
    return this.#state;
  }

  /** Looks once. A changed state is reported by the second look that finds it. */
  async look(): Promise<void> {
    // A network file system may not answer for long.
    if (this.#looking) return;
    this.#looking = true;
    try {
      const read = this.#options.look ?? ((path: string): Promise<BigIntStats> => stat(path, { bigint: true }));
      this.#found(await read(this.#options.path).then((found) => this.#compare(found), stateOfFailure));
    } finally {
      this.#looking = false;
    }
  }

  /** Looks twice, now. */
  lookNow(): FileState {
    for (let looks = 0; looks < 2; looks++) {
      let found: FileState | undefined;
      try {
        found = this.#compare(statSync(this.#options.path, { bigint: true }));
      } catch (error) {
        found = stateOfFailure(error);
      }
      this.#found(found);
    }
    return this.#state;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #found(found: FileState | undefined): void {
    if (found === undefined) return;
    const confirmed = found === this.#seen && found !== this.#state;
    this.#seen = found;
    if (!confirmed) return;
    this.#state = found;
    this.#options.onChange(found);
  }

  /** Some file systems have no inode numbers (0). */
  #compare({ dev, ino }: Identity): FileState {
    const known = this.#identity;
    if (!known || known.ino === 0n || ino === 0n) return "here";
    return known.ino === ino && known.dev === dev ? "here" : "replaced";
  }
}

/** Undefined: unknown, as with a network file system that does not answer. */
function stateOfFailure(error: unknown): FileState | undefined {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR" ? "missing" : undefined;
}
