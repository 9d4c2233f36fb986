/** Sends the weights of every evaluation to a sink while training continues. */
import type { Evaluation } from "../../shared/run.ts";
import { encodeWeights, type NamedArray, type Weights } from "./file.ts";

export interface KeeperOptions {
  /** Fields that all weights of the run share. */
  readonly of: Pick<Weights, "run" | "experiment">;
  /**
   * Resolves when the weights are stored. A rejection has already been reported by the sink's
   * owner.
   */
  readonly sink: (step: number, bytes: Uint8Array) => Promise<void>;
}

export class WeightsKeeper {
  readonly #options: KeeperOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Copies the evaluated weights and queues them for storage. */
  keep(evaluation: Evaluation, arrays: readonly NamedArray[]): void {
    const bytes = encodeWeights({ ...this.#options.of, savedAt: Date.now(), evaluation, arrays });
    this.#last = this.#last.then(() => this.#options.sink(evaluation.step, bytes)).catch(() => undefined);
  }

  /** Resolves when nothing is being stored. */
  settled(): Promise<void> {
    return this.#last;
  }
}
