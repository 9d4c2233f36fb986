/** Labelled examples from CSV and array files, read as in the workbench. */
import { previewCsv, readCsv } from "../core/datasets/formats/csv.ts";
import { labelledArrays, type ArrayChoice } from "../core/datasets/arrays.ts";
import { classLabels } from "../core/datasets/dataset.ts";
import { divide, standardize, type Labelled } from "../core/datasets/split.ts";
import { isMostlyNumbers, suggestedTask, type ColumnRole } from "../shared/datasets.ts";
import { latestGenerator } from "../shared/random.ts";
import { checkSeed, type Dataset } from "./data.ts";
import { checkOptions } from "./options.ts";

/** Examples of a file; a seeded random share of them is for testing. */
export interface OwnDataset extends Dataset {
  readonly task: "classification" | "regression";
  /** Shape of one example. */
  readonly exampleShape: readonly number[];
  /** Class names by index; empty for a regression. */
  readonly classNames: readonly string[];
  /** Columns of a table, categories as `column=value`; empty otherwise. */
  readonly featureNames: readonly string[];
}

export interface SplitOptions {
  /** Share of the examples used for testing; 0.2 by default. */
  readonly testShare?: number;
  /** Seed of the split; 0 by default. */
  readonly seed?: number;
}

export interface CsvOptions extends SplitOptions {
  /** Column to predict; the last by default. */
  readonly target?: string;
  /** Inferred from the target by default. */
  readonly task?: "classification" | "regression";
  /** Columns to leave out, and numeric columns to treat as categories. */
  readonly ignore?: readonly string[];
  readonly categories?: readonly string[];
  /**
   * Rows with a missing value: an error naming the line (the default), dropped, or filled with the
   * column's mean.
   */
  readonly missing?: "refuse" | "drop" | "fill";
}

/**
 * Reads a table (.csv, .tsv). Numbers are standardized over the training examples; each category
 * value
 * becomes a feature. `features` are floats `[count, features]`; `targets` class indices or values
 * `[count]`.
 * @throws Error naming the file, the line and the column; RangeError naming an option
 */
export async function loadCsv(path: string, options: CsvOptions = {}): Promise<OwnDataset> {
  checkOptions<Required<CsvOptions>>("loadCsv", options, { target: true, task: true, ignore: true, categories: true, missing: true, testShare: true, seed: true });
  const { columns, delimiter, header, decimal } = await previewCsv(path);
  const names = columns.map(({ name }) => name);
  const place = (option: string, wanted: string) => {
    const found = names.indexOf(wanted);
    if (found < 0) throw new RangeError(`loadCsv: ${option} is ${wanted}; the columns of ${path} are: ${names.join(", ")}`);
    return found;
  };
  const target = options.target === undefined ? names.length - 1 : place("target", options.target);
  const ignored = (options.ignore ?? []).map((name) => place("ignore", name));
  const categories = (options.categories ?? []).map((name) => place("categories", name));
  const roles = columns.map((column, i): ColumnRole => {
    if (i === target) return "target";
    if (ignored.includes(i)) return "ignore";
    return categories.includes(i) || !isMostlyNumbers(column) ? "category" : "number";
  });
  const task = options.task ?? suggestedTask(columns[target]!);
  const { count, features, targets, featureNames, classNames } = await readCsv(path, { delimiter, header, decimal, roles, task, missing: options.missing ?? "refuse" });
  const labels = task === "classification" ? classLabels(targets, classNames.length) : targets;
  return { ...divided("loadCsv", { count, features, labels }, options), task, exampleShape: [featureNames.length], classNames, featureNames };
}

export interface ArraysOptions extends SplitOptions {
  /** A .npy or idx file, or an array of a .npz by name: `{ path: "data.npz", array: "x" }`. */
  readonly features: string | ArrayChoice;
  readonly targets: string | ArrayChoice;
  /** `classification` by default. */
  readonly task?: "classification" | "regression";
}

/**
 * Reads .npy, .npz and idx arrays: features `[count, ...example]`, targets `[count]`. Bytes are
 * pixels
 * with scale 1/255; other numbers are standardized over the training examples.
 * @throws Error naming the file and what does not fit; RangeError naming an option
 */
export async function loadArrays(options: ArraysOptions): Promise<OwnDataset> {
  checkOptions<Required<ArraysOptions>>("loadArrays", options, { features: true, targets: true, task: true, testShare: true, seed: true });
  const { features, targets, task = "classification", ...split } = options;
  for (const [name, choice] of Object.entries({ features, targets })) if ((choice as unknown) === undefined) throw new TypeError(`loadArrays: ${name} is missing; give the path of a .npy or idx file, or { path, array }`);
  const choice = (of: string | ArrayChoice): ArrayChoice => (typeof of === "string" ? { path: of } : of);
  const { exampleShape, classNames, ...examples } = await labelledArrays({ features: choice(features), targets: choice(targets), task });
  return { ...divided("loadArrays", examples, split), task, exampleShape, classNames, featureNames: [] };
}

function divided(where: string, examples: Labelled, { testShare = 0.2, seed = 0 }: SplitOptions): Dataset {
  if (!(testShare > 0 && testShare < 1)) throw new RangeError(`${where}: testShare is ${testShare}; allowed: shares between 0 and 1`);
  checkSeed(where, seed);
  const held = Math.max(1, Math.round(examples.count * testShare));
  if (held >= examples.count) throw new RangeError(`${where}: ${examples.count} examples leave none for training, besides ${held} for testing`);
  const { train, test } = divide(examples, seed, latestGenerator, held);
  if (train.features instanceof Float32Array) standardize(train as Labelled<Float32Array>, test as Labelled<Float32Array>);
  const arrays = ({ count, features, labels }: Labelled) => ({ count, arrays: { features: features instanceof Uint8Array ? { values: features, scale: 1 / 255 } : features, targets: labels } });
  return { train: arrays(train), test: arrays(test) };
}
