/** The settings that vary among compared runs: the axes of parallel coordinates, the factors of importance. */
import { maxOf, minOf } from "@shared/extent.ts";
import type { Experiment } from "@shared/experiment.ts";
import { optimizers } from "@shared/optimizers.ts";
import { height } from "@shared/tower.ts";
import { differences, type FieldValue } from "./differences.ts";

export interface VariedSetting {
  readonly label: string;
  readonly scale: "log" | "linear" | "category";
  /** Value per run; undefined where it has no such setting. */
  readonly values: readonly FieldValue[];
}

/** Whether `values` divides those that have one as `other` does: then it only repeats it. */
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

/** Names of hyperparameters that are drawn in decades. */
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
 * Settings that differ, the seed aside: the number of levels first where it does, then every field; one
 * that always goes along with an earlier one (all levels at one step size) is left out.
 */
export function variedSettings(experiments: readonly Experiment[]): VariedSetting[] {
  const heights = experiments.map(({ tower }) => height(tower));
  const candidates: VariedSetting[] = [
    { label: "levels above", scale: "linear", values: heights },
    ...differences(experiments)
      // Which run has a level is what the number of levels says.
      .filter(({ path }) => path !== "seed" && !/^tower\.[^.]+$/.test(path))
      .map(({ path, label, values }): VariedSetting => ({ label, scale: scaleOf(path, values), values })),
  ];
  const kept: VariedSetting[] = [];
  for (const one of candidates) {
    if (new Set(one.values).size > 1 && !kept.some((earlier) => follows(one.values, earlier.values))) kept.push(one);
  }
  return kept;
}
