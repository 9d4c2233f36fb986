/** What level 0 learned, as a PyTorch optimizer and scheduler. */
import type { RunDetail } from "../../shared/run.ts";
import type { Level } from "../../shared/tower.ts";
import { constantName, decays, knotLists, type Learned } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float } from "./python.ts";

type Expression = (hyperparameter: string) => string;

interface Target {
  readonly name: string;
  /** Keyword arguments, from Python expressions of the hyperparameters. */
  readonly keywords: (value: Expression) => Readonly<Record<string, string>>;
  /** Keywords that follow what is learned, beside the step size, with the hyperparameters they are made of. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Options beyond the authors' library that it has. */
  readonly expresses?: readonly string[];
  readonly note?: readonly string[];
}

function targetOf(of: Level): Target {
  switch (of.optimizer) {
    case "sgd": {
      const coupled = decays(of) && of.weightDecayAs === "coupled";
      return {
        name: "SGD",
        keywords: (v) => ({
          lr: v("alpha"),
          momentum: v("mu"),
          ...(of.dampening !== 0 && { dampening: v("dampening") }),
          ...(coupled && { weight_decay: v("weightDecay") }),
          ...(of.nesterov && { nesterov: "True" }),
        }),
        groups: { momentum: ["mu"], ...(coupled && { weight_decay: ["weightDecay"] }) },
        // PyTorch has no decoupled decay for SGD, and Nesterov's momentum only undampened.
        expresses: ["momentumFromZero", ...(of.nesterov ? ["nesterov"] : ["dampening"]), ...(coupled ? ["weightDecay", "weightDecayAs"] : [])],
        ...(of.momentumFromZero && of.mu === 0 && { note: ["PyTorch begins to keep momentum at the first update whose momentum is not 0."] }),
      };
    }
    case "adam":
      return {
        name: decays(of) && of.weightDecayAs === "decoupled" ? "AdamW" : "Adam",
        keywords: (v) => ({
          lr: v("alpha"),
          betas: `(${v("beta1")}, ${v("beta2")})`,
          eps: `10.0 ** ${v("logEps")}`,
          ...(decays(of) && { weight_decay: v("weightDecay") }),
          ...(of.amsgrad && { amsgrad: "True" }),
        }),
        groups: { betas: ["beta1", "beta2"], eps: ["logEps"], ...(decays(of) && { weight_decay: ["weightDecay"] }) },
        expresses: ["amsgrad", "weightDecay", "weightDecayAs"],
      };
    case "adaGrad":
      return { name: "Adagrad", keywords: (v) => ({ lr: v("alpha"), initial_accumulator_value: "0.1", eps: "1e-10" }), groups: {} };
    case "rmsProp":
      return {
        name: "RMSprop",
        keywords: (v) => ({ lr: v("alpha"), alpha: v("gamma"), eps: "1e-4" }),
        groups: { alpha: ["gamma"] },
        note: [
          "PyTorch adds eps outside the root, the run added 1e-8 inside it. With 1e-4 outside the two",
          "agree where squared gradients are large or zero; in between PyTorch's steps are up to 29 % shorter.",
        ],
      };
    default:
      return of satisfies never;
  }
}

export const pytorchExpresses = (of: Level) => targetOf(of).expresses ?? [];

export function pytorchCode(run: RunDetail, learned: Learned): string {
  const { name, keywords, groups, note } = targetOf(learned.level);
  const constants = keywords((hyperparameter) => float(learned.final[hyperparameter]!));
  const now = keywords((hyperparameter) =>
    learned.schedules.has(hyperparameter) ? `value_at(${constantName(hyperparameter)}, update)` : float(learned.final[hyperparameter]!),
  );
  const changing = Object.entries(groups).filter(([, names]) => names.some((one) => learned.schedules.has(one)));
  const settings = changing.map(([keyword]) => `            group["${keyword}"] = ${now[keyword]!}`);
  const inGroups = settings.length === 0 ? "" : `        for group in self.optimizer.param_groups:\n${settings.join("\n")}\n`;
  const lists = knotLists(learned);
  return `${comment(...originLines(run), "", ...head(learned, note))}
from bisect import bisect_right

import torch

${lists === "" ? "" : `${lists}\n\n`}LRScheduler = getattr(torch.optim.lr_scheduler, "LRScheduler", None) or torch.optim.lr_scheduler._LRScheduler


def value_at(knots, update):
    """Linear between knots, constant outside."""
    i = bisect_right(knots, (update, float("inf")))
    if i == 0 or i == len(knots):
        return knots[max(0, i - 1)][1]
    (x0, y0), (x1, y1) = knots[i - 1], knots[i]
    return y0 + (y1 - y0) * (update - x0) / (x1 - x0)


def final_optimizer(parameters):
    """Plain ${learned.label} at the values that the run ended with."""
    return torch.optim.${name}(parameters, ${args(constants)})


class LearnedSchedule(LRScheduler):
    """The run's hyperparameters, update by update; call step() after each step() of the optimizer."""

    def get_lr(self):
        update = self.last_epoch + 1
${inGroups}        return [${now["lr"]!}] * len(self.optimizer.param_groups)


def scheduled_optimizer(parameters):
    """The optimizer and the scheduler that gives each of its steps the hyperparameters of the run."""
    optimizer = final_optimizer(parameters)
    return optimizer, LearnedSchedule(optimizer)
`;
}

function head({ label }: Learned, note: readonly string[] = []): string[] {
  return [
    `${label} with what it learned, for PyTorch: final_optimizer() has the final values,`,
    "scheduled_optimizer() follows the whole way there.",
    ...note,
  ];
}

const args = (keywords: Readonly<Record<string, string>>) => Object.entries(keywords).map(([key, value]) => `${key}=${value}`).join(", ");
