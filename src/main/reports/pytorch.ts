/** What level 0 learned, as a PyTorch optimizer and scheduler. */
import type { RunDetail } from "../../shared/run.ts";
import { constantName, knotLists, type Learned } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float } from "./python.ts";

interface Target {
  readonly name: string;
  /** Keyword arguments, from Python expressions of the hyperparameters. */
  readonly keywords: (value: (name: string) => string) => Readonly<Record<string, string>>;
  /** Keywords that depend on what is learned, beside the step size. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly note?: readonly string[];
}

const targets: Record<Learned["optimizer"], Target> = {
  sgd: { name: "SGD", keywords: (v) => ({ lr: v("alpha"), momentum: v("mu") }), groups: { momentum: ["mu"] } },
  adam: {
    name: "Adam",
    keywords: (v) => ({ lr: v("alpha"), betas: `(${v("beta1")}, ${v("beta2")})`, eps: `10.0 ** ${v("logEps")}` }),
    groups: { betas: ["beta1", "beta2"], eps: ["logEps"] },
  },
  adaGrad: { name: "Adagrad", keywords: (v) => ({ lr: v("alpha"), initial_accumulator_value: "0.1", eps: "1e-10" }), groups: {} },
  rmsProp: {
    name: "RMSprop",
    keywords: (v) => ({ lr: v("alpha"), alpha: v("gamma"), eps: "1e-4" }),
    groups: { alpha: ["gamma"] },
    note: [
      "PyTorch adds eps outside the root, the run added 1e-8 inside it. With 1e-4 outside the two",
      "agree where squared gradients are large or zero; in between PyTorch's steps are up to 29 % shorter.",
    ],
  },
};

export function pytorchCode(run: RunDetail, learned: Learned): string {
  const { name, keywords, groups, note } = targets[learned.optimizer];
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
