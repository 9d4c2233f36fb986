/**
 * A tower: levels[0] moves the weights, levels[k + 1] moves the hyperparameters
 * of level k, the top level's hyperparameters never change.
 */
import { z } from "zod";
import { boundsInUse, boundsNotation } from "./bounds.ts";
import { horizonProblems } from "./horizon.ts";
import { lookaheadProblems } from "./lookahead.ts";
import { groupOf, groupProblems, movingParts, nameInLevel } from "./groups.ts";
import { initialOption, optionsOf, type LevelOptions, type OptionSpec, type OptionValue } from "./levelOptions.ts";
import { level, publishedAlpha, type Group, type Level, type LevelInput, type Settings } from "./levelSchema.ts";
import { learnedByDefault, optimizers, optimizerSpec, type HyperparameterSpec } from "./optimizers.ts";
import { factorAt, segmentsOf } from "./schedules/segments.ts";
import { scheduleNotation } from "./schedules/spec.ts";
import { hasMomentum, type SlotSettings } from "./slots.ts";
import { plural } from "./text.ts";

export { level, publishedAlpha, type Group, type GroupInput, type Level, type LevelInput, type Settings } from "./levelSchema.ts";

/** Highest tower accepted; beyond it, scalar work dominates a step of a small model. */
export const maxLevels = 100;

// Interfaces keep derived types short.
export interface Tower extends Array<Level> {}
export interface TowerInput extends Array<LevelInput> {}

export const tower: z.ZodType<Tower, TowerInput> = z
  .array(level, { error: "tower must be a list of levels, the weights' optimizer first" })
  .min(1, "tower has no levels: the first level, which moves the weights, is required")
  .max(maxLevels, `tower has more than ${maxLevels} levels`)
  .superRefine((levels, context) => {
    levels.forEach((of, index) => {
      const refuse = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path: [index, ...path], message });
      // Level 0 moves the weights; to wait with that is no option of a tower.
      if (index === 0) {
        const all = [{ path: [] as (string | number)[], settings: of as Settings }, ...of.groups.map((settings, i) => ({ path: ["groups", i], settings }))];
        for (const { path, settings } of all) {
          for (const { name, upperOnly } of optionsOf(settings.optimizer)) {
            if (upperOnly && !isPublishedDefault(settings, name)) refuse([...path, name], `${name} is for levels that move hyperparameters, not for the first one`);
          }
        }
      } else {
        for (const { path, settings } of [{ path: [] as (string | number)[], settings: of as Settings }, ...of.groups.map((settings, i) => ({ path: ["groups", i], settings }))]) {
          if (hasSchedules(settings)) refuse([...path, "schedules"], "schedules are for the first level, which moves the weights; what is above it moves hyperparameters itself");
          for (const message of horizonProblems(settings, index, levels[index - 1]!)) refuse([...path, "horizon"], message);
          for (const { name, weightsOnly } of optionsOf(settings.optimizer)) {
            if (weightsOnly && !isPublishedDefault(settings, name)) refuse([...path, name], `${name} is for the first level, which moves the weights`);
          }
          const { label, forMatrices } = optimizerSpec(settings.optimizer);
          if (forMatrices && !settings.frozen) refuse([...path, "optimizer"], `${label} is for matrices of weights; a hyperparameter is a number: choose another optimizer, such as nAdam`);
        }
        for (const message of lookaheadProblems(of, index, levels[index - 1]!)) refuse(["lookahead"], message);
        for (const { index: group, message } of groupProblems(of.groups, learnedNames(levels[index - 1]!), `what level ${index - 1} learns`)) {
          refuse(["groups", group, "match"], message);
        }
      }
    });
  });

/** Initial value of one hyperparameter of a level, in effective form. */
export function initialValue(of: Settings, name: string): number {
  const value = (of as Record<string, unknown>)[name];
  if (typeof value !== "number") throw new Error(`${of.optimizer} has no hyperparameter named ${name}`);
  return value;
}

/** Every hyperparameter's initial value, in effective form, by name. */
export function initialValues(of: Settings): Record<string, number> {
  return Object.fromEntries(optimizerSpec(of.optimizer).hyperparameters.map(({ name }) => [name, initialValue(of, name)]));
}

/** The paper's height: levels above the one that moves the weights. */
export function height(levels: readonly Level[]): number {
  return levels.length - 1;
}

/** A number as people write step sizes: 0.001, 1e-5. */
export function formatHyperparameter(value: number): string {
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude < 1e-3 || magnitude >= 1e5)) {
    return Number(value.toPrecision(6)).toExponential().replace("e+", "e");
  }
  return String(Number(value.toPrecision(6)));
}

/** Value of an option of a level. */
export function optionValue(of: Settings, spec: OptionSpec): OptionValue {
  return (of as unknown as Record<string, OptionValue>)[spec.name] ?? null;
}

const isDefault = (of: Settings, option: OptionSpec) => String(optionValue(of, option)) === String(initialOption(option, publishedAlpha(of.optimizer)));

/** Whether a field of a level is beyond the published library and left as it was there. */
export function isPublishedDefault(of: Settings, field: string): boolean {
  if ("groups" in of && field === "groups") return of.groups.length === 0;
  if (field === "frozen") return !of.frozen;
  if (field === "schedules") return !hasSchedules(of);
  if (field === "bounds") return boundsInUse(of.optimizer, of.bounds).length === 0;
  const hyperparameter = optimizerSpec(of.optimizer).hyperparameters.find(({ name }) => name === field);
  if (hyperparameter) return hyperparameter.extra === true && initialValue(of, field) === hyperparameter.initial;
  const option = optionsOf(of.optimizer).find(({ name }) => name === field);
  // A group lacks the options of a whole level.
  return option !== undefined && (!(field in of) || isDefault(of, option));
}

/** A level's own settings, or a group's, as its slots depend on them. */
export function slotSettings(of: Settings): SlotSettings {
  return { optimizer: of.optimizer, initial: initialValues(of), options: levelOptions(of) };
}

/** Whether some hyperparameter of a level, or group, follows a schedule. */
export function hasSchedules({ schedules = {} }: Settings): boolean {
  return Object.keys(schedules).length > 0;
}

/** Options as published where an optimizer, or a group, does not have them. */
export function levelOptions(of: Settings): LevelOptions {
  return { clipNorm: null, lookahead: 1, momentumFromZero: false, nesterov: false, amsgrad: false, weightDecayAs: "decoupled", convention: "published", biasCorrection: false, growthRate: null, averaging: null, momentumAs: "nesterov", newtonSchulzSteps: 5, matrixScale: "outputs", consistentRms: null, mechanic: false, mechanicBetas: [], mechanicUpdates: "stored", ...of };
}

/** Momentum that starts at 0 is off unless it is asked for, and Mechanic is off by default: there is then nothing to learn or to show. */
function inUse(of: Settings, spec: HyperparameterSpec): boolean {
  if (of.optimizer === "sgd" && spec.name === "mu") return hasMomentum(slotSettings(of));
  return spec.onlyWith === undefined || levelOptions(of)[spec.onlyWith];
}

/** The hyperparameters of a level's own settings, or a group's, that a level above moves. */
export function learnedHyperparameters(of: Settings): HyperparameterSpec[] {
  return optimizerSpec(of.optimizer).hyperparameters.filter((spec) => of.learned.includes(spec.name) && inUse(of, spec));
}

/** The hyperparameters worth showing: those beyond the published library only where they are in use. */
export function shownHyperparameters(of: Settings): HyperparameterSpec[] {
  return optimizerSpec(of.optimizer).hyperparameters.filter(
    (spec) => (spec.onlyWith ? inUse(of, spec) : !spec.extra || initialValue(of, spec.name) !== 0 || of.learned.includes(spec.name)),
  );
}

/** Names of all that a level has for the level above to move: `alpha`, `alpha[bias]`. */
export function learnedNames(of: Level): string[] {
  return movingParts(of).flatMap(({ group, settings }) => learnedHyperparameters(settings).map(({ name }) => nameInLevel(name, group)));
}

/**
 * The optimizer's name with what it learns where that is not everything: `Adam^α`, `Adam^{α,β₁}`; `Adam^{}` for nothing, but
 * for a top level, whose hyperparameters nothing moves, just `Adam`.
 */
export function settingsLabel(of: Settings, isTop = false): string {
  const { label, hyperparameters } = optimizerSpec(of.optimizer);
  const published = learnedByDefault(of.optimizer);
  const all = hyperparameters.filter((spec) => published.includes(spec.name) && inUse(of, spec)).map(({ symbol }) => symbol);
  const symbols = learnedHyperparameters(of).map(({ symbol }) => symbol);
  if (symbols.join() === all.join() || (isTop && symbols.length === 0)) return label;
  return symbols.length === 1 ? `${label}^${symbols[0]!}` : `${label}^{${symbols.join(",")}}`;
}

/** A level's name in short: its optimizer, and how many groups it has. */
export function levelLabel(of: Level, isTop = false): string {
  if (isPerParameter(of)) return "SGDPerParam";
  const own = of.frozen ? "frozen" : settingsLabel(of, isTop);
  return of.groups.length === 0 ? own : `${own} + ${plural(of.groups.length, "group")}`;
}

/** Whether a level is the authors' SGDPerParam: a plain SGD for each of what it names, the rest frozen. */
export function isPerParameter(of: Level): boolean {
  const plain = (group: Group) =>
    group.optimizer === "sgd" && group.match.join() === group.name && settingsNotation({ ...group, alpha: optimizers.sgd.hyperparameters[0].initial }) === "SGD";
  return of.frozen && of.clipNorm === null && of.groups.length > 0 && of.groups.every((group) => !group.frozen && plain(group));
}

/** What a stack's name shows of an option: nothing while it is as published. */
function optionNotation(of: Settings, spec: OptionSpec): string[] {
  const value = optionValue(of, spec);
  if (isPublishedDefault(of, spec.name)) return [];
  if (spec.kind === "choice") return spec.choices.filter((choice) => choice.value === value).map(({ short }) => short);
  if (spec.kind === "numbers") return [`${spec.short} ${(value as readonly number[]).join(" ")}`];
  return [spec.kind === "flag" ? spec.short : `${spec.short} ${formatHyperparameter(Number(value))}`];
}

function settingsNotation(of: Settings, isTop = false): string {
  const shown = optimizerSpec(of.optimizer)
    .hyperparameters.filter((h) => initialValue(of, h.name) !== h.initial || of.schedules?.[h.name])
    .map((h) => {
      const schedule = of.schedules?.[h.name];
      const value = `${formatHyperparameter(initialValue(of, h.name))}${schedule ? ` ${scheduleNotation(schedule)}` : ""}`;
      return h.name === "alpha" ? value : `${h.symbol} ${value}`;
    });
  shown.push(...boundsInUse(of.optimizer, of.bounds).map(({ spec, within }) => `${spec.symbol}${within.includes(null) ? "" : " in"} ${boundsNotation(within, formatHyperparameter)}`));
  shown.push(...optionsOf(of.optimizer).filter(({ name }) => name in of).flatMap((spec) => optionNotation(of, spec)));
  const label = settingsLabel(of, isTop);
  return shown.length === 0 ? label : `${label}(${shown.join(", ")})`;
}

/** `Adam{bias: SGD(0.1), embedding: frozen}`, the level's own settings first; `SGDPerParam(w 0.1, b 0.05)`. */
export function levelNotation(of: Level, isTop = false): string {
  if (isPerParameter(of)) return `SGDPerParam(${of.groups.map(({ name, alpha }) => `${name} ${formatHyperparameter(alpha)}`).join(", ")})`;
  const own = of.frozen ? `frozen${of.clipNorm === null ? "" : `(clip norm ${formatHyperparameter(of.clipNorm)})`}` : settingsNotation(of, isTop);
  if (of.groups.length === 0) return own;
  return `${own}{${of.groups.map((group) => groupNotation(group, isTop)).join(", ")}}`;
}

/** `bias: SGD(0.1)`, or `embedding: frozen`. */
export function groupNotation(group: Group, isTop = false): string {
  return `${group.name}: ${group.frozen ? "frozen" : settingsNotation(group, isTop)}`;
}

/**
 * What is allowed but hardly meant: nothing to move. Empty when all is well.
 * @param parameters names of the model's parameters, where they are known
 */
export function towerHints(levels: readonly Level[], parameters?: readonly string[]): string[] {
  return levels.flatMap((of, index) => {
    const label = `Level ${index} (${levelLabel(of, index === levels.length - 1)})`;
    const parts = movingParts(of);
    const names = index === 0 ? parameters : learnedNames(levels[index - 1]!);
    const moved = names?.filter((name) => !(groupOf(of.groups, name) ?? of).frozen);
    if (parts.length === 0 || (names && names.length > 0 && moved?.length === 0)) return [`${label} moves nothing: all that it could move is frozen.`];
    return [
      ...(names && of.groups.length > 0 && !of.frozen && names.every((name) => groupOf(of.groups, name))
        ? [`${label}: every one of ${index === 0 ? "the model's parameters" : `level ${index - 1}'s hyperparameters`} is in a group, so its own settings move nothing.`]
        : []),
      ...(index < levels.length - 1 && learnedNames(of).length === 0 ? [`${label} learns nothing, so what stands above it has nothing to move.`] : []),
    ];
  });
}

/**
 * The stack in the paper's notation, weights' optimizer first; values are shown
 * where they differ from the defaults: `Adam / SGD(1e-5)`. Three or more equal
 * levels in a row are folded: `SGD ×50`.
 */
export function notation(levels: readonly Level[]): string {
  const parts: { text: string; count: number }[] = [];
  for (const text of levels.map((level, index) => levelNotation(level, index === levels.length - 1))) {
    const last = parts.at(-1);
    if (last?.text === text) last.count++;
    else parts.push({ text, count: 1 });
  }
  return parts
    .flatMap(({ text, count }) => (count > 2 ? [`${text} ×${count}`] : Array<string>(count).fill(text)))
    .join(" / ");
}

/** Metric name of a hyperparameter: `L0.alpha`, or `L0.alpha[bias]` of a group. */
export function hyperparameterMetric(levelIndex: number, name: string, group: string | null = null): string {
  return `L${levelIndex}.${nameInLevel(name, group)}`;
}

/** Metric name of d loss / d (stored hyperparameter): `L0.alpha.hypergradient`. */
export function hypergradientMetric(levelIndex: number, name: string, group: string | null = null): string {
  return `${hyperparameterMetric(levelIndex, name, group)}.hypergradient`;
}

export interface HyperparameterColumn {
  readonly level: number;
  /** Null: of the level's own settings. */
  readonly group: string | null;
  readonly spec: HyperparameterSpec;
  readonly initial: number;
  readonly metric: string;
  readonly hypergradient: string;
}

/** Metric name of a scheduled hyperparameter as in force: `L0.alpha.inForce`. */
export function inForceMetric(name: string, group: string | null = null): string {
  return `${hyperparameterMetric(0, name, group)}.inForce`;
}

export interface InForceColumn {
  readonly level: 0;
  readonly group: string | null;
  readonly spec: HyperparameterSpec;
  /** At the first update. */
  readonly initial: number;
  readonly metric: string;
}

/** Every scheduled hyperparameter, whose value in force a tower logs beside what is learned. */
export function inForceColumns(levels: readonly Level[]): InForceColumn[] {
  const [bottom] = levels;
  if (!bottom) return [];
  return movingParts(bottom).flatMap(({ group, settings }) =>
    optimizerSpec(settings.optimizer).hyperparameters.flatMap((spec) => {
      const schedule = settings.schedules?.[spec.name];
      // Every schedule's first factor is independent of the run's length.
      const first = schedule && factorAt(segmentsOf(schedule, { stepsPerEpoch: 1, totalSteps: Number.MAX_SAFE_INTEGER }), 0);
      return first === undefined ? [] : [{ level: 0 as const, group, spec, initial: initialValue(settings, spec.name) * first, metric: inForceMetric(spec.name, group) }];
    }),
  );
}

/** Every hyperparameter a tower logs: those that are learned, the top level's as if something stood above it. */
export function hyperparameterColumns(levels: readonly Level[]): HyperparameterColumn[] {
  return levels.flatMap((of, level) =>
    movingParts(of).flatMap(({ group, settings }) =>
      learnedHyperparameters(settings).map((spec) => ({
        level,
        group,
        spec,
        initial: initialValue(settings, spec.name),
        metric: hyperparameterMetric(level, spec.name, group),
        hypergradient: hypergradientMetric(level, spec.name, group),
      })),
    ),
  );
}
