/** What dropout leaves out, step by step. */
import type { Mask } from "../models/model.ts";
import { Random } from "../models/random.ts";
import { sizeOf } from "../program/node.ts";

/**
 * Masks are drawn from the seed and the step's number alone: the same whichever step came before,
 * after a resume and in a cohort. Their arrays are written over by the next step of that size.
 */
export class StepMasks {
  readonly #masks: readonly Mask[];
  readonly #key: number;
  readonly #arrays = new Map<number, Readonly<Record<string, Uint8Array>>>();

  constructor(masks: readonly Mask[], seed: number) {
    this.#masks = masks;
    this.#key = new Random(seed, "dropout").below(2 ** 31);
  }

  /** Inputs of a step on a batch of `batch` examples. */
  at(step: number, batch: number): Readonly<Record<string, Uint8Array>> {
    let arrays = this.#arrays.get(batch);
    if (!arrays) {
      arrays = Object.fromEntries(this.#masks.map(({ name, shape }) => [name, new Uint8Array(batch * sizeOf(shape))]));
      this.#arrays.set(batch, arrays);
    }
    if (this.#masks.length === 0) return arrays;
    const random = new Random((this.#key + step) >>> 0, "dropout");
    for (const { name, p } of this.#masks) random.coins(1 - p, arrays[name]!);
    return arrays;
  }
}
