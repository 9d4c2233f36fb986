/** Warns before the disk of a store is full. */
import { dirname } from "node:path";
import { formatBytes, formatSeconds } from "../../shared/format.ts";
import { diskSpace, reserveOf, type DiskSpace } from "./disk.ts";

interface Sample {
  readonly at: number;
  readonly free: number;
}

/** Milliseconds over which the decline of free space is measured, and the shortest time that says anything. */
const window = 60 * 60_000;
const shortest = 5 * 60_000;

/** Milliseconds left at which the user is warned. */
const soon = 12 * 3_600_000;

/** Message to the user about the disk; null while there is enough space. @param samples earlier free space, oldest first */
export function spaceWarning(folder: string, { free, total }: DiskSpace, samples: readonly Sample[], now: number): string | null {
  const first = samples.find(({ at }) => now - at <= window);
  const elapsed = first ? now - first.at : 0;
  const shrink = first && elapsed >= shortest ? (first.free - free) / elapsed : 0;
  const left = shrink > 0 ? free / shrink : Infinity;
  const isLow = free < reserveOf(total);
  // Free space fluctuates; a large disk with a short burst of writing is no reason to warn.
  if (!isLow && (left > soon || free > total * 0.3)) return null;
  const pace = left < 365 * 24 * 3_600_000 ? `; at the pace of the last ${formatSeconds(elapsed / 1_000)} it is full in ${formatSeconds(left / 1_000)}` : "";
  return `Only ${formatBytes(free)} of ${formatBytes(total)} are free on the disk of ${folder}${pace}. Runs pause when it is full. The Storage page and "hypertower storage" show what takes the space.`;
}

export class DiskWatch {
  readonly #folder: string;
  readonly #onChange: (warning: string | null) => void;
  readonly #space: (folder: string) => DiskSpace;
  readonly #timer: NodeJS.Timeout;
  #samples: Sample[] = [];
  #warning: string | null = null;

  /** @param onChange called when a warning begins, changes its numbers or ends */
  constructor(storeFile: string, onChange: (warning: string | null) => void, space: (folder: string) => DiskSpace = diskSpace, every = 60_000) {
    this.#folder = dirname(storeFile);
    this.#onChange = onChange;
    this.#space = space;
    this.#timer = setInterval(() => this.poll(), every);
    this.#timer.unref();
  }

  get warning(): string | null {
    return this.#warning;
  }

  poll(now = Date.now()): void {
    let space: DiskSpace;
    try {
      space = this.#space(this.#folder);
    } catch {
      // The store itself reports a folder that is gone.
      return;
    }
    const warning = spaceWarning(this.#folder, space, this.#samples, now);
    this.#samples = [...this.#samples.filter(({ at }) => now - at <= window), { at: now, free: space.free }];
    if (warning === this.#warning) return;
    this.#warning = warning;
    this.#onChange(warning);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
