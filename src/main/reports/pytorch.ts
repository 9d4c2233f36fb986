/** What level 0 learned, as a PyTorch optimizer and scheduler. */
import type { RunDetail } from "../../shared/run.ts";
import { initialValue, type Settings } from "../../shared/tower.ts";
import { clips, clipsValues, clipValuesCode, constantName, frozenGroups, groupsCode, knotLists, type Learned, type LearnedPart } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float, string } from "./python.ts";
import { adagradFunction, clipFunction, ownClasses, secondMomentFunction, togetherClass } from "./pytorchClasses.ts";
import { classOf, pytorchRule, pytorchRules, type PytorchRule } from "./pytorchRules.ts";

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

/** Definitions of the classes that PyTorch lacks. */
const classesCode = (rules: readonly PytorchRule[]) =>
  [...new Set(rules.filter(({ own }) => own).map(({ name }) => name))].map((name) => `${ownClasses[name]!}\n\n\n`).join("");

const isAdam = ({ settings }: LearnedPart) => settings.optimizer === "adam";

/** Python expressions of Adam's initial second moment, from a part's final and initial values. */
function secondMoments({ settings, final }: LearnedPart): { readonly final: string; readonly initial: string } {
  const power = (logEps: number) => `10.0 ** ${float(logEps)}`;
  return { final: power(final["logEps"]!), initial: power(initialValue(settings, "logEps")) };
}

/** Definition of `clipped`, where the run clipped. @param limit Python expression of a group's limit by value */
const clipCode = (learned: Learned, limit: string) =>
  clips(learned) ? `${clipFunction(clipsValues(learned) ? limit : null, learned.level.clipNorm === null ? null : float(learned.level.clipNorm))}\n\n\n` : "";

const clipped = (learned: Learned, optimizer: string) => (clips(learned) ? `clipped(${optimizer})` : optimizer);

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
  const adam = isAdam(part);
  const plain = `${classOf(rule)}(parameters, ${args(final)})`;
  const restart = schedules.has("logEps") ? `    start_second_moment(optimizer, ${secondMoments(part).initial})\n` : "";
  const made = clipped(learned, adam ? `start_second_moment(${plain}, ${secondMoments(part).final})` : plain);
  const clip = clipCode(learned, settings.clipValue === null ? "None" : float(settings.clipValue));
  return `${comment(...originLines(run), "", ...head(label, learned.notes))}
from bisect import bisect_right

import torch

${lists === "" ? "" : `${lists}\n\n`}${classesCode([rule])}${adam ? `${secondMomentFunction("[optimizer]", "start")}\n\n\n` : ""}${clip}${baseClass}


def final_optimizer(parameters):
    """Plain ${label} at the values that the run ended with."""
    return ${made}


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

const indexed = (parts: readonly LearnedPart[], text: (part: LearnedPart, index: number) => string) =>
  parts.map((part, index) => `    ${string(part.group ?? "")}: ${text(part, index)},`).join("\n");

/** One class for all groups, or `Together` with one optimizer for each class. */
function groupsOptimizer(parts: readonly LearnedPart[], rules: readonly PytorchRule[]): { readonly definitions: string; readonly made: string } {
  const several = new Set(rules.map(({ name }) => name)).size > 1;
  const moments = parts.some(isAdam) ? [secondMomentFunction(several ? '[one for one in optimizer.optimizers if "betas" in one.defaults]' : "[optimizer]", 'start[group["group"]]')] : [];
  const functions = [...moments, ...(rules.some(({ name }) => name === "Adagrad") ? [adagradFunction] : [])];
  const kindOf = (rule: PytorchRule) => (rule.name === "Adagrad" ? "adagrad" : classOf(rule));
  if (!several) return { definitions: [...functions, ""].join("\n\n\n"), made: `${kindOf(rules[0]!)}(groups, lr=0.0)` };
  const table = `# What makes the optimizer of each group.\nKINDS = {\n${indexed(parts, (_, index) => kindOf(rules[index]!))}\n}`;
  return {
    definitions: [togetherClass, ...functions, table, ""].join("\n\n\n"),
    made: `Together([kind([group for group in groups if KINDS[group["group"]] is kind], lr=0.0) for kind in dict.fromkeys(KINDS[group["group"]] for group in groups)])`,
  };
}

function parameterGroups(run: RunDetail, learned: Learned): string {
  const { parts, level } = learned;
  const rules = pytorchRules(parts.map(({ settings }) => settings));
  const labels = [...new Set(parts.map(({ label }) => label))];
  const adams = parts.filter(isAdam);
  const frozen = frozenGroups(level).map((name) => (name === "" ? "what is in no group" : name));
  const lists = knotLists(learned);
  const starts = (which: "final" | "initial") => `{${adams.map((part) => `${string(part.group ?? "")}: ${secondMoments(part)[which]}`).join(", ")}}`;
  const { definitions, made } = groupsOptimizer(parts, rules);
  const restart = adams.some(({ schedules }) => schedules.has("logEps")) ? `    start_second_moment(optimizer, ${starts("initial")})\n` : "";
  return `${comment(
    ...originLines(run),
    "",
    ...head(`Groups of ${labels.join(" and ")}`, learned.notes),
    "Both take a model's named_parameters().",
    ...(frozen.length > 0 ? [`Held fixed by the run, and so given to no optimizer: ${frozen.join(", ")}.`] : []),
  )}
import re
from bisect import bisect_right

import torch

${lists === "" ? "" : `${lists}\n\n`}${groupsCode(learned)}


${classesCode(rules)}${definitions}${clipCode(learned, `${clipValuesCode(learned)}.get(group["group"])`)}${baseClass}


# Final values; the groups that the run held fixed are missing.
FINAL = {
${indexed(parts, (part, index) => `dict(${args(keywordsOf(part, rules[index]!).final)})`)}
}

# Values of an update, counted from 1.
SCHEDULED = {
${indexed(parts, (part, index) => `lambda update: dict(${args(keywordsOf(part, rules[index]!).now)})`)}
}


def final_optimizer(named_parameters):
    """Plain ${labels.join(" and ")} at the values that the run ended with, a parameter group for each group."""
    members = {}
    for name, parameter in named_parameters:
        if group_of(name) in FINAL:
            members.setdefault(group_of(name), []).append(parameter)
    groups = [{"params": parameters, "group": group, **FINAL[group]} for group, parameters in members.items()]
    return ${clipped(learned, adams.length > 0 ? `start_second_moment(${made}, ${starts("final")})` : made)}


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
