/** When a checkpoint is due, and what is saved; a sink stores it. */
import { encodeCheckpoint, type Checkpoint } from "./file.ts";

/** What the run loop holds between two steps. */
export type Captured = Pick<Checkpoint, "position" | "state" | "guard">;

export interface SaverOptions {
  /** What all checkpoints of the run have in common. */
  readonly of: Omit<Checkpoint, "savedAt" | keyof Captured>;
  /** Milliseconds between two checkpoints. */
  readonly every: number;
  /** Called before the sink: what was logged so far is to be on its way. */
  readonly before: () => void;
  /** Resolves when the checkpoint is stored. Where it rejects, the owner of the sink has said why. */
  readonly sink: (step: number, bytes: Uint8Array) => Promise<void>;
}

/** What the run loop sees of it. */
export interface Saver {
  /** Time for the next one. */
  readonly due: boolean;
  /** Resolves when it is stored, or has failed. */
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
      await this.#options.sink(step, bytes);
      this.#lastStep = step;
    } catch {
      // The next one is taken in its turn.
    }
  }
}
