/** What level 0 learned, as a PyTorch optimizer and scheduler. */
import type { RunDetail } from "../../shared/run.ts";
import { initialValue, type Settings } from "../../shared/tower.ts";
import { ExportError } from "./errors.ts";
import { constantName, frozenGroups, groupsCode, knotLists, type Learned, type LearnedPart } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float, string } from "./python.ts";
import { pytorchRule, pytorchRules, rmsPropClass, secondMomentFunction, type PytorchRule } from "./pytorchRules.ts";

export const pytorchExpresses = (settings: Settings) => pytorchRule(settings).expresses ?? [];

export function pytorchCode(run: RunDetail, learned: Learned): string {
  return learned.level.groups.length === 0 ? oneGroup(run, learned, learned.parts[0]!) : parameterGroups(run, learned);
}

/** Keyword arguments with the final values, and with those of an update. */
function keywordsOf(part: LearnedPart, { keywords }: PytorchRule): { readonly final: Readonly<Record<string, string>>; readonly now: Readonly<Record<string, string>> } {
  const final = (hyperparameter: string) => float(part.final[hyperparameter]!);
  const now = (hyperparameter: string) => (part.schedules.has(hyperparameter) ? `value_at(${constantName(part, hyperparameter)}, update)` : final(hyperparameter));
  return { final: keywords(final), now: keywords(now) };
}

/** Definitions that the optimizer needs. */
function supportCode(rule: PytorchRule, adam: boolean, start: string): string {
  if (rule.own) return `${rmsPropClass}\n\n\n`;
  return adam ? `${secondMomentFunction(start)}\n\n\n` : "";
}

const classOf = ({ own, name }: PytorchRule) => (own ? name : `torch.optim.${name}`);

/** Python expressions of Adam's initial second moment, from a part's final and initial values. */
function secondMoments({ settings, final }: LearnedPart): { readonly final: string; readonly initial: string } {
  const power = (logEps: number) => `10.0 ** ${float(logEps)}`;
  return { final: power(final["logEps"]!), initial: power(initialValue(settings, "logEps")) };
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
  const rule = pytorchRule(settings);
  const { final, now } = keywordsOf(part, rule);
  const changing = Object.entries(rule.scheduled).filter(([, names]) => names.some((one) => schedules.has(one)));
  const lines = changing.map(([keyword]) => `            group["${keyword}"] = ${now[keyword]!}`);
  const inGroups = lines.length === 0 ? "" : `        for group in self.optimizer.param_groups:\n${lines.join("\n")}\n`;
  const lists = knotLists(learned);
  const adam = settings.optimizer === "adam";
  const plain = `${classOf(rule)}(parameters, ${args(final)})`;
  const restart = schedules.has("logEps") ? `    start_second_moment(optimizer, ${secondMoments(part).initial})\n` : "";
  return `${comment(...originLines(run), "", ...head(label, learned.notes))}
from bisect import bisect_right

import torch

${lists === "" ? "" : `${lists}\n\n`}${supportCode(rule, adam, "start")}${baseClass}


def final_optimizer(parameters):
    """Plain ${label} at the values that the run ended with."""
    return ${adam ? `start_second_moment(${plain}, ${secondMoments(part).final})` : plain}


class LearnedSchedule(LRScheduler):
    """The run's hyperparameters, update by update; call step() after each step() of the optimizer."""

    def get_lr(self):
        update = self.last_epoch + 1
${inGroups}        return [${now["lr"]!}] * len(self.optimizer.param_groups)


def scheduled_optimizer(parameters):
    """The optimizer and the scheduler that gives each of its steps the hyperparameters of the run."""
    optimizer = final_optimizer(parameters)
${restart}    return optimizer, LearnedSchedule(optimizer)
`;
}

/** @throws ExportError where the groups need different optimizers */
function parameterGroups(run: RunDetail, learned: Learned): string {
  const { parts, level } = learned;
  const rules = pytorchRules(parts.map(({ settings }) => settings));
  const names = [...new Set(rules.map(({ name }) => name))];
  if (names.length > 1) {
    throw new ExportError(`The groups of level 0 are moved by ${names.join(" and ")}; a PyTorch optimizer has one rule for all its groups. Optax and Keras code, CSV and JSON can express it.`);
  }
  const rule = rules[0]!;
  const adam = parts[0]!.settings.optimizer === "adam";
  const frozen = frozenGroups(level).map((name) => (name === "" ? "what is in no group" : name));
  const lists = knotLists(learned);
  const entries = (text: (part: LearnedPart, index: number) => string) =>
    parts.map((part, index) => `    ${string(part.group ?? "")}: ${text(part, index)},`).join("\n");
  const starts = (which: "final" | "initial") => `{${parts.map((part) => `${string(part.group ?? "")}: ${secondMoments(part)[which]}`).join(", ")}}`;
  const plain = `${classOf(rule)}(groups, lr=0.0)`;
  const restart = parts.some(({ schedules }) => schedules.has("logEps")) ? `    start_second_moment(optimizer, ${starts("initial")})\n` : "";
  return `${comment(
    ...originLines(run),
    "",
    ...head(`Groups of ${parts[0]!.label}`, learned.notes),
    "Both take a model's named_parameters().",
    ...(frozen.length > 0 ? [`Held fixed by the run, and so given to no optimizer: ${frozen.join(", ")}.`] : []),
  )}
import re
from bisect import bisect_right

import torch

${lists === "" ? "" : `${lists}\n\n`}${groupsCode(learned)}


${supportCode(rule, adam, 'start[group["group"]]')}${baseClass}


# Final values; the groups that the run held fixed are missing.
FINAL = {
${entries((part, index) => `dict(${args(keywordsOf(part, rules[index]!).final)})`)}
}

# Values of an update, counted from 1.
SCHEDULED = {
${entries((part, index) => `lambda update: dict(${args(keywordsOf(part, rules[index]!).now)})`)}
}


def final_optimizer(named_parameters):
    """Plain ${parts[0]!.label} at the values that the run ended with, a parameter group for each group."""
    members = {}
    for name, parameter in named_parameters:
        if group_of(name) in FINAL:
            members.setdefault(group_of(name), []).append(parameter)
    groups = [{"params": parameters, "group": group, **FINAL[group]} for group, parameters in members.items()]
    return ${adam ? `start_second_moment(${plain}, ${starts("final")})` : plain}


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
${restart}    return optimizer, LearnedSchedule(optimizer)
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
