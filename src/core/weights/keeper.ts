/** Hands the weights of every evaluation to a sink while training goes on. */
import type { Evaluation } from "../../shared/run.ts";
import { encodeWeights, type NamedArray, type Weights } from "./file.ts";

export interface KeeperOptions {
  /** What all weights of the run have in common. */
  readonly of: Pick<Weights, "run" | "experiment">;
  /** Resolves when the weights are stored. Where it rejects, the owner of the sink has said why. */
  readonly sink: (step: number, bytes: Uint8Array) => Promise<void>;
}

export class WeightsKeeper {
  readonly #options: KeeperOptions;
  #last: Promise<void> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Takes what was evaluated; a copy, which is stored in its turn. */
  keep(evaluation: Evaluation, arrays: readonly NamedArray[]): void {
    const bytes = encodeWeights({ ...this.#options.of, savedAt: Date.now(), evaluation, arrays });
    this.#last = this.#last.then(() => this.#options.sink(evaluation.step, bytes)).catch(() => undefined);
  }

  /** Resolves when nothing is being stored. */
  settled(): Promise<void> {
    return this.#last;
  }
}
