/** Sends the weights of evaluations to a sink while training continues. */
import type { Experiment } from "../../shared/experiment.ts";
import { isBetter } from "../../shared/kept.ts";
import type { Evaluation } from "../../shared/run.ts";
import { encodeWeights, type NamedArray, type Weights } from "./file.ts";

export interface KeeperOptions {
  /** Fields that all weights of the run share. */
  readonly of: Pick<Weights, "run" | "experiment">;
  /** What ranks its evaluations. */
  readonly experiment: Pick<Experiment, "dataset">;
  /**
   * Resolves when the weights are stored. A rejection has already been reported by the sink's
   * owner.
   */
  readonly sink: (step: number, bytes: Uint8Array) => Promise<void>;
}

interface Waiting {
  readonly evaluation: Evaluation;
  readonly bytes: Uint8Array;
}

export class WeightsKeeper {
  readonly #options: KeeperOptions;
  /** Of the evaluations that wait, the best and the latest: the others would be replaced by them. */
  #waiting: Waiting[] = [];
  #sending: Promise<void> | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Copies the evaluated weights and queues them for storage. */
  keep(evaluation: Evaluation, arrays: readonly NamedArray[]): void {
    const bytes = encodeWeights({ ...this.#options.of, savedAt: Date.now(), evaluation, arrays });
    const [best] = this.#waiting;
    const replaced = !best || isBetter(evaluation, best.evaluation, this.#options.experiment);
    this.#waiting = replaced ? [{ evaluation, bytes }] : [best, { evaluation, bytes }];
    this.#sending ??= this.#send();
  }

  /** Resolves when nothing is being stored. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      // The next evaluation follows in due time.
      await this.#options.sink(next.evaluation.step, next.bytes).catch(() => undefined);
    }
    this.#sending = undefined;
  }
}
