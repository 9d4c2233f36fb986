/** Which part of a dataset the names of arrays, files, folders and cells say. */

export const splitNames = ["train", "validation", "test"] as const;
export type SplitName = (typeof splitNames)[number];

const words: Readonly<Record<string, SplitName>> = {
  train: "train", training: "train", trn: "train",
  val: "validation", valid: "validation", validation: "validation", dev: "validation",
  test: "test", testing: "test", tst: "test", t10k: "test",
};

/** Words of a name: `X_train`, `xTrain` and `x-train-00000` all hold `train`. */
const wordsOf = (name: string) => name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase().split(/[^a-z0-9]+|(?<=[a-z])(?=\d)/).filter((word) => word !== "");

/** The part that a name says; null where it says none, or several. */
export function splitNamed(name: string): SplitName | null {
  const found = new Set(wordsOf(name).flatMap((word) => {
    const said = words[word] ?? words[word.replace(/^[xy]/, "")] ?? (word === "t" && /t10k/i.test(name) ? "test" : undefined);
    return said ? [said] : [];
  }));
  return found.size === 1 ? [...found][0]! : null;
}

/** The part that a cell of a split column says, where 1 and true say test examples; null for any other text. */
export function splitInCell(cell: string): SplitName | null {
  const text = cell.trim().toLowerCase();
  if (["1", "true", "1.0"].includes(text)) return "test";
  if (["0", "false", "0.0"].includes(text)) return "train";
  return words[text] ?? null;
}

/** Whether the validation examples of data with a test set of its own are trained on or left out. */
export const validationUses = ["train", "leave"] as const;
export type ValidationUse = (typeof validationUses)[number];

/** Which parts become test examples and which are left out: without a test part, the validation part is for testing. */
export function useOf(split: SplitName, hasTest: boolean, validation: ValidationUse): "train" | "test" | "leave" {
  if (split !== "validation") return split;
  return hasTest ? validation : "test";
}

const featureWords = new Set(["x", "image", "images", "img", "imgs", "data", "feature", "features", "input", "inputs"]);
const targetWords = new Set(["y", "label", "labels", "target", "targets", "class", "classes", "output", "outputs"]);

/** Whether a name of an array says features or targets; null where it says neither. */
export function kindNamed(name: string): "features" | "targets" | null {
  const found = wordsOf(name).flatMap((word) => {
    const bare = words[word.slice(1)] ? word[0]! : word;
    return featureWords.has(bare) ? ["features" as const] : targetWords.has(bare) ? ["targets" as const] : [];
  });
  return found[0] ?? null;
}

/** Names of the arrays of one part. */
export interface NamedPair {
  readonly features: string;
  readonly targets: string;
}

/** What the arrays of a file are by their names and sizes. */
export interface ArrayRoles {
  readonly train: NamedPair | null;
  readonly test: NamedPair | null;
  readonly validation: NamedPair | null;
  /** Arrays that no part takes. */
  readonly unused: readonly string[];
}

interface ArrayFacts {
  readonly name: string;
  readonly shape: readonly number[];
}

const sizeOf = ({ shape }: ArrayFacts) => shape.reduce((product, n) => product * n, 1);

/** Features and targets among arrays: by their names, or of two the smaller one has the targets. Null where it cannot be told. */
function pairOf(arrays: readonly ArrayFacts[]): NamedPair | null {
  const named = (kind: "features" | "targets") => arrays.filter(({ name }) => kindNamed(name) === kind);
  const [features, targets] = [named("features"), named("targets")];
  if (features.length === 1 && targets.length === 1) return { features: features[0]!.name, targets: targets[0]!.name };
  if (arrays.length !== 2) return null;
  const [first, second] = arrays as [ArrayFacts, ArrayFacts];
  if (features.length + targets.length === 1) {
    const known = (features[0] ?? targets[0])!;
    const other = known === first ? second : first;
    return features.length === 1 ? { features: known.name, targets: other.name } : { features: other.name, targets: known.name };
  }
  const [large, small] = sizeOf(second) > sizeOf(first) ? [second, first] : [first, second];
  return { features: large.name, targets: small.name };
}

/** Tells features from targets, and test from training examples: `x_train`, `y_train`, `x_test`, `y_test`, or `x` and `y`. */
export function arrayRoles(arrays: readonly ArrayFacts[]): ArrayRoles {
  const of = (split: SplitName | null) => pairOf(arrays.filter(({ name }) => splitNamed(name) === split));
  const parts = arrays.some(({ name }) => splitNamed(name) !== null)
    ? { train: of("train"), test: of("test"), validation: of("validation") }
    : { train: pairOf(arrays), test: null, validation: null };
  const { train, validation } = parts;
  const test = parts.test ?? (train ? validation : null);
  const roles = { train, test, validation: parts.test ? validation : null };
  const used = new Set(Object.values(roles).flatMap((pair) => (pair ? [pair.features, pair.targets] : [])));
  return { ...roles, unused: arrays.flatMap(({ name }) => (used.has(name) ? [] : [name])) };
}

/** Column of the classes among these: by its name, else the last. */
export const likelyLabel = (names: readonly string[]): string => names.find((name) => /^(label|labels|target|class|fine_label|y)$/i.test(name)) ?? names.at(-1)!;
