/** The trainer's side of kept weights: those of every evaluation go onto the disk while training goes on. */
import type { Evaluation } from "../../shared/run.ts";
import { writeDurably } from "../checkpoint/container.ts";
import { encodeWeights, type NamedArray, type Weights } from "./file.ts";

export interface KeeperOptions {
  /** What all weights of the run have in common. */
  readonly of: Pick<Weights, "run" | "experiment">;
  readonly fileAt: (step: number) => string;
  /** The weights of an evaluation are on the disk. */
  readonly kept: (step: number) => void;
  readonly failed: (step: number, error: Error) => void;
}

export class WeightsKeeper {
  readonly #options: KeeperOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Takes what was evaluated; a copy, which is written in its turn. */
  keep(evaluation: Evaluation, arrays: readonly NamedArray[]): void {
    const bytes = encodeWeights({ ...this.#options.of, savedAt: Date.now(), evaluation, arrays });
    this.#last = this.#last.then(() => this.#write(evaluation.step, bytes));
  }

  /** Resolves when nothing is being written. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #write(step: number, bytes: Buffer): Promise<void> {
    try {
      await writeDurably(this.#options.fileAt(step), bytes);
      this.#options.kept(step);
    } catch (error) {
      this.#options.failed(step, error as Error);
    }
  }
}
