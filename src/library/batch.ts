/** Checks a batch against the model's declarations. */
import type { InputValue } from "../core/engines/engine.ts";
import { sizeOf, type Node, type Shape } from "../core/program/node.ts";
import { cast, constant, input, mul } from "../core/program/operations/index.ts";
import type { InputSpec } from "./model.ts";

export type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** `values * scale`, multiplied within the step: images stay bytes until then. */
export interface Scaled {
  readonly values: NumberArray;
  readonly scale: number;
}

/** Row-major values, batch axis first. */
export type BatchArray = NumberArray | readonly number[] | Scaled;

/** Arrays by name with equal numbers of examples: the model's inputs, and `targets`. */
export type Batch<Name extends string = string> = Readonly<Record<Name, BatchArray>>;

/** The model's inputs, and `targets` where the loss reads them. */
export type StepBatch<Input extends string> = Batch<Input> & { readonly targets?: BatchArray };

export const targetsName = "targets";

type Storage = "float" | "int32" | "uint8";

interface Declared {
  readonly shape: Shape;
  readonly dtype: "float" | "int32";
}

export function declared(spec: InputSpec): Declared {
  return "shape" in spec ? { shape: spec.shape, dtype: spec.dtype ?? "float" } : { shape: spec, dtype: "float" };
}

interface Given {
  readonly values: InputValue;
  readonly storage: Storage;
  readonly scale: number;
  readonly dtype: Declared["dtype"];
}

const isNumbers = (given: BatchArray): given is readonly number[] => Array.isArray(given);

export function isNumberArray(value: unknown): value is NumberArray {
  return value instanceof Float32Array || value instanceof Float64Array || value instanceof Int32Array || value instanceof Uint8Array;
}

export function isScaled(value: BatchArray): value is Scaled {
  return typeof value === "object" && !ArrayBuffer.isView(value) && "values" in value && "scale" in value;
}

const storageOf = (values: NumberArray): Storage =>
  values instanceof Uint8Array ? "uint8" : values instanceof Int32Array ? "int32" : "float";

/** @throws TypeError naming an array that does not fit the declared type */
function given(name: string, array: BatchArray, dtype: Declared["dtype"]): Given {
  const scale = isScaled(array) ? array.scale : 1;
  const inside: unknown = isScaled(array) ? array.values : isNumbers(array) ? (dtype === "int32" ? wholeNumbers(name, array) : Float64Array.from(array)) : array;
  if (!isNumberArray(inside)) {
    throw new TypeError(`batch: ${name} must be a Float32Array, Float64Array, Int32Array, Uint8Array, a list of numbers or { values, scale }`);
  }
  const storage = storageOf(inside);
  if (dtype === "int32" && (storage === "float" || scale !== 1)) {
    throw new TypeError(`batch: ${name} holds whole numbers; allowed: Int32Array, Uint8Array or a list of whole numbers, without a scale`);
  }
  if (!Number.isFinite(scale)) throw new TypeError(`batch: the scale of ${name} is ${scale}; allowed: finite numbers`);
  return { values: inside, storage, scale, dtype };
}

function wholeNumbers(name: string, values: readonly number[]): Int32Array {
  const wrong = values.findIndex((value) => (value | 0) !== value);
  if (wrong >= 0) throw new TypeError(`batch: ${name}[${wrong}] is ${values[wrong]!}; allowed: whole numbers`);
  return Int32Array.from(values);
}

/** A valid batch: its size, its arrays, and their input nodes. */
export class CheckedBatch {
  readonly size: number;
  readonly arrays: Readonly<Record<string, InputValue>>;
  /** Determines the compiled procedure: the batch size and the type of each array. */
  readonly signature: string;
  readonly #given: ReadonlyMap<string, Given>;
  readonly #inputs: Readonly<Record<string, InputSpec>>;
  readonly #targets: InputSpec | undefined;

  /**
   * @param targets declared by the loss; the outputs' shape by default
   * @throws TypeError or RangeError naming the array that is missing, unknown or of another size
   */
  constructor(batch: Partial<Batch>, inputs: Readonly<Record<string, InputSpec>>, targets: InputSpec | undefined) {
    this.#inputs = inputs;
    this.#targets = targets;
    const what: unknown = batch;
    if (typeof what !== "object" || what === null) throw new TypeError("batch: must be an object of arrays by name");
    const arrays = Object.entries(batch).filter((entry): entry is [string, BatchArray] => entry[1] !== undefined);
    const allowed = [...Object.keys(inputs), targetsName];
    const unknown = arrays.map(([name]) => name).find((name) => !allowed.includes(name));
    if (unknown !== undefined) throw new RangeError(`batch: there is no input named ${unknown}; allowed: ${allowed.join(", ")}`);
    const missing = Object.keys(inputs).find((name) => batch[name] === undefined);
    if (missing !== undefined) throw new RangeError(`batch: ${missing} is missing`);

    this.#given = new Map(
      arrays.map(([name, array]) => {
        const spec = name === targetsName ? targets : inputs[name];
        return [name, given(name, array, spec ? declared(spec).dtype : "float")];
      }),
    );
    this.size = this.#sizeOf();
    this.arrays = Object.fromEntries([...this.#given].map(([name, { values }]) => [name, values]));
    this.signature = [`${this.size}`, ...[...this.#given].map(([name, { storage, scale }]) => `${name}:${storage}*${scale}`).sort()].join(" ");
  }

  /** Nodes of the model's inputs, `[batch, ...declared]`. */
  inputNodes(): Record<string, Node> {
    return Object.fromEntries(Object.entries(this.#inputs).map(([name, spec]) => [name, this.#node(name, [this.size, ...declared(spec).shape])]));
  }

  /**
   * Node of the targets for outputs of a shape, also for a batch without targets: only a loss that
   * reads them fails.
   */
  targetNode(outputs: Shape): Node {
    return this.#node(targetsName, this.#targets ? [this.size, ...declared(this.#targets).shape] : outputs);
  }

  get hasTargets(): boolean {
    return this.#given.has(targetsName);
  }

  /** Values of the targets, if given. */
  get targets(): InputValue | undefined {
    return this.#given.get(targetsName)?.values;
  }

  #node(name: string, shape: Shape): Node {
    const array = this.#given.get(name);
    if (!array) return input(name, shape, this.#targets ? declared(this.#targets).dtype : "float");
    const stored = input(name, shape, array.storage);
    const value = cast(stored, array.dtype);
    return array.scale === 1 ? value : mul(constant(array.scale), value);
  }

  /** Number of examples in every array; 1 for a model without inputs. */
  #sizeOf(): number {
    let size: number | null = null;
    let first = "";
    for (const [name, { values }] of this.#given) {
      const spec = name === targetsName ? this.#targets : this.#inputs[name];
      if (!spec) continue;
      const perExample = sizeOf(declared(spec).shape);
      const count = values.length / perExample;
      if (!Number.isInteger(count) || count === 0) {
        throw new RangeError(`batch: ${name} has ${values.length} values; each example has ${perExample}`);
      }
      if (size !== null && count !== size) throw new RangeError(`batch: ${name} has ${count} examples, ${first} has ${size}`);
      [size, first] = [count, name];
    }
    return size ?? 1;
  }
}
