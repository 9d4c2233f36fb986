/** What level 0 learned, as a PyTorch optimizer and scheduler. */
import type { RunDetail } from "../../shared/run.ts";
import type { Settings } from "../../shared/tower.ts";
import { ExportError } from "./errors.ts";
import { constantName, decays, frozenGroups, groupsCode, knotLists, type Learned, type LearnedPart } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float, string } from "./python.ts";

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

function targetOf(of: Settings): Target {
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

export const pytorchExpresses = (of: Settings) => targetOf(of).expresses ?? [];

export function pytorchCode(run: RunDetail, learned: Learned): string {
  return learned.level.groups.length === 0 ? oneGroup(run, learned, learned.parts[0]!) : parameterGroups(run, learned);
}

/** Keyword arguments with the final values, and with those of an update. */
function keywordsOf(part: LearnedPart): { readonly final: Readonly<Record<string, string>>; readonly now: Readonly<Record<string, string>> } {
  const { keywords } = targetOf(part.settings);
  const final = (hyperparameter: string) => float(part.final[hyperparameter]!);
  const now = (hyperparameter: string) => (part.schedules.has(hyperparameter) ? `value_at(${constantName(part, hyperparameter)}, update)` : final(hyperparameter));
  return { final: keywords(final), now: keywords(now) };
}

const baseClass = `LRScheduler = getattr(torch.optim.lr_scheduler, "LRScheduler", None) or torch.optim.lr_scheduler._LRScheduler


def value_at(knots, update):
    """Linear between knots, constant outside."""
    i = bisect_right(knots, (update, float("inf")))
    if i == 0 or i == len(knots):
        return knots[max(0, i - 1)][1]
    (x0, y0), (x1, y1) = knots[i - 1], knots[i]
    return y0 + (y1 - y0) * (update - x0) / (x1 - x0)`;

function oneGroup(run: RunDetail, learned: Learned, part: LearnedPart): string {
  const { label, settings, schedules } = part;
  const { name, groups, note } = targetOf(settings);
  const { final, now } = keywordsOf(part);
  const changing = Object.entries(groups).filter(([, names]) => names.some((one) => schedules.has(one)));
  const lines = changing.map(([keyword]) => `            group["${keyword}"] = ${now[keyword]!}`);
  const inGroups = lines.length === 0 ? "" : `        for group in self.optimizer.param_groups:\n${lines.join("\n")}\n`;
  const lists = knotLists(learned);
  return `${comment(...originLines(run), "", ...head(label, note))}
from bisect import bisect_right

import torch

${lists === "" ? "" : `${lists}\n\n`}${baseClass}


def final_optimizer(parameters):
    """Plain ${label} at the values that the run ended with."""
    return torch.optim.${name}(parameters, ${args(final)})


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

/** @throws ExportError where the groups have more than one rule between them */
function parameterGroups(run: RunDetail, learned: Learned): string {
  const { parts, level } = learned;
  const names = [...new Set(parts.map(({ settings }) => targetOf(settings).name))];
  if (names.length > 1) {
    throw new ExportError(`The groups of level 0 are moved by ${names.join(" and ")}; a PyTorch optimizer has one rule for all its groups. Optax code, CSV and JSON can express it.`);
  }
  const notes = [...new Set(parts.flatMap(({ settings }) => targetOf(settings).note ?? []))];
  const frozen = frozenGroups(level).map((name) => (name === "" ? "what is in no group" : name));
  const lists = knotLists(learned);
  const entries = (text: (part: LearnedPart) => string) => parts.map((part) => `    ${string(part.group ?? "")}: ${text(part)},`).join("\n");
  return `${comment(
    ...originLines(run),
    "",
    ...head(`Groups of ${parts[0]!.label}`, notes),
    "Both take a model's named_parameters().",
    ...(frozen.length > 0 ? [`Held fixed by the run, and so given to no optimizer: ${frozen.join(", ")}.`] : []),
  )}
import re
from bisect import bisect_right

import torch

${lists === "" ? "" : `${lists}\n\n`}${groupsCode(learned)}


${baseClass}


# Final values; the groups that the run held fixed are missing.
FINAL = {
${entries((part) => `dict(${args(keywordsOf(part).final)})`)}
}

# Values of an update, counted from 1.
SCHEDULED = {
${entries((part) => `lambda update: dict(${args(keywordsOf(part).now)})`)}
}


def final_optimizer(named_parameters):
    """Plain ${parts[0]!.label} at the values that the run ended with, a parameter group for each group."""
    members = {}
    for name, parameter in named_parameters:
        if group_of(name) in FINAL:
            members.setdefault(group_of(name), []).append(parameter)
    groups = [{"params": parameters, "group": group, **FINAL[group]} for group, parameters in members.items()]
    return torch.optim.${names[0]!}(groups, lr=0.0)


class LearnedSchedule(LRScheduler):
    """The run's hyperparameters, update by update; call step() after each step() of the optimizer."""

    def get_lr(self):
        now = [SCHEDULED[group["group"]](self.last_epoch + 1) for group in self.optimizer.param_groups]
        for group, values in zip(self.optimizer.param_groups, now):
            group.update({name: value for name, value in values.items() if name != "lr"})
        return [values["lr"] for values in now]


def scheduled_optimizer(named_parameters):
    """The optimizer and the scheduler that gives each of its steps the hyperparameters of the run."""
    optimizer = final_optimizer(named_parameters)
    return optimizer, LearnedSchedule(optimizer)
`;
}

function head(what: string, note: readonly string[] = []): string[] {
  return [
    `${what} with what it learned, for PyTorch: final_optimizer() has the final values,`,
    "scheduled_optimizer() follows the whole way there.",
    ...note,
  ];
}

const args = (keywords: Readonly<Record<string, string>>) => Object.entries(keywords).map(([key, value]) => `${key}=${value}`).join(", ");
