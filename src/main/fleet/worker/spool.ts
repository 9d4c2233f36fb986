/**
 * What an attempt trained and has not handed in: numbered segments and the newest checkpoint of each run, on the worker's
 * own disk. They are handed in one after another, and again until the shared place takes them.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../../shared/errors.ts";
import type { SegmentRef } from "../fleet.ts";
import { encodeSegment, type SegmentEntry } from "../segment.ts";
import { untilDone } from "./backoff.ts";
import type { Claim } from "./source.ts";

export interface SpoolOptions {
  readonly claim: Pick<Claim, "putSegment" | "putCheckpoint">;
  readonly attempt: Pick<SegmentRef, "unit" | "attempt">;
  /** Folder on the worker's own disk, for this attempt alone. */
  readonly folder: string;
  /** A segment is closed after so many milliseconds or bytes. */
  readonly closeAfter?: number;
  readonly closeBytes?: number;
  /** Bytes that may wait to be handed in before training waits. */
  readonly maxBytes?: number;
  /** Bytes of it that may be in memory, where the own disk cannot be written. */
  readonly maxMemory?: number;
  /** Milliseconds before the first retry. */
  readonly retryAfter?: number;
  /** The first failure in a row, then null once handing in works again. */
  readonly onProblem?: (problem: string | null) => void;
  /** Less waits than before: training may go on. */
  readonly onRoom?: () => void;
}

interface ClosedSegment {
  readonly sequence: number;
  readonly size: number;
  readonly endedRuns: readonly string[];
  /** Null once they are on disk. */
  bytes: Uint8Array | null;
}

interface WaitingCheckpoint {
  readonly step: number;
  /** Segments up to this one are handed in before it. */
  readonly sequence: number;
}

/** Entries of a segment at most. */
const maxEntries = 5_000;

export class Spool {
  readonly #options: Required<Omit<SpoolOptions, "onProblem" | "onRoom" | "retryAfter">> & SpoolOptions;
  readonly #abort = new AbortController();
  #entries: SegmentEntry[] = [];
  #open = 0;
  #endedRuns: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Sequence number of the next segment to close. */
  #next = 0;
  #handedIn = 0;
  readonly #closed: ClosedSegment[] = [];
  readonly #checkpoints = new Map<string, WaitingCheckpoint>();
  /** Checkpoints of each run are written one after another. */
  readonly #writing = new Map<string, Promise<void>>();
  #onDisk = 0;
  #inMemory = 0;
  #wake: () => void = () => undefined;
  readonly #running: Promise<void>;
  #draining = false;

  constructor(options: SpoolOptions) {
    this.#options = { closeAfter: 2_000, closeBytes: 1 << 20, maxBytes: 1 << 30, maxMemory: 64 << 20, ...options };
    this.#running = this.#handIn();
    // drained() reports it.
    this.#running.catch(() => undefined);
  }

  /** Rejects when handing in has failed for good. */
  get failed(): Promise<void> {
    return this.#running;
  }

  /** Whether training must wait until more is handed in. */
  get full(): boolean {
    return this.#onDisk + this.#inMemory > this.#options.maxBytes || this.#inMemory > this.#options.maxMemory;
  }

  /** Adds an entry to the open segment. @param ended the run whose last entry it is */
  add(entry: SegmentEntry, ended?: string): void {
    const size = entry.type === "run" && entry.message.type === "rows" ? entry.message.rows.values.byteLength + 200 : 500;
    if (this.#open > 0 && this.#open + size > 8 * this.#options.closeBytes) this.close();
    this.#entries.push(entry);
    this.#open += size;
    this.#inMemory += size;
    if (ended !== undefined) this.#endedRuns.push(ended);
    if (this.#open >= this.#options.closeBytes || this.#entries.length >= maxEntries) this.close();
    else this.#timer ??= setTimeout(() => this.close(), this.#options.closeAfter);
  }

  /** Closes the open segment, so that it is handed in at once. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#entries.length === 0 || this.#abort.signal.aborted) return;
    const sequence = this.#next++;
    const bytes = encodeSegment({ ...this.#options.attempt, sequence, entries: this.#entries });
    const segment: ClosedSegment = { sequence, size: bytes.length, endedRuns: this.#endedRuns, bytes };
    this.#inMemory += bytes.length - this.#open;
    this.#entries = [];
    this.#endedRuns = [];
    this.#open = 0;
    this.#closed.push(segment);
    this.#wake();
  }

  /** Keeps the newest checkpoint of a run. Resolves when it is on the own disk. @throws where it cannot be written there */
  async checkpoint(run: string, step: number, bytes: Uint8Array): Promise<void> {
    this.close();
    const sequence = this.#next - 1;
    const write = (this.#writing.get(run) ?? Promise.resolve()).catch(() => undefined).then(async () => {
      const path = this.#checkpointPath(run);
      await writeFile(`${path}.new`, bytes);
      await rename(`${path}.new`, path);
      this.#checkpoints.set(run, { step, sequence });
    });
    this.#writing.set(run, write);
    await write;
    this.#wake();
  }

  /** A run has ended: its checkpoint is of no use. */
  dropCheckpoint(run: string): void {
    this.#checkpoints.delete(run);
  }

  /** Hands in everything. @throws FleetError where that has failed for good */
  async drained(): Promise<void> {
    this.close();
    this.#draining = true;
    this.#wake();
    await this.#running;
  }

  /** Hands in nothing more. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#abort.abort(new Error("the attempt was given up"));
    this.#wake();
  }

  async remove(): Promise<void> {
    await rm(this.#options.folder, { recursive: true, force: true }).catch(() => undefined);
  }

  async #handIn(): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
    const { signal } = this.#abort;
    while (!signal.aborted) {
      await this.#store();
      const [segment] = this.#closed;
      if (segment) await this.#handInSegment(segment);
      else if (!(await this.#handInCheckpoint())) {
        if (this.#draining) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          // An entry may have been added meanwhile.
          if (signal.aborted || this.#closed.length > 0 || this.#draining || this.#nextCheckpoint()) resolve();
        });
      }
    }
  }

  /** Moves closed segments from memory to the own disk. They stay in memory where it cannot be written. */
  async #store(): Promise<void> {
    for (const segment of this.#closed) {
      if (segment.bytes === null) continue;
      try {
        await writeFile(this.#segmentPath(segment.sequence), segment.bytes);
      } catch (error) {
        this.#options.onProblem?.(`the folder ${this.#options.folder} of this machine cannot be written: ${messageOf(error)}`);
        return;
      }
      segment.bytes = null;
      this.#inMemory -= segment.size;
      this.#onDisk += segment.size;
    }
  }

  async #handInSegment(segment: ClosedSegment): Promise<void> {
    const { claim } = this.#options;
    const bytes = segment.bytes ?? (await readFile(this.#segmentPath(segment.sequence)));
    const isIn = await this.#retried(async () => {
      // Segments that are closed meanwhile do not stay in memory.
      await this.#store();
      await claim.putSegment(segment.sequence, bytes, segment.endedRuns);
    });
    if (!isIn) return;
    this.#closed.shift();
    this.#handedIn = segment.sequence + 1;
    if (segment.bytes === null) {
      this.#onDisk -= segment.size;
      await rm(this.#segmentPath(segment.sequence), { force: true }).catch(() => undefined);
    } else this.#inMemory -= segment.size;
    if (!this.full) this.#options.onRoom?.();
  }

  #nextCheckpoint(): readonly [string, WaitingCheckpoint] | undefined {
    return [...this.#checkpoints].find(([, { sequence }]) => sequence < this.#handedIn);
  }

  /** @returns whether one was there */
  async #handInCheckpoint(): Promise<boolean> {
    const found = this.#nextCheckpoint();
    if (!found) return false;
    const [run, checkpoint] = found;
    await this.#retried(async () => {
      await this.#store();
      // A newer one has taken its place, or its run has ended.
      if (this.#checkpoints.get(run) !== checkpoint) return;
      const bytes = await readFile(this.#checkpointPath(run));
      if (this.#checkpoints.get(run) !== checkpoint) return;
      await this.#options.claim.putCheckpoint({ run, step: checkpoint.step, bytes }, checkpoint.sequence);
    });
    if (this.#checkpoints.get(run) === checkpoint) this.#checkpoints.delete(run);
    return true;
  }

  /** @returns false where the spool was abandoned before */
  async #retried(work: () => Promise<void>): Promise<boolean> {
    const { retryAfter, onProblem } = this.#options;
    const { signal } = this.#abort;
    try {
      await untilDone(work, { ...(retryAfter !== undefined && { first: retryAfter }), signal, onProblem });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  #segmentPath(sequence: number): string {
    return join(this.#options.folder, `${sequence}.segment`);
  }

  #checkpointPath(run: string): string {
    return join(this.#options.folder, `${run}.checkpoint`);
  }
}
