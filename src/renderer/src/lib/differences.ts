/** Which fields of several experiments differ. */
import type { Experiment } from "@shared/experiment.ts";
import { isPublishedDefault } from "@shared/tower.ts";

export interface Difference {
  /** Dotted path of the field, e.g. `tower.0.alpha`. */
  readonly path: string;
  /** Value per experiment, in their order; undefined where it has no such field. */
  readonly values: readonly (string | number | undefined)[];
}

/** Every leaf of an experiment by its dotted path. */
export function flatten(value: unknown, path = ""): Map<string, string | number> {
  if (typeof value === "string" || typeof value === "number") return new Map([[path, value]]);
  if (typeof value === "boolean") return new Map([[path, value ? "on" : "off"]]);
  const leaves = new Map<string, string | number>();
  if (typeof value !== "object" || value === null) return leaves;
  // A list of names is one choice, not several fields.
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return new Map([[path, value.join(", ") || "nothing"]]);
  for (const [key, child] of Object.entries(value)) {
    for (const [leaf, of] of flatten(child, path === "" ? key : `${path}.${key}`)) leaves.set(leaf, of);
  }
  return leaves;
}

/** Fields of a tower's levels together and in order, whichever run has them; all others stay where they are. */
function byLevel(a: string, b: string): number {
  const level = (path: string) => Number(/^tower\.(\d+)\./.exec(path)?.[1] ?? -1);
  return level(a) - level(b);
}

/** Whether a field of a level is an option that every run which has it left as published. */
function isUntouched(experiments: readonly Experiment[], path: string): boolean {
  const [, level, field] = /^tower\.(\d+)\.(\w+)$/.exec(path) ?? [];
  if (level === undefined || field === undefined) return false;
  const having = experiments.flatMap(({ tower }) => tower[Number(level)] ?? []);
  return having.every((of) => isPublishedDefault(of, field) || !(field in of));
}

/** Fields that are not the same in all experiments; the name does not count. */
export function differences(experiments: readonly Experiment[]): Difference[] {
  const flat = experiments.map((experiment) => flatten({ ...experiment, name: undefined }));
  const paths = new Set(flat.flatMap((leaves) => [...leaves.keys()]));
  return [...paths]
    .sort(byLevel)
    .filter((path) => !isUntouched(experiments, path))
    .map((path) => ({ path, values: flat.map((leaves) => leaves.get(path)) }))
    .filter(({ values }) => new Set(values).size > 1);
}
