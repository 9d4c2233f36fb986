/**
 * Seeded random numbers: derives the state of xoroshiro128+ (Blackman and Vigna 2018) from a seed.
 */
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";

/**
 * How seeds become states. A run records the version, so it stays reproducible.
 * 1: the seed is the state, and purposes are jumps apart. First numbers hardly depend on the seed,
 * and
 *    neighboring seeds shuffle alike. Runs without a recorded version use it.
 * 2: SplitMix64 mixes seed and purpose (Steele, Lea and Flood 2014).
 */
export const generatorVersions = [1, 2] as const;
export type GeneratorVersion = (typeof generatorVersions)[number];
/** The version of new runs. */
export const latestGenerator: GeneratorVersion = 2;

/** Purpose of the numbers. Each has its own stream, so that none can shift another. */
export type Purpose = "initialization" | "shuffling" | "generation" | "augmentation" | "dropout" | "division" | "validation" | "bootstrap" | "samples" | "blocks";

/** Part of version 2's format: never change a number. */
const purposeNumbers: Record<Purpose, number> = { initialization: 1, shuffling: 2, generation: 3, augmentation: 4, dropout: 5, division: 6, validation: 7, bootstrap: 8, samples: 9, blocks: 10 };

/** Jumps of 2^64 numbers in version 1; a purpose without an entry used the seed's own stream. */
const jumps: Partial<Record<Purpose, number>> = { shuffling: 1, generation: 2, augmentation: 3, dropout: 4 };

const goldenRatio = 0x9e3779b97f4a7c15n;
const wrap = (value: bigint) => BigInt.asUintN(64, value);

/** The output function of SplitMix64: a bijection of 64 bits. */
function mix(value: bigint): bigint {
  let z = wrap(value);
  z = wrap((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = wrap((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

/** High and low half of 64 bits. */
const halves = (value: bigint) => [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))];

/**
 * A generator for a seed and a purpose.
 * @param seed a whole number from 0 to 2^32 - 1
 * @param index a substream of the same seed and purpose, such as a step number
 */
export function seededGenerator(seed: number, purpose: Purpose, version: GeneratorVersion, index = 0): JumpableRandomGenerator {
  if (version === 1) {
    const generator = xoroshiro128plus((seed + index) >>> 0);
    for (let i = 0; i < (jumps[purpose] ?? 0); i++) generator.jump();
    return generator;
  }
  const key = mix((BigInt(purposeNumbers[purpose]) << 32n) + BigInt(seed) + goldenRatio) + BigInt(index);
  return xoroshiro128plusFromState([...halves(mix(key + goldenRatio)), ...halves(mix(key + 2n * goldenRatio))]);
}

/** A uniformly random order of 0 .. count - 1 (Fisher-Yates). */
export function shuffled(count: number, generator: JumpableRandomGenerator): Uint32Array {
  // Plain loops: every epoch runs this, and from() with destructuring takes four times as long.
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  for (let i = count - 1; i > 0; i--) {
    const j = uniformInt(generator, 0, i);
    const value = order[i]!;
    order[i] = order[j]!;
    order[j] = value;
  }
  return order;
}
