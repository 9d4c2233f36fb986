/** What a dataset is to a training run, whatever it was read from. */

/** Labelled examples, row-major. */
export interface Examples {
  readonly count: number;
  /** `[count, ...exampleShape]`: bytes 0..255, or floats. */
  readonly features: Uint8Array | Float32Array;
  /** `[count]`: class indices as bytes, or the values of a regression as floats. */
  readonly labels: Uint8Array | Float32Array;
}

export interface Dataset {
  readonly task: "classification" | "regression";
  readonly exampleShape: readonly number[];
  /** Classes of a classification; values to predict, 1, of a regression. */
  readonly classes: number;
  /** The network sees `feature * scale`. */
  readonly scale: number;
  readonly train: Examples;
  readonly test: Examples;
}

/** Largest value that a stored feature can have: 255 for the pixels of most images; null where features are floats, of no common range. */
export function featureRange({ train, scale }: Pick<Dataset, "train" | "scale">): number | null {
  return train.features instanceof Uint8Array ? Math.round(1 / scale) : null;
}

/** A text as codes of characters, its end held back for testing. */
export interface TextDataset {
  readonly task: "text";
  /** Characters by their codes. */
  readonly vocabulary: readonly string[];
  readonly train: Uint8Array;
  readonly test: Uint8Array;
}
