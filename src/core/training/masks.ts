/** Dropout masks of every step. */
import type { Mask } from "../models/model.ts";
import { Random } from "../models/random.ts";
import { sizeOf } from "../program/node.ts";
import type { GeneratorVersion } from "../../shared/random.ts";

/**
 * Masks depend only on the seed and the step number, so they are the same after a resume and in a
 * cohort. The next step with the same batch size overwrites the arrays.
 */
export class StepMasks {
  readonly #masks: readonly Mask[];
  readonly #random: (step: number) => Random;
  readonly #arrays = new Map<number, Readonly<Record<string, Uint8Array>>>();

  constructor(masks: readonly Mask[], seed: number, version: GeneratorVersion) {
    this.#masks = masks;
    // Version 1 adds the step to a key, so runs with close keys share masks.
    const key = version === 1 ? new Random(seed, "dropout", 1).below(2 ** 31) : seed;
    this.#random = (step) => new Random(key, "dropout", version, step);
  }

  /** Mask inputs of a step with `batch` examples. */
  at(step: number, batch: number): Readonly<Record<string, Uint8Array>> {
    let arrays = this.#arrays.get(batch);
    if (!arrays) {
      arrays = Object.fromEntries(this.#masks.map(({ name, shape }) => [name, new Uint8Array(batch * sizeOf(shape))]));
      this.#arrays.set(batch, arrays);
    }
    if (this.#masks.length === 0) return arrays;
    const random = this.#random(step);
    for (const { name, p } of this.#masks) random.coins(1 - p, arrays[name]!);
    return arrays;
  }
}
