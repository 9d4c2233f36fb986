/** Splits examples into training, validation and test examples, and standardizes them. */
import { arrayLike, type Labels } from "./dataset.ts";
import { seededGenerator, shuffled, type GeneratorVersion } from "../../shared/random.ts";

/** Default number of test examples: a fifth, at least one. */
export const testCount = (count: number) => Math.max(1, Math.round(count / 5));

export interface Labelled<V extends Uint8Array | Float32Array = Uint8Array | Float32Array> {
  readonly count: number;
  readonly features: V;
  readonly labels: Labels;
}

/** Splits examples in a seeded random order: the last `held` are test examples, a fifth by default. */
export function divide(examples: Labelled, seed: number, version: GeneratorVersion, held = testCount(examples.count)): { train: Labelled; test: Labelled } {
  const order = shuffled(examples.count, seededGenerator(seed, "division", version));
  const train = examples.count - held;
  return { train: take(examples, order.subarray(0, train)), test: take(examples, order.subarray(train)) };
}

/** Splits examples whose last `held` are test examples, without copies. */
export function parted({ count, features, labels }: Labelled, held: number): { train: Labelled; test: Labelled } {
  const [width, train] = [features.length / count, count - held];
  return {
    train: { count: train, features: features.subarray(0, train * width), labels: labels.subarray(0, train) },
    test: { count: held, features: features.subarray(train * width), labels: labels.subarray(train) },
  };
}

/** Draws `held` of `count` examples for validation. Returns the indices of both parts, in ascending order. */
export function heldOut(count: number, held: number, seed: number, version: GeneratorVersion): { training: Uint32Array; held: Uint32Array } {
  const indices = Uint32Array.from({ length: count }, (_, i) => i);
  if (held === 0) return { training: indices, held: new Uint32Array(0) };
  const out = new Uint8Array(count);
  for (const index of shuffled(count, seededGenerator(seed, "validation", version)).subarray(0, held)) out[index] = 1;
  return { training: indices.filter((index) => out[index] === 0), held: indices.filter((index) => out[index] === 1) };
}

/** The examples with these indices, in their order. */
export function take({ count, features, labels }: Labelled, order: Uint32Array): Labelled {
  const [width, outputs] = [features.length / count, labels.length / count];
  const pick = <A extends Labels>(from: A, size: number): A => {
    const to = arrayLike(from, order.length * size);
    order.forEach((example, i) => to.set(from.subarray(example * size, (example + 1) * size), i * size));
    return to;
  };
  return { count: order.length, features: pick(features, width), labels: pick(labels, outputs) };
}

/** What every feature of an example was scaled by; a deviation of 0 is that of a constant feature, which became 0. */
export interface Standardization {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/**
 * Scales every feature to mean 0 and standard deviation 1 over the training examples, and the test examples by
 * the same mean and deviation. A constant feature becomes 0.
 * @param rows indices of the training examples that define mean and deviation; all by default
 */
export function standardize(train: Labelled<Float32Array>, test: Labelled<Float32Array>, rows: Uint32Array = Uint32Array.from({ length: train.count }, (_, i) => i)): Standardization {
  const width = train.features.length / train.count;
  const scaled: Standardization = { mean: new Float64Array(width), deviation: new Float64Array(width) };
  for (let j = 0; j < width; j++) {
    let [sum, squares] = [0, 0];
    for (const i of rows) sum += train.features[i * width + j]!;
    const mean = sum / rows.length;
    for (const i of rows) squares += (train.features[i * width + j]! - mean) ** 2;
    const deviation = Math.sqrt(squares / rows.length);
    scaled.mean[j] = mean;
    scaled.deviation[j] = deviation;
    for (const { count, features } of [train, test]) {
      for (let i = 0; i < count; i++) features[i * width + j] = deviation > 0 ? (features[i * width + j]! - mean) / deviation : 0;
    }
  }
  return scaled;
}
