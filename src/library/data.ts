/** Examples and batches. */
import { loadDataset } from "../core/datasets/index.ts";
import { Random } from "../core/models/random.ts";
import { dataset as datasetSchema, fieldErrors } from "../shared/experiment.ts";
import { latestGenerator } from "../shared/random.ts";
import { isNumberArray, isScaled, type Batch, type BatchArray, type NumberArray } from "./batch.ts";
import { checkOptions } from "./options.ts";

/** Arrays of `count` examples each, by name. */
export interface Examples<Name extends string = string> {
  readonly count: number;
  readonly arrays: Batch<Name>;
}

export interface Dataset {
  readonly train: Examples<"features" | "targets">;
  readonly test: Examples<"features" | "targets">;
}

export interface MnistOptions {
  /** Number of training examples; all 60,000 by default. */
  readonly trainExamples?: number;
  /** Number of test examples; all 10,000 by default. */
  readonly testExamples?: number;
}

/**
 * MNIST from the package, checked by SHA-256: `features` are bytes `[count, 784]` with scale 1/255,
 * `targets` are digits `[count]`.
 * @throws Error naming a missing or damaged file, RangeError for an invalid number of examples
 */
export async function loadMnist(options: MnistOptions = {}): Promise<Dataset> {
  checkOptions<Required<MnistOptions>>("loadMnist", options, { trainExamples: true, testExamples: true });
  const parsed = datasetSchema.safeParse({ kind: "mnist", ...options });
  if (!parsed.success) throw new RangeError(`loadMnist: ${fieldErrors(parsed.error).map(({ message }) => message).join("; ")}`);
  const { train, test, scale } = await loadDataset(parsed.data);
  const examples = ({ count, features, labels }: typeof train) => ({ count, arrays: { features: { values: features, scale }, targets: labels } });
  return { train: examples(train), test: examples(test) };
}

export interface BatchesOptions {
  /** Seed of the shuffling: a new order every epoch. Without it, examples keep their order. */
  readonly seed?: number;
  /** Number of epochs; 1 by default. */
  readonly epochs?: number;
}

/**
 * Batches of `batchSize` examples; the last of an epoch may be smaller. Shuffled batches are
 * copies;
 * batches in order are views.
 * @throws RangeError naming an array that does not hold `count` examples, or an invalid number
 */
export function batches<Name extends string>(
  examples: Examples<Name>,
  batchSize: number,
  options: BatchesOptions = {},
): IterableIterator<Batch<Name>> {
  checkOptions<Required<BatchesOptions>>("batches", options, { seed: true, epochs: true });
  const { seed, epochs = 1 } = options;
  const { count } = examples;
  const positive = { "examples.count": count, batchSize, epochs };
  for (const [name, value] of Object.entries(positive)) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`batches: ${name} is ${value}; allowed: whole numbers from 1`);
  }
  if (seed !== undefined) checkSeed("batches", seed);
  const columns = Object.entries<BatchArray>(examples.arrays).map(([name, array]) => new Column(name, array, count));
  return generate<Name>(columns, count, batchSize, seed, epochs);
}

function* generate<Name extends string>(columns: Column[], count: number, batchSize: number, seed: number | undefined, epochs: number) {
  const random = seed === undefined ? null : new Random(seed, "shuffling", latestGenerator);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = random?.permutation(count);
    for (let start = 0; start < count; start += batchSize) {
      const end = Math.min(start + batchSize, count);
      yield Object.fromEntries(
        columns.map((column) => [column.name, order ? column.pick(order.subarray(start, end)) : column.range(start, end)]),
      ) as Batch<Name>;
    }
  }
}

/** @throws RangeError */
export function checkSeed(where: string, seed: number): void {
  if (!Number.isInteger(seed) || seed < 0 || seed > 4294967295) {
    throw new RangeError(`${where}: seed is ${seed}; allowed: whole numbers from 0 to 4294967295`);
  }
}

/** An array of examples. */
class Column {
  readonly name: string;
  readonly #values: NumberArray | readonly number[];
  readonly #width: number;
  readonly #scale: number | null;

  constructor(name: string, array: BatchArray, count: number) {
    this.name = name;
    this.#values = isScaled(array) ? array.values : array;
    this.#scale = isScaled(array) ? array.scale : null;
    const { length } = this.#values;
    this.#width = length / count;
    if (!Number.isInteger(this.#width)) throw new RangeError(`batches: ${name} has ${length} values, which is not a multiple of ${count} examples`);
  }

  range(start: number, end: number): BatchArray {
    const [from, to] = [start * this.#width, end * this.#width];
    return isNumberArray(this.#values) ? this.#scaled(this.#values.subarray(from, to)) : this.#values.slice(from, to);
  }

  pick(order: Uint32Array): BatchArray {
    const [values, width] = [this.#values, this.#width];
    if (!isNumberArray(values)) return [...order].flatMap((example) => values.slice(example * width, (example + 1) * width));
    const picked = emptyLike(values, order.length * width);
    order.forEach((example, i) => picked.set(values.subarray(example * width, (example + 1) * width), i * width));
    return this.#scaled(picked);
  }

  #scaled(values: NumberArray): BatchArray {
    return this.#scale === null ? values : { values, scale: this.#scale };
  }
}

function emptyLike(values: NumberArray, length: number): NumberArray {
  if (values instanceof Uint8Array) return new Uint8Array(length);
  if (values instanceof Int32Array) return new Int32Array(length);
  return values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}
