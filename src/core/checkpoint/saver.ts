/** The trainer's side of checkpoints: when one is due, and how it gets onto the disk whole. */
import { writeDurably } from "./container.ts";
import { encodeCheckpoint, type Checkpoint } from "./file.ts";

/** What the run loop holds between two steps. */
export type Captured = Pick<Checkpoint, "position" | "state" | "guard">;

export interface SaverOptions {
  /** What all checkpoints of the run have in common. */
  readonly of: Omit<Checkpoint, "savedAt" | keyof Captured>;
  /** Milliseconds between two checkpoints. */
  readonly every: number;
  readonly fileAt: (step: number) => string;
  /** Before anything is written: what was logged so far is to be on its way. */
  readonly before: () => void;
  /** The checkpoint of a step is on the disk. */
  readonly saved: (step: number) => void;
  readonly failed: (step: number, error: Error) => void;
}

/** What the run loop sees of it. */
export interface Saver {
  /** Time for the next one. */
  readonly due: boolean;
  /** Resolves when it is on the disk, or has failed. */
  save(captured: Captured): Promise<void>;
}

export class CheckpointSaver implements Saver {
  readonly #options: SaverOptions;
  #next: number;
  #lastStep = -1;
  #saving: Promise<void> | undefined;

  constructor(options: SaverOptions) {
    this.#options = options;
    this.#next = performance.now() + options.every;
  }

  /** One that is still being written is waited for, not doubled. */
  get due(): boolean {
    return this.#saving === undefined && performance.now() >= this.#next;
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#saving;
  }

  async save(captured: Captured): Promise<void> {
    if (this.#saving) await this.#saving;
    const { step } = captured.position;
    // Nothing has happened since the last one.
    if (step === this.#lastStep) return;
    this.#options.before();
    const bytes = encodeCheckpoint({ ...this.#options.of, ...captured, savedAt: Date.now() });
    this.#saving = this.#write(step, bytes).finally(() => {
      this.#saving = undefined;
      this.#next = performance.now() + this.#options.every;
    });
    return this.#saving;
  }

  async #write(step: number, bytes: Buffer): Promise<void> {
    try {
      await writeDurably(this.#options.fileAt(step), bytes);
      this.#lastStep = step;
      this.#options.saved(step);
    } catch (error) {
      this.#options.failed(step, error as Error);
    }
  }
}
