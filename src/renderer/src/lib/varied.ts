/** Settings that vary among runs: axes of parallel coordinates, factors of importance. */
import { maxOf, minOf } from "@shared/extent.ts";
import type { Experiment } from "@shared/experiment.ts";
import { optimizers } from "@shared/optimizers.ts";
import { height } from "@shared/tower.ts";
import { differences, type FieldValue } from "@shared/comparison/differences.ts";

export interface VariedSetting {
  readonly label: string;
  readonly scale: "log" | "linear" | "category";
  /** Value per run; undefined where a run lacks the setting. */
  readonly values: readonly FieldValue[];
}

/** Whether `values` groups the runs as `other` does, and so repeats it. */
export function follows(values: readonly FieldValue[], other: readonly FieldValue[]): boolean {
  const partner = new Map<FieldValue, FieldValue>();
  const back = new Map<FieldValue, FieldValue>();
  return values.every((value, i) => {
    if (value === undefined) return true;
    const of = other[i];
    if (of === undefined) return false;
    if (partner.has(value) && partner.get(value) !== of) return false;
    if (back.has(of) && back.get(of) !== value) return false;
    partner.set(value, of);
    back.set(of, value);
    return true;
  });
}

/** Hyperparameters on logarithmic axes. */
const logarithmic = new Set<string>(
  Object.values(optimizers).flatMap(({ hyperparameters }) => hyperparameters.filter(({ scale }) => scale === "log").map(({ name }) => name)),
);

function scaleOf(path: string, values: readonly FieldValue[]): VariedSetting["scale"] {
  const known = values.filter((value) => value !== undefined);
  if (!known.every((value) => typeof value === "number")) return "category";
  const wide = maxOf(known) >= 20 * minOf(known);
  return known.every((value) => value > 0) && (logarithmic.has(path.slice(path.lastIndexOf(".") + 1)) || wide) ? "log" : "linear";
}

/**
 * Settings that differ, except the seed: first the number of levels, then every field; fields that
 * always
 * vary with an earlier one (all levels at one step size) are omitted.
 */
export function variedSettings(experiments: readonly Experiment[]): VariedSetting[] {
  const heights = experiments.map(({ tower }) => height(tower));
  const candidates: VariedSetting[] = [
    { label: "levels above", scale: "linear", values: heights },
    ...differences(experiments)
      // The number of levels already says which runs have a level.
      .filter(({ path }) => path !== "seed" && !/^tower\.[^.]+$/.test(path))
      .map(({ path, label, values }): VariedSetting => ({ label, scale: scaleOf(path, values), values })),
  ];
  const kept: VariedSetting[] = [];
  for (const one of candidates) {
    if (new Set(one.values).size > 1 && !kept.some((earlier) => follows(one.values, earlier.values))) kept.push(one);
  }
  return kept;
}
