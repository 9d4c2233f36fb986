/** Builds towers of a given height on level 0. */
import { withoutWeightsOnly } from "../weightsOnly.ts";
import type { Level } from "../tower.ts";
import { initialValue, maxLevels } from "../tower.ts";
import type { Study, UpperRule } from "./study.ts";
import { rounded } from "./values.ts";

type Heights = NonNullable<Study["heights"]>;

/**
 * Boundary between the paper's schemes. It uses one for alpha from 1e-8 to 1e-4 and another from
 * 1e-3 on, with no value between.
 */
const schemesMeet = 5e-4;

/** Figure 4b of the paper (section 4.4): step sizes of the upper levels when level 0 starts at alpha. */
function figure4b(alpha: number): readonly number[] {
  return alpha < schemesMeet ? [alpha * 1e2, alpha, alpha * 1e-2] : [alpha * 1e-3, alpha * 1e-4, 1e-8];
}

/** Max number of levels above level 0 that a rule can set. */
export function setBy({ kind }: UpperRule): number {
  return kind === "figure4b" ? figure4b(1).length : maxLevels - 1;
}

/** Step size of each upper level, by level from 1; null if the levels keep their own. */
function stepSizes(rule: UpperRule, alpha: number): ((above: number) => number) | null {
  switch (rule.kind) {
    case "equal":
      return () => alpha;
    case "figure4b":
      return (above) => rounded(figure4b(alpha)[above - 1]!);
    case "fixed":
      return (above) => rule.alphas[Math.min(above, rule.alphas.length) - 1]!;
    case "base":
      return null;
  }
}

/** Level 0's settings for an upper level. Groups divide the model's parameters; schedules and some options are for level 0: all are omitted. */
function asUpper({ schedules: _, ...bottom }: Level): Level {
  return { ...withoutWeightsOnly(bottom), frozen: false, groups: [] };
}

/** Only level 1 can have a horizon or look ahead. */
function seeingOneStep(level: Level): Level {
  return { ...level, horizon: 0, lookahead: 1, groups: level.groups.map((group) => ({ ...group, horizon: 0 })) } as Level;
}

/** A tower with `height` levels above `bottom`. */
export function towerOfHeight(height: number, bottom: Level, { rule, upper, upperAt }: Heights, base: readonly Level[]): Level[] {
  const alphaOf = stepSizes(rule, initialValue(bottom, "alpha"));
  const chosen = upperAt[String(height)] ?? upper;
  const above = Array.from({ length: height }, (_, i) => {
    const level = i + 1;
    const own = chosen ?? (rule.kind !== "base" ? asUpper(bottom) : base.length === 1 ? asUpper(base[0]!) : (base[level] ?? base.at(-1)!));
    const fitting = level > 1 ? seeingOneStep(own) : own;
    return alphaOf ? { ...fitting, alpha: alphaOf(level) } : fitting;
  });
  return [bottom, ...above];
}
