/** What a dataset is to a training run, whatever it was read from. */
import type { TextUnit } from "../../shared/alphabet.ts";
import type { Standardization } from "./split.ts";

/** Codes of a text's symbols: bytes for up to 256 different symbols, else 16 bits each. */
export type Codes = Uint8Array | Uint16Array;

/** Class indices as bytes for up to 256 classes, else as int32; or the values of a regression as floats. */
export type Labels = Uint8Array | Int32Array | Float32Array;

/** Maximum number of classes whose indices are stored as bytes. */
export const byteClasses = 256;

/** A zeroed array of the same kind, in `memory` where it is given. */
export function arrayLike<A extends Codes | Labels>(array: A, length: number, memory: ArrayBufferLike = new ArrayBuffer(length * array.BYTES_PER_ELEMENT)): A {
  const view: Codes | Labels =
    array instanceof Uint8Array ? new Uint8Array(memory, 0, length)
    : array instanceof Uint16Array ? new Uint16Array(memory, 0, length)
    : array instanceof Int32Array ? new Int32Array(memory, 0, length)
    : new Float32Array(memory, 0, length);
  return view as A;
}

/** Class indices in the type in which datasets of this many classes are stored and trained on. */
export const classLabels = (values: ArrayLike<number>, classes: number): Uint8Array | Int32Array => (classes <= byteClasses ? Uint8Array.from(values) : Int32Array.from(values));

/** Labelled examples, row-major. */
export interface Examples {
  readonly count: number;
  /** `[count, ...exampleShape]`: bytes 0..255, or floats. */
  readonly features: Uint8Array | Float32Array;
  /** `[count]` */
  readonly labels: Labels;
}

export interface Dataset {
  readonly task: "classification" | "regression";
  readonly exampleShape: readonly number[];
  /** Classes of a classification; values to predict, 1, of a regression. */
  readonly classes: number;
  /** The network sees `feature * scale`. */
  readonly scale: number;
  /** How float features were scaled; null where they are as stored. */
  readonly standardization?: Standardization | null;
  readonly train: Examples;
  readonly test: Examples;
}

/** Largest value that a stored feature can have: 255 for the pixels of most images; null where features are floats, of no common range. */
export function featureRange({ train, scale }: Pick<Dataset, "train" | "scale">): number | null {
  return train.features instanceof Uint8Array ? Math.round(1 / scale) : null;
}

/** Share of a text kept for testing: its end. */
export const textTestShare = 0.1;

/** A text as codes of its symbols, its end held back for testing. */
export interface TextDataset {
  readonly task: "text";
  /** Symbols by their codes. */
  readonly vocabulary: readonly string[];
  /** What a symbol is; a character by default. */
  readonly unit?: TextUnit | undefined;
  readonly train: Codes;
  readonly test: Codes;
}
