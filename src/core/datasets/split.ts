/** Which examples are for training, validation and testing. */
import { seededGenerator, shuffled, type GeneratorVersion } from "../../shared/random.ts";

/** Examples held back for testing: a fifth, at least one. */
export const testCount = (count: number) => Math.max(1, Math.round(count / 5));

export interface Labelled<V extends Uint8Array | Float32Array = Uint8Array | Float32Array> {
  readonly count: number;
  readonly features: V;
  readonly labels: Uint8Array | Float32Array;
}

/** Divides examples in a seeded random order: the last `held` of them are for testing, a fifth by default. */
export function divide(examples: Labelled, seed: number, version: GeneratorVersion, held = testCount(examples.count)): { train: Labelled; test: Labelled } {
  const order = shuffled(examples.count, seededGenerator(seed, "division", version));
  const train = examples.count - held;
  return { train: take(examples, order.subarray(0, train)), test: take(examples, order.subarray(train)) };
}

/** A part of `count` examples held out, drawn by a seed: places of both parts, in the order in which the examples stand. */
export function heldOut(count: number, held: number, seed: number, version: GeneratorVersion): { training: Uint32Array; held: Uint32Array } {
  const places = Uint32Array.from({ length: count }, (_, i) => i);
  if (held === 0) return { training: places, held: new Uint32Array(0) };
  const out = new Uint8Array(count);
  for (const place of shuffled(count, seededGenerator(seed, "validation", version)).subarray(0, held)) out[place] = 1;
  return { training: places.filter((place) => out[place] === 0), held: places.filter((place) => out[place] === 1) };
}

function take({ count, features, labels }: Labelled, order: Uint32Array): Labelled {
  const [width, outputs] = [features.length / count, labels.length / count];
  const pick = <A extends Uint8Array | Float32Array>(from: A, size: number): A => {
    const to = from instanceof Uint8Array ? new Uint8Array(order.length * size) : new Float32Array(order.length * size);
    order.forEach((example, i) => to.set(from.subarray(example * size, (example + 1) * size), i * size));
    return to as A;
  };
  return { count: order.length, features: pick(features, width), labels: pick(labels, outputs) };
}

/**
 * Scales every feature to mean 0 and deviation 1 over the training examples, the test examples by the same figures.
 * A feature that never varies becomes 0.
 * @param places training examples to take the figures from; all by default
 */
export function standardize(train: Labelled<Float32Array>, test: Labelled<Float32Array>, places: Uint32Array = Uint32Array.from({ length: train.count }, (_, i) => i)): void {
  const width = train.features.length / train.count;
  for (let j = 0; j < width; j++) {
    let [sum, squares] = [0, 0];
    for (const i of places) sum += train.features[i * width + j]!;
    const mean = sum / places.length;
    for (const i of places) squares += (train.features[i * width + j]! - mean) ** 2;
    const deviation = Math.sqrt(squares / places.length);
    for (const { count, features } of [train, test]) {
      for (let i = 0; i < count; i++) features[i * width + j] = deviation > 0 ? (features[i * width + j]! - mean) / deviation : 0;
    }
  }
}
