/** Decides when a checkpoint is due and what it holds; a sink stores it. */
import { encodeCheckpoint, type Checkpoint } from "./file.ts";

/** What the run loop captures between two steps. */
export type Captured = Pick<Checkpoint, "position" | "state" | "guard">;

export interface SaverOptions {
  /** Fields that all checkpoints of the run share. */
  readonly of: Omit<Checkpoint, "savedAt" | keyof Captured>;
  /** Milliseconds between two checkpoints. */
  readonly every: number;
  /** Called before the sink, to flush the log. */
  readonly before: () => void;
  /**
   * Resolves when the checkpoint is stored. A rejection has already been reported by the sink's
   * owner.
   */
  readonly sink: (step: number, bytes: Uint8Array) => Promise<void>;
}

/** The run loop's view of a saver. */
export interface Saver {
  /** Whether it is time for the next checkpoint. */
  readonly due: boolean;
  /** Resolves when the checkpoint is stored or has failed. */
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

  /** False while a checkpoint is being written. */
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
    // Nothing has changed since the latest checkpoint.
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
      await this.#options.sink(step, bytes);
      this.#lastStep = step;
    } catch {
      // The next checkpoint follows in due time.
    }
  }
}
