/** Python of rules that are written once for all frameworks. */
import { optimizerSpec } from "../../shared/optimizers.ts";
import type { CodeFramework } from "../../shared/optimizers/spec.ts";
import { levelOptions, type Settings } from "../../shared/tower.ts";
import { keyOf } from "./rules/common.ts";
import type { Arrays, GroupRule } from "./rules/spec.ts";

/** Hyperparameters that give only the first step, so their initial values hold for a whole run. */
const firstOnly = ["d0", "firstMove"];

export const dotFunction = ({ module }: Arrays) => `def dot(a, b):
    """Sum of all products of entries of two lists of arrays."""
    return sum(${module}.sum(u * v) for u, v in zip(a, b))`;

/** Whether the rule calls dot(). */
export const usesDot = (rule: GroupRule, arrays: Arrays) => rule.body(arrays).some((line) => line.includes("dot("));

/** Hyperparameters that the rule reads. */
export function hyperparametersOf(rule: GroupRule, { optimizer }: Settings, arrays: Arrays): string[] {
  const text = [...rule.body(arrays), ...Object.values(rule.shared ?? {})].join("\n");
  return optimizerSpec(optimizer).hyperparameters.flatMap(({ name }) => (text.includes(`h["${keyOf(name)}"]`) ? [name] : []));
}

/** Those that may change during a run. */
export const followedBy = (rule: GroupRule, settings: Settings, arrays: Arrays) => hyperparametersOf(rule, settings, arrays).filter((name) => !firstOnly.includes(name));

/** Why the framework's own optimizer is not used. */
export function whyOwn(settings: Settings, framework: CodeFramework): string {
  const { label, exports } = optimizerSpec(settings.optimizer);
  if (levelOptions(settings).mechanic) return `The run's ${label} under Mechanic (Cutkosky, Defazio and Mehta 2023).`;
  const found = exports[framework];
  return found.as === "own" ? `The run's ${label}; ${found.why}.` : `The run's ${label}, with options or changing values that ${found.as === "refused" ? framework : found.what} lacks.`;
}

/** Definition of the rule as a pure function. */
export function ruleFunction(rule: GroupRule, name: string, arrays: Arrays): string {
  return `def ${name}(weights, gradients, slots, shared, h, count):
    """Moves lists of arrays by one update; returns them, the slots of each and the shared slots. count is from 1."""
${rule.body(arrays).map((line) => `    ${line}\n`).join("").trimEnd()}`;
}
