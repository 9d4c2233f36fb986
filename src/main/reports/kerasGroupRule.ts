/** A rule that is written once for all frameworks, as a function that moves a group of Keras variables. */
import type { Settings } from "../../shared/tower.ts";
import { dotFunction, followedBy, hyperparametersOf, ruleFunction, usesDot, whyOwn } from "./groupRules.ts";
import { valueNow } from "./kerasSubclass.ts";
import type { LearnedPart } from "./learned.ts";
import { float, string } from "./python.ts";
import { keyOf } from "./rules/common.ts";
import type { Arrays, GroupRule } from "./rules/spec.ts";

const arrays: Arrays = { module: "ops", transpose: (matrix) => `ops.transpose(${matrix})`, vector: (numbers) => `ops.convert_to_tensor(${numbers}, dtype="float32")` };

export const kerasFollows = (rule: GroupRule, settings: Settings) => followedBy(rule, settings, arrays);

export const kerasHelpers = (rule: GroupRule) => (usesDot(rule, arrays) ? [dotFunction(arrays)] : []);

const finalValue = ({ final }: LearnedPart, name: string) => (name === "logEps" ? `10.0 ** ${float(final[name]!)}` : float(final[name]!));

/** The rule, and a function that calls it with what is in force. */
export function groupFunction(part: LearnedPart, rule: GroupRule, name: string): string {
  const entries = hyperparametersOf(rule, part.settings, arrays).map((hyperparameter) => {
    const now = valueNow(part, hyperparameter, finalValue(part, hyperparameter));
    return `        ${string(keyOf(hyperparameter))}: ${hyperparameter === "alpha" ? `learning_rate * (${now})` : now},\n`;
  });
  return `${ruleFunction(rule, `${name}_update`, arrays)}


def ${name}(self, weights, gradients, slots, shared, learning_rate):
    """${whyOwn(part.settings, "keras")}"""
    h = {
${entries.join("")}    }
    return ${name}_update(weights, gradients, slots, shared, h, ops.cast(self.iterations + 1, "float32"))`;
}

/** Initial values of the shared slots as a Python dictionary; they depend on constants alone. */
export function sharedStarts(part: LearnedPart, rule: GroupRule): string {
  const constant = (text: string) => text.replace(/h\["(\w+)"\]/g, (_, key: string) => finalValue(part, hyperparametersOf(rule, part.settings, arrays).find((name) => keyOf(name) === key)!));
  return `{${Object.entries(rule.shared ?? {}).map(([slot, start]) => `${string(slot)}: ${constant(start)}`).join(", ")}}`;
}
