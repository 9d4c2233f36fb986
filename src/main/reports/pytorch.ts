/** What level 0 learned, as a PyTorch optimizer and scheduler. */
import { optimizerSpec } from "../../shared/optimizers.ts";
import type { RunDetail } from "../../shared/run.ts";
import { initialValue, type Settings } from "../../shared/tower.ts";
import { definitionsOf } from "./definitions.ts";
import { clips, clipsValues, clipValuesCode, constantName, frozenGroups, groupsCode, knotLists, type Expressible, type Learned, type LearnedPart } from "./learned.ts";
import { originLines } from "./origin.ts";
import { comment, float, string } from "./python.ts";
import { clipFunction, inTrainingFunction, secondMomentFunction, togetherClass } from "./pytorchClasses.ts";
import { groupAsPytorch } from "./pytorchGroupRule.ts";
import { pytorchRule } from "./rules/index.ts";
import { isGroupRule, type PytorchRule } from "./rules/spec.ts";

type Rule = PytorchRule & { readonly helpers?: readonly string[] };

function ruleOf(settings: Settings, all?: readonly Settings[]): Rule {
  const rule = pytorchRule(settings, all);
  return isGroupRule(rule) ? groupAsPytorch(settings, rule) : rule;
}

export function pytorchExpresses(settings: Settings, all: readonly Settings[]): Expressible {
  const { options = [], scheduled } = ruleOf(settings, all);
  return { options, follows: ["alpha", ...Object.values(scheduled).flat()] };
}

export function pytorchCode(run: RunDetail, learned: Learned): string {
  return learned.level.groups.length === 0 ? oneGroup(run, learned, learned.parts[0]!) : parameterGroups(run, learned);
}

/** Keyword arguments with the final values, and with those of an update. */
function keywordsOf(part: LearnedPart, { keywords }: Rule): { readonly final: Readonly<Record<string, string>>; readonly now: Readonly<Record<string, string>> } {
  const final = (hyperparameter: string) => float(part.final[hyperparameter]!);
  const now = (hyperparameter: string) => (part.schedules.has(hyperparameter) ? `value_at(${constantName(part, hyperparameter)}, update)` : final(hyperparameter));
  return { final: keywords(final), now: keywords(now) };
}

/** Python expressions of Adam's initial second moment, from a part's final and initial values. */
function secondMoments({ settings, final }: LearnedPart): { readonly final: string; readonly initial: string } {
  const power = (logEps: number) => `10.0 ** ${float(logEps)}`;
  return { final: power(final["logEps"]!), initial: power(initialValue(settings, "logEps")) };
}

/** What the rules ask of whoever calls the optimizer, and to install. */
function remarks(parts: readonly LearnedPart[], rules: readonly Rule[]): string[] {
  const packages = parts.flatMap(({ settings }, i) => {
    const { pytorch } = optimizerSpec(settings.optimizer).exports;
    return pytorch.as === "package" && rules[i]!.module !== undefined ? [pytorch.package] : [];
  });
  return [
    ...(packages.length > 0 ? [`Needs: pip install ${[...new Set(packages)].join(" ")}`] : []),
    ...(rules.some(({ takesLoss }) => takesLoss) ? ["Its step size depends on the loss: call optimizer.step(loss=loss), or step() with a closure."] : []),
    ...(rules.some(({ evaluates }) => evaluates) ? ["The run evaluated an average of the weights: call optimizer.eval() before evaluating or saving, optimizer.train() before training on."] : []),
  ];
}

const importLines = (rules: readonly Rule[]) => [...new Set(["torch", ...rules.flatMap(({ module }) => module ?? [])])].sort().map((module) => `import ${module}`).join("\n");

const paragraphs = (texts: readonly string[]) => texts.map((text) => `${text}\n\n\n`).join("");

/** The optimizer ready to train, where training and evaluation differ. */
const ready = (rules: readonly Rule[], optimizer: string) => (rules.some(({ evaluates }) => evaluates) ? `in_training(${optimizer})` : optimizer);

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
  const rule = ruleOf(settings);
  const { final, now } = keywordsOf(part, rule);
  const changing = Object.entries(rule.scheduled).filter(([, names]) => names.some((one) => schedules.has(one)));
  const lines = changing.map(([keyword]) => `            group["${keyword}"] = ${now[keyword]!}`);
  const inGroups = lines.length === 0 ? "" : `        for group in self.optimizer.param_groups:\n${lines.join("\n")}\n`;
  const lists = knotLists(learned);
  const adam = rule.startsSecondMoment === true;
  const plain = `${rule.maker}(parameters, ${args(final)})`;
  const restart = adam && schedules.has("logEps") ? `    start_second_moment(optimizer, ${secondMoments(part).initial})\n` : "";
  const made = ready([rule], clipped(learned, adam ? `start_second_moment(${plain}, ${secondMoments(part).final})` : plain));
  const clip = clipCode(learned, settings.clipValue === null ? "None" : float(settings.clipValue));
  return `${comment(...originLines(run), "", ...head(label, [...remarks([part], [rule]), ...learned.notes]))}
from bisect import bisect_right

${importLines([rule])}

${lists === "" ? "" : `${lists}\n\n`}${paragraphs([...definitionsOf([part], [rule]).texts, ...(rule.evaluates ? [inTrainingFunction] : [])])}${adam ? `${secondMomentFunction("[optimizer]", "start")}\n\n\n` : ""}${clip}${baseClass}


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
function groupsOptimizer(parts: readonly LearnedPart[], rules: readonly Rule[]): { readonly definitions: string; readonly made: string } {
  const { texts, makers } = definitionsOf(parts, rules);
  const kinds = rules.map((rule, i) => {
    if (rule.forGroups) return rule.forGroups.name;
    return rule.alone ? `lambda groups, lr: ${rule.maker}(groups, ${args(keywordsOf(parts[i]!, rule).final)})` : makers[i]!;
  });
  const several = new Set(kinds).size > 1 || rules.filter(({ alone }) => alone).length > 1;
  const starting = rules.some(({ startsSecondMoment }) => startsSecondMoment);
  const moments = starting ? [secondMomentFunction(several ? '[one for one in optimizer.optimizers if "betas" in one.defaults and one.param_groups[0]["group"] in start]' : "[optimizer]", 'start[group["group"]]')] : [];
  const functions = [...texts, ...moments, ...new Set(rules.flatMap(({ forGroups }) => forGroups?.definition ?? []))];
  if (!several) return { definitions: paragraphs(functions), made: rules[0]!.alone ? `(${kinds[0]!})(groups, lr=0.0)` : `${kinds[0]!}(groups, lr=${defaultRate(rules[0]!)})` };
  const takeLoss = [...new Set(rules.flatMap(({ takesLoss, maker }) => (takesLoss ? [maker] : [])))];
  const table = `# What makes the optimizer of each group.\nKINDS = {\n${indexed(parts, (_, index) => kinds[index]!)}\n}`;
  return {
    definitions: paragraphs([togetherClass(takeLoss, rules.some(({ evaluates }) => evaluates)), ...functions, table]),
    made: `Together([kind([group for group in groups if KINDS[group["group"]] is kind], lr=${rules.some((rule) => defaultRate(rule) !== "0.0") ? "1.0" : "0.0"}) for kind in dict.fromkeys(KINDS[group["group"]] for group in groups)])`,
  };
}

/** A rate that the constructor accepts; every group brings its own. Packages refuse 0. */
const defaultRate = ({ module }: Rule) => (module === undefined ? "0.0" : "1.0");

function parameterGroups(run: RunDetail, learned: Learned): string {
  const { parts, level } = learned;
  const all = parts.map(({ settings }) => settings);
  const rules = all.map((settings) => ruleOf(settings, all));
  const labels = [...new Set(parts.map(({ label }) => label))];
  const adams = parts.filter((_, i) => rules[i]!.startsSecondMoment);
  const frozen = frozenGroups(level).map((name) => (name === "" ? "what is in no group" : name));
  const lists = knotLists(learned);
  const starts = (which: "final" | "initial") => `{${adams.map((part) => `${string(part.group ?? "")}: ${secondMoments(part)[which]}`).join(", ")}}`;
  const { definitions, made } = groupsOptimizer(parts, rules);
  const restart = adams.some(({ schedules }) => schedules.has("logEps")) ? `    start_second_moment(optimizer, ${starts("initial")})\n` : "";
  return `${comment(
    ...originLines(run),
    "",
    ...head(`Groups of ${labels.join(" and ")}`, [...remarks(parts, rules), ...learned.notes]),
    "Both take a model's named_parameters().",
    ...(frozen.length > 0 ? [`Held fixed by the run, and so given to no optimizer: ${frozen.join(", ")}.`] : []),
  )}
import re
from bisect import bisect_right

${importLines(rules)}

${lists === "" ? "" : `${lists}\n\n`}${groupsCode(learned)}


${definitions}${rules.some(({ evaluates }) => evaluates) ? paragraphs([inTrainingFunction]) : ""}${clipCode(learned, `${clipValuesCode(learned)}.get(group["group"])`)}${baseClass}


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
    return ${ready(rules, clipped(learned, adams.length > 0 ? `start_second_moment(${made}, ${starts("final")})` : made))}


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
