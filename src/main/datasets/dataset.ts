/** What a dataset is to a training run, whatever it was read from. */

/** Labelled examples, row-major. */
export interface Examples {
  readonly count: number;
  /** `[count, ...exampleShape]`, bytes 0..255. */
  readonly features: Uint8Array;
  /** `[count]`, class indices. */
  readonly labels: Uint8Array;
}

export interface Dataset {
  readonly exampleShape: readonly number[];
  readonly classes: number;
  /** The network sees `byte * scale`. */
  readonly scale: number;
  readonly train: Examples;
  readonly test: Examples;
}
