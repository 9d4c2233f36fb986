/** The seeded generator everything random of a run comes from (xoroshiro128+, pure-rand). */
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";

/** What the numbers are for; each purpose has a stream of its own, so that one cannot shift another. */
export type Purpose = "initialization" | "shuffling" | "generation" | "augmentation" | "dropout";

/** How many jumps of 2^64 numbers each stream lies behind the seed. */
const jumps: Record<Purpose, number> = { initialization: 0, shuffling: 1, generation: 2, augmentation: 3, dropout: 4 };

export class Random {
  #generator: JumpableRandomGenerator;

  constructor(seed: number, purpose: Purpose);
  /** Goes on where the generator of `state` stood. */
  constructor(state: readonly number[]);
  constructor(from: number | readonly number[], purpose?: Purpose) {
    if (typeof from !== "number") {
      this.#generator = xoroshiro128plusFromState(from);
      return;
    }
    this.#generator = xoroshiro128plus(from);
    for (let i = 0; i < jumps[purpose!]; i++) this.#generator.jump();
  }

  /** Where the generator stands. */
  get state(): readonly number[] {
    return this.#generator.getState();
  }

  /** Goes on where the generator of `state` stood. */
  goOnFrom(state: readonly number[]): void {
    this.#generator = xoroshiro128plusFromState(state);
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** Uniform whole number from 0 to n - 1. */
  below(n: number): number {
    return uniformInt(this.#generator, 0, n - 1);
  }

  /** Writes 1 with a probability, else 0, into every place. A byte decides, and where it may go either way another draw. */
  coins(probability: number, into: Uint8Array): void {
    const bound = Math.floor(probability * 256);
    const rest = (probability * 256 - bound) * 2 ** 32;
    let draw = 0;
    for (let i = 0; i < into.length; i++) {
      if ((i & 3) === 0) draw = this.#generator.next();
      const byte = draw & 255;
      draw >>>= 8;
      into[i] = Number(byte === bound ? this.#generator.next() >>> 0 < rest : byte < bound);
    }
  }

  /** A uniformly random order of 0 .. n - 1 (Fisher-Yates). */
  permutation(n: number): Uint32Array {
    // Plain loops: an epoch of MNIST begins with it, and from() with destructuring takes four times as long.
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const value = order[i]!;
      order[i] = order[j]!;
      order[j] = value;
    }
    return order;
  }
}
