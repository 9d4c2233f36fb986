/** What level 0 learned, in the form needed to export code. */
import { movingParts, nameInLevel } from "../../shared/groups.ts";
import { describeDomain, inDomain, optimizerSpec } from "../../shared/optimizers.ts";
import type { RunDetail } from "../../shared/run.ts";
import { listed } from "../../shared/text.ts";
import { hasSchedules, level as levelSchema, levelOptions, type Level, type Settings } from "../../shared/tower.ts";
import type { StoredStep } from "../store/runReader.ts";
import { ExportError } from "./errors.ts";
import { piecewise, type Piecewise } from "./knots.ts";
import { comment, float, pairs, string } from "./python.ts";
import { bottomTrajectories, finalValues, type Trajectory } from "./schedule.ts";

/** Largest error of an exported schedule, unless it would take more knots than this. */
const tolerance = 1e-3;
const maxKnots = 256;

/** One group of settings of level 0, and its learned values. */
export interface LearnedPart {
  /** Null for the level's own settings. */
  readonly group: string | null;
  /** Initial settings; `learned` holds what changed. */
  readonly settings: Settings;
  /** Display name of the optimizer. */
  readonly label: string;
  /** Every hyperparameter after the last update. */
  readonly final: Readonly<Record<string, number>>;
  /** Hyperparameters that changed during training. */
  readonly schedules: ReadonlyMap<string, Piecewise>;
  /** Suffix of its constants in code: empty, or like `_BIAS`. */
  readonly suffix: string;
}

export interface Learned {
  readonly level: Level;
  /** All moving parts, the level's own settings first. */
  readonly parts: readonly LearnedPart[];
  /** Number of updates that the schedules cover. */
  readonly updates: number;
  /** Differences between the code and the run, for the file's header. */
  readonly notes: readonly string[];
}

/** What a format's code can express of a part. */
export interface Expressible {
  /** Options, besides hyperparameters. */
  readonly options: readonly string[];
  /** Hyperparameters that it can change during a run. */
  readonly follows: readonly string[];
}

/**
 * @param expressible what the format can express of a part, given all settings of the level
 * @throws ExportError naming what cannot be exported
 */
export function learnedOf(run: RunDetail, steps: Iterable<StoredStep>, expressible: (settings: Settings, all: readonly Settings[]) => Expressible): Learned {
  requireUnguarded(run);
  const bottom = run.experiment.tower[0]!;
  const parts = movingParts(bottom);
  if (parts.length === 0) throw new ExportError("Everything was frozen: no optimizer moved the weights; there is nothing to export.");
  // How the step size was moved does not matter to its values in force.
  const all = parts.map(({ settings }) => settings);
  for (const { group, settings } of parts) {
    const hyperparameters = optimizerSpec(settings.optimizer).hyperparameters.map(({ name }) => name);
    requirePublished(settings, 0, group, ["alphaAs", "bounds", "atBounds", "clipValue", "clipNorm", "schedules", "weightDecayAs", ...hyperparameters, ...expressible(settings, all).options]);
  }
  const trajectories = bottomTrajectories(run, steps);
  const [first] = trajectories.values();
  const notes = parts.flatMap(({ group }) => keepDecayPositive(group, trajectories));
  const learned = parts.map(({ group, settings }, index) => partOf(group, settings, trajectories, suffixOf(parts, index)));
  const inTheEnd = learned.map(({ settings }) => settings);
  for (const part of learned) requireFollowed(part, expressible(part.settings, inTheEnd).follows);
  return {
    level: bottom,
    notes,
    parts: learned,
    updates: first?.values.length ?? run.steps,
  };
}

/** @throws ExportError naming a hyperparameter that changed but is a constant in the format's code */
function requireFollowed({ label, settings, group, schedules }: LearnedPart, follows: readonly string[]): void {
  const constant = [...schedules.keys()].find((name) => !follows.includes(name));
  if (constant === undefined) return;
  const { symbol } = optimizerSpec(settings.optimizer).hyperparameters.find(({ name }) => name === constant)!;
  throw new ExportError(`${label}’s ${nameInLevel(symbol, group)} changed during the run, but is a constant in this form; CSV and JSON have every value.`);
}

/**
 * Raises negative values of a learned decay, which no optimizer accepts, to 0; returns a note about
 * it.
 */
function keepDecayPositive(group: string | null, trajectories: ReadonlyMap<string, Trajectory>): string[] {
  const trajectory = trajectories.get(nameInLevel("weightDecay", group));
  const lowest = trajectory?.values.reduce((a, b) => Math.min(a, b), 0) ?? 0;
  if (!trajectory || lowest >= 0) return [];
  trajectory.values.forEach((value, i) => (trajectory.values[i] = Math.max(0, value)));
  return [`The run's ${nameInLevel(trajectory.spec.symbol, group)} was as low as ${Number(lowest.toPrecision(3))}; it is kept at 0 or more here.`];
}

function partOf(group: string | null, settings: Settings, trajectories: ReadonlyMap<string, Trajectory>, suffix: string): LearnedPart {
  const spec = optimizerSpec(settings.optimizer);
  const final = finalValues(settings, group, trajectories);
  const schedules = new Map<string, Piecewise>();
  for (const { name, symbol, domain } of spec.hyperparameters) {
    if (!inDomain(final[name]!, domain)) {
      throw new ExportError(
        `${spec.label}’s ${nameInLevel(symbol, group)} ended at ${final[name]!}, from which no optimizer can start (allowed: ${describeDomain(domain)}); export it as CSV or JSON.`,
      );
    }
    const values = trajectories.get(nameInLevel(name, group))?.values;
    if (!values || values.every((value) => value === values[0])) continue;
    schedules.set(name, piecewise(values, { tolerance, maxKnots, scale: errorOf(name).scale }));
  }
  const changed = settings.learned.filter((name) => schedules.has(name));
  return { group, settings: { ...settings, learned: changed }, label: levelOptions(settings).mechanic ? `Mechanic with ${spec.label}` : spec.label, final, schedules, suffix };
}

/** An identifier suffix from a group's name, numbered where two would be equal. */
function suffixOf(parts: readonly { readonly group: string | null }[], index: number): string {
  const plain = ({ group }: { readonly group: string | null }) => (group === null ? "" : `_${group.toUpperCase().replace(/[^A-Z0-9]+/g, "_")}`);
  const own = plain(parts[index]!);
  return parts.filter((part) => plain(part) === own).length > 1 && parts[index]!.group !== null ? `${own}_${index}` : own;
}

/**
 * What an error is relative to: for a decay factor its distance from 1, for an exponent the power.
 */
function errorOf(name: string): { readonly of: string; readonly scale: (value: number) => number } {
  if (["alpha", "weightDecay", "adamWeightDecay", "adamScale", "sInit", "sDecay"].includes(name)) return { of: "its value", scale: Math.abs };
  if (name === "logEps" || name === "sLogEps") return { of: "epsilon", scale: () => 1 / Math.LN10 };
  return { of: `1 - ${name}`, scale: (value) => Math.abs(1 - value) };
}

/** The knots of every schedule as Python lists (`ALPHA`, `ALPHA_BIAS`, ...) with comments. */
export function knotLists({ parts, updates }: Pick<Learned, "parts" | "updates">, has: (part: LearnedPart, name: string) => boolean = () => true): string {
  const lists = parts.flatMap((part) =>
    [...part.schedules].flatMap(([name, schedule]) => {
      if (!has(part, name)) return [];
      const percent = Number((100 * schedule.error).toPrecision(2));
      const what = `${nameInLevel(name, part.group)}: at most ${percent} % of ${errorOf(name).of} off at any update.`;
      return [`${comment(what)}\n${constantName(part, name)} = ${pairs(schedule.knots)}`];
    }),
  );
  if (lists.length === 0) return "";
  return [
    comment(`(number of the update, value it was made with); linear in between, constant after the last of ${updates}.`),
    ...lists,
  ].join("\n");
}

export const constantName = ({ suffix }: Pick<LearnedPart, "suffix">, name: string) => `${name.toUpperCase()}${suffix}`;

/**
 * Python that maps parameters to parts: GROUPS and group_of(). "" is the rest; frozen groups are
 * not
 * listed as parts.
 */
export function groupsCode({ level }: Pick<Learned, "level">): string {
  const lines = level.groups.map(({ name, match }) => `    (${string(name)}, [${match.map(string).join(", ")}]),`);
  return `# Patterns of each group, as the run's model names its parameters; the first that matches wins.
GROUPS = [
${lines.join("\n")}
]


def group_of(name):
    """The group of a parameter; "" for what is in none."""
    for group, patterns in GROUPS:
        if any(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) for pattern in patterns):
            return group
    return ""`;
}

/** Names of the frozen groups, "" for the rest. */
export function frozenGroups({ groups, frozen }: Level): string[] {
  return [...(frozen ? [""] : []), ...groups.filter((group) => group.frozen).map(({ name }) => name)];
}

/** Whether gradients are clipped by value in some part. */
export const clipsValues = ({ parts }: Pick<Learned, "parts">) => parts.some(({ settings }) => settings.clipValue !== null);

/** Whether gradients are clipped, by value or by their common norm. */
export const clips = (learned: Learned) => learned.level.clipNorm !== null || clipsValues(learned);

/** Python dictionary of the limits of each group's gradients, those without one left out. */
export function clipValuesCode({ parts }: Pick<Learned, "parts">): string {
  const limits = parts.flatMap(({ group, settings: { clipValue } }) => (clipValue === null ? [] : [`${string(group ?? "")}: ${float(clipValue)}`]));
  return `{${limits.join(", ")}}`;
}

/** Hyperparameters of the authors' library. */
const published: Partial<Record<Level["optimizer"], readonly string[]>> = {
  sgd: ["alpha", "mu"],
  adam: ["alpha", "beta1", "beta2", "logEps"],
  adaGrad: ["alpha"],
  rmsProp: ["alpha", "gamma"],
};

/**
 * @throws ExportError when a guard rolled the run back: its log has the undone steps, so nothing
 * can follow it
 */
export function requireUnguarded({ events }: RunDetail): void {
  const times = events.filter(({ kind }) => kind === "guard").length;
  if (times === 0) return;
  throw new ExportError(`The guard went back ${times === 1 ? "once" : `${times} times`} in this run, which this form cannot express; CSV and JSON can.`);
}

/**
 * Refuses options that the authors' library lacks; the caller handles groups.
 * @param expressible options that the format supports, or that make no difference in it
 * @throws ExportError naming the option
 */
export function requirePublished(of: Settings, index: number, group: string | null, expressible: readonly string[] = []): void {
  const { optimizer } = of;
  const known = ["optimizer", "learned", "name", "match", "groups", "frozen", ...(published[optimizer] ?? []), ...expressible];
  const defaults: Readonly<Record<string, unknown>> = { ...levelSchema.parse({ optimizer }) };
  for (const [option, value] of Object.entries(of)) {
    if (option === "schedules" && !hasSchedules(of)) continue;
    if (known.includes(option) || JSON.stringify(value) === JSON.stringify(defaults[option])) continue;
    const where = group === null ? `Level ${index}` : `Level ${index}’s group ${group}`;
    if (option === "schedules") {
      const names = Object.keys(of.schedules ?? {});
      throw new ExportError(`In ${where.replace("Level", "level")}, ${listed(names)} ${names.length === 1 ? "follows a schedule" : "follow schedules"}, which this form cannot express; CSV and JSON can.`);
    }
    throw new ExportError(`${where} sets ${option} to ${JSON.stringify(value)}, which this form cannot express; CSV and JSON can.`);
  }
}
