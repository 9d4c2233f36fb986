/** A rule that is written once for all frameworks, as a PyTorch optimizer. */
import type { Settings } from "../../shared/tower.ts";
import { dotFunction, followedBy, hyperparametersOf, ruleFunction, usesDot, whyOwn } from "./groupRules.ts";
import { string } from "./python.ts";
import { groupStepCode } from "./pytorchClasses.ts";
import { keyOf } from "./rules/common.ts";
import type { Arrays, GroupRule, PytorchRule } from "./rules/spec.ts";

const arrays: Arrays = { module: "torch", transpose: (matrix) => `${matrix}.T`, vector: (numbers) => `weights[0].new_tensor(${numbers})` };

const starts = { zeros: "torch.zeros_like(w)", weight: "w.clone()", zero: "w.new_tensor(0.0)" };

export function groupAsPytorch(settings: Settings, rule: GroupRule): PytorchRule & { readonly helpers: readonly string[] } {
  if (rule.evaluated !== undefined) throw new Error(`${rule.name} evaluates an average, which PyTorch's class has no switch for`);
  const names = hyperparametersOf(rule, settings, arrays);
  return {
    maker: rule.name,
    ...(rule.options && { options: rule.options }),
    definition: (name) => classCode(settings, rule, name),
    keywords: (value) => Object.fromEntries(names.map((name) => [keyOf(name), name === "logEps" ? `10.0 ** ${value(name)}` : value(name)])),
    scheduled: Object.fromEntries(followedBy(rule, settings, arrays).flatMap((name) => (name === "alpha" ? [] : [[keyOf(name), [name]]]))),
    helpers: usesDot(rule, arrays) ? [dotFunction(arrays)] : [],
  };
}

function classCode(settings: Settings, rule: GroupRule, name: string): string {
  const update = `${name.toLowerCase()}_update`;
  const slots = Object.entries(rule.slots).map(([slot, start]) => `${slot}=${starts[start]}`);
  const shared = Object.entries(rule.shared ?? {}).map(([slot, start]) => `${string(slot)}: weights[0].new_tensor(${start.replaceAll("h[", "group[")})`);
  const step = groupStepCode([
    'weights = [parameter for parameter in group["params"] if parameter.grad is not None]',
    "if len(weights) == 0:",
    "    continue",
    "for w in weights:",
    "    if len(self.state[w]) == 0:",
    `        self.state[w].update(${slots.join(", ")})`,
    'if "shared" not in group:',
    `    group.update(count=0, shared={${shared.join(", ")}})`,
    'group["count"] += 1',
    "gradients, slots = [w.grad for w in weights], [self.state[w] for w in weights]",
    `moved, kept, group["shared"] = ${update}(weights, gradients, slots, group["shared"], group, group["count"])`,
    "for w, new, slot in zip(weights, moved, kept):",
    "    w.copy_(new)",
    "    self.state[w].update(slot)",
  ]);
  return `${ruleFunction(rule, update, arrays)}


class ${name}(torch.optim.Optimizer):
    """${whyOwn(settings, "pytorch")}"""

    def __init__(self, params, **values):
        super().__init__(params, values)

${step}`;
}
