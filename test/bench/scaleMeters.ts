/** Meters of the benchmark of large stores: time, memory, files, commits and checkpoints. */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../../src/main/store/log.ts";

export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
export const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;

/** Resident bytes of a process; 0 where /proc does not say. */
export function residentBytes(pid: number | undefined): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Milliseconds of processor time of this process. */
export function processorTime(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e3;
}

/** Largest and median of times, and their number. */
export function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  if (sorted.length === 0) return "none";
  return `${sorted.length}, median ${ms(sorted[sorted.length >> 1]!)}, longest ${ms(sorted.at(-1)!)}`;
}

/** Times every commit of a store; tells those that wrote the log back into the database. */
export class CommitMeter {
  readonly #path: string;
  #index: number | undefined;
  #writtenBack = 0;
  commits: number[] = [];
  checkpoints: number[] = [];
  /** Largest log since the last `clear()`. */
  log = 0;

  /** @param path of the store's file */
  constructor(path: string) {
    this.#path = path;
  }

  /** To be given to the store, with `slowAfter: -1`. */
  readonly logTo: Log = {
    warn: (message) => {
      const took = /^store: commit took (\d+) ms$/.exec(message)?.[1];
      if (took !== undefined) this.#committed(Number(took));
      else if (!/^store: .* took \d+ ms$/.test(message)) console.log(message);
    },
    error: (message, error) => console.error(message, error),
  };

  clear(): void {
    [this.commits, this.checkpoints, this.log] = [[], [], 0];
  }

  #committed(took: number): void {
    this.commits.push(took);
    this.log = Math.max(this.log, sizeOf(`${this.#path}-wal`));
    const writtenBack = this.#framesWrittenBack();
    if (writtenBack !== this.#writtenBack) this.checkpoints.push(took);
    this.#writtenBack = writtenBack;
  }

  /** nBackfill of SQLite's index of the log. The file stays open: closing it would release SQLite's locks on it. */
  #framesWrittenBack(): number {
    try {
      this.#index ??= openSync(`${this.#path}-shm`, "r");
    } catch {
      return 0;
    }
    const bytes = Buffer.alloc(4);
    readSync(this.#index, bytes, 0, 4, 96);
    return bytes.readUInt32LE(0);
  }

  /** Call after the store is closed. */
  close(): void {
    if (this.#index !== undefined) closeSync(this.#index);
  }
}

/** Runs `work`; prints its time, processor time, longest block of the event loop and memory. */
export async function timed<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const blocks = monitorEventLoopDelay({ resolution: 1 });
  blocks.enable();
  await delay(5);
  blocks.reset();
  const [begin, processor] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const [wall, spent] = [performance.now() - begin, processorTime(processor)];
  await delay(5);
  blocks.disable();
  console.log(`${what.padEnd(58)} ${ms(wall).padStart(10)}, processor ${ms(spent).padStart(9)}, block ${ms(blocks.max / 1e6).padStart(9)}, memory ${mb(process.memoryUsage().rss)}`);
  return result;
}
