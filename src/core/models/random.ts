/** A run's random numbers: uniform values, coin flips and permutations from a seeded generator. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";
import { seededGenerator, shuffled, type GeneratorVersion, type Purpose } from "../../shared/random.ts";

export class Random {
  #generator: JumpableRandomGenerator;

  /** @param index a substream of the same seed and purpose, such as a step number */
  constructor(seed: number, purpose: Purpose, version: GeneratorVersion, index?: number);
  /** Continues from a saved state. */
  constructor(state: readonly number[]);
  constructor(from: number | readonly number[], purpose?: Purpose, version?: GeneratorVersion, index = 0) {
    this.#generator = typeof from === "number" ? seededGenerator(from, purpose!, version!, index) : xoroshiro128plusFromState(from);
  }

  /** The generator's current state. */
  get state(): readonly number[] {
    return this.#generator.getState();
  }

  /** Continues from a saved state. */
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

  /** Fills with 1 at the given probability, else 0. One byte decides; a tie takes another draw. */
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

  /** A uniformly random order of 0 .. n - 1. */
  permutation(n: number): Uint32Array {
    return shuffled(n, this.#generator);
  }
}
