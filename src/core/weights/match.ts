/** Which arrays of a weights file a model begins from. */
import { clipped, plural } from "../../shared/text.ts";

type Shape = readonly number[];

interface Named {
  readonly name: string;
  readonly shape: Shape;
}
type Arrays = ReadonlyMap<string, { readonly shape: Shape; readonly values: Float64Array }>;

export interface MatchOptions {
  /** Parameters and running statistics of the model. */
  readonly wanted: readonly Named[];
  /** The model's own names by the other names of its shared arrays. */
  readonly tied: Readonly<Record<string, string>>;
  /** Whether what does not fit begins fresh. */
  readonly partial: boolean;
  /** Whether arrays of other names are taken by their shapes. */
  readonly byShape: boolean;
}

export interface Matched {
  readonly arrays: readonly (Named & { readonly values: Float64Array })[];
  /** Parameters and running statistics that begin fresh. */
  readonly fresh: readonly string[];
  readonly remarks: readonly string[];
}

const text = (shape: Shape) => shape.join(" × ") || "one number";
const same = (a: Shape, b: Shape) => a.length === b.length && a.every((n, axis) => n === b[axis]);
const isCounter = (name: string) => /(?:^|\.)num_batches_tracked$/.test(name);

/** Problems and names in one message; more help nobody. */
const maxNamed = 20;
const some = (list: readonly string[], join: string) => [...list.slice(0, maxNamed), ...(list.length > maxNamed ? [`${list.length - maxNamed} more`] : [])].join(join);

/** @throws Error naming each parameter that does not fit, and what to do */
export function matchWeights(file: Arrays, { wanted, tied, partial, byShape }: MatchOptions): Matched {
  const names = new Set(wanted.map(({ name }) => name));
  const own = ownNames(file, tied, names);
  const strangers = ![...own.keys()].some((name) => names.has(name));
  const pairs = strangers ? pairsByShape(own, wanted) : undefined;
  const list = pairs && some(pairs.map(([from, to]) => `${clipped(from, 100)} as ${to}`), ", ");
  if (pairs && byShape) {
    const arrays = pairs.map(([from, name]) => ({ name, shape: own.get(from)!.shape, values: own.get(from)!.values }));
    requireFinite(arrays);
    return { arrays, fresh: [], remarks: [`Taken by their shapes: ${list}.`] };
  }
  if (byShape && strangers) throw new Error("the shapes do not tell which array is which parameter: each must occur once, in the file and in the model");

  const arrays: Matched["arrays"][number][] = [];
  const problems: string[] = [];
  const fresh: string[] = [];
  for (const { name, shape } of wanted) {
    const found = own.get(name);
    if (found && same(found.shape, shape)) {
      arrays.push({ name, shape, values: found.values });
      continue;
    }
    fresh.push(name);
    problems.push(found ? `${name} is ${text(shape)} in the model and ${text(found.shape)} in the file` : `${name} (${text(shape)}) is not in the file`);
  }
  const unused = [...own.keys()].filter((name) => !names.has(name) && !isCounter(name));
  problems.push(...unused.map((name) => `${clipped(name, 100)} (${text(own.get(name)!.shape)}) is not in the model`));
  if (pairs) throw new Error(`no name of the file is one of the model's; by their shapes each array fits one parameter: ${list}; take them so with --by-shape`);
  if (arrays.length === 0) throw new Error(`nothing in the file fits the model: ${some(problems, "; ")}`);
  if (problems.length > 0 && !partial) throw new Error(`the file does not fit the model: ${some(problems, "; ")}; begin from what fits with --partial`);
  requireFinite(arrays);
  return {
    arrays,
    fresh,
    remarks: [
      ...(fresh.length > 0 ? [`${plural(arrays.length, "array")} of ${wanted.length} begin from the file. Fresh: ${some(problems.slice(0, fresh.length), "; ")}.`] : []),
      ...(unused.length > 0 ? [`Not used of the file: ${some(unused.map((name) => clipped(name, 100)), ", ")}.`] : []),
    ],
  };
}

/** The file's arrays under the model's own names. @throws Error where the file has two values of one shared array */
function ownNames(file: Arrays, tied: MatchOptions["tied"], names: ReadonlySet<string>): Arrays {
  const own = new Map(file);
  for (const [alias, name] of Object.entries(tied)) {
    const other = file.get(alias);
    if (!other || names.has(alias)) continue;
    own.delete(alias);
    const first = file.get(name);
    if (!first) own.set(name, other);
    else if (!same(first.shape, other.shape) || first.values.some((value, i) => !Object.is(value, other.values[i]))) throw new Error(`${alias} and ${name} are one parameter of the model; the file has two that differ`);
  }
  return own;
}

/** Pairs of the file's names and the model's, where each shape occurs once on both sides. */
function pairsByShape(file: Arrays, wanted: readonly Named[]): [string, string][] | undefined {
  const key = ({ shape }: { readonly shape: Shape }) => shape.join("x");
  const theirs = [...file].filter(([name]) => !isCounter(name));
  const byShape = new Map(theirs.map(([name, one]) => [key(one), name]));
  const ours = new Set(wanted.map(key));
  if (theirs.length === 0 || byShape.size !== theirs.length || ours.size !== wanted.length || ours.size !== byShape.size) return undefined;
  const pairs = wanted.map((one): [string | undefined, string] => [byShape.get(key(one)), one.name]);
  return pairs.every((pair): pair is [string, string] => pair[0] !== undefined) ? pairs : undefined;
}

function requireFinite(arrays: Matched["arrays"]): void {
  const wrong = arrays.find(({ values }) => values.some((value) => !Number.isFinite(value)));
  if (wrong) throw new Error(`${wrong.name} holds values that are no finite numbers`);
}
