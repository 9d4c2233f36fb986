/** Pure edits of a tower. Level 0 moves the weights. */
import { findForm, learnableNames, optimizerSpec, type HyperparameterSpec, type OptimizerName } from "@shared/optimizers.ts";
import { movingParts, nameInLevel } from "@shared/groups.ts";
import { groupOptionsOf, initialOption, optionsOf, type OptionSpec, type OptionValue } from "@shared/levelOptions.ts";
import { initialValue, maxLevels, optionValue, publishedAlpha, type Level, type Settings } from "@shared/tower.ts";
import { readEntry, type Entry } from "./numbers.ts";
import { draftOfSchedules, writtenSchedules, type DraftSchedule, type DraftSchedules } from "./scheduleDraft.ts";

/** Value of an option; empty text means off. */
export type OptionEntry = Entry | boolean;

export type DraftBounds = readonly [min: Entry, max: Entry];

/** An optimizer in the editor: values may be text that is not a number yet. */
export interface DraftSettings {
  readonly optimizer: OptimizerName;
  readonly values: Readonly<Record<string, Entry>>;
  /** Hyperparameters that the level above learns. */
  readonly learned: readonly string[];
  readonly options: Readonly<Record<string, OptionEntry>>;
  /** Min and max of learned hyperparameters by name; empty text for none. */
  readonly bounds: Readonly<Record<string, DraftBounds>>;
  /** Of hyperparameters by name. */
  readonly schedules: DraftSchedules;
  /** Whether its members are not moved. */
  readonly frozen: boolean;
}

export interface DraftGroup extends DraftSettings {
  /** Identity while editing; never stored with a run. */
  readonly id: number;
  readonly name: string;
  readonly match: readonly string[];
}

/** A level's own settings, and its groups. */
export interface DraftLevel extends DraftSettings {
  /** Identity while editing; never stored with a run. */
  readonly id: number;
  readonly groups: readonly DraftGroup[];
}

let lastId = 0;

/** Settings that may be given; the rest is as published. */
export interface GivenSettings {
  readonly values?: Readonly<Record<string, Entry>> | undefined;
  readonly learned?: readonly string[] | undefined;
  readonly options?: Readonly<Record<string, OptionEntry>> | undefined;
  readonly bounds?: Readonly<Record<string, DraftBounds>> | undefined;
  readonly schedules?: DraftSchedules | undefined;
  readonly frozen?: boolean | undefined;
}

/**
 * @param form an optimizer of the paper, such as `adam`, or `adamBaydin` for Adam that learns alpha
 * alone
 */
function newSettings(form: string, { values = {}, learned, options = {}, bounds = {}, schedules = {}, frozen = false }: GivenSettings): DraftSettings {
  const found = findForm(form);
  if (!found) throw new Error(`there is no optimizer named ${form}`);
  const { optimizer } = found;
  const defaults = optimizerSpec(optimizer).hyperparameters.map((spec) => [spec.name, values[spec.name] ?? spec.initial]);
  return {
    optimizer,
    values: Object.fromEntries(defaults) as Record<string, Entry>,
    learned: learned ?? found.learned,
    options: Object.fromEntries(optionsOf(optimizer).map((spec) => [spec.name, options[spec.name] ?? publishedOption(optimizer, spec)])),
    bounds,
    schedules,
    frozen,
  };
}

export interface GivenGroup extends GivenSettings {
  readonly optimizer: string;
  readonly name: string;
  readonly match: readonly string[];
}

export function newGroup({ optimizer, name, match, ...settings }: GivenGroup): DraftGroup {
  return { id: ++lastId, name, match, ...newSettings(optimizer, settings) };
}

/**
 * @param form an optimizer of the paper, such as `adam`, or `adamBaydin` for Adam that learns alpha
 * alone
 */
export function newLevel(form: string, values: GivenSettings["values"] = {}, further: Omit<GivenSettings, "values"> & { readonly groups?: readonly GivenGroup[] | undefined } = {}): DraftLevel {
  const { groups = [], ...settings } = further;
  return { id: ++lastId, ...newSettings(form, { ...settings, values }), groups: groups.map(newGroup) };
}

/** A copy for a level above, with a new id: schedules and some options are for the first level. */
const copyOf = (level: DraftLevel) => newLevel(level.optimizer, level.values, { ...forUpper(level), groups: level.groups.map((group) => ({ ...group, ...forUpper(group) })) });

function forUpper(settings: DraftSettings): GivenSettings {
  const dropped = optionsOf(settings.optimizer).filter(({ weightsOnly }) => weightsOnly).map(({ name }) => name);
  return { ...settings, schedules: {}, options: Object.fromEntries(Object.entries(settings.options).filter(([name]) => !dropped.includes(name))) };
}

const optionEntry = (value: OptionValue): OptionEntry => (typeof value === "object" ? (value?.join(", ") ?? "") : value);

/** The published value of an option. */
export function publishedOption(optimizer: OptimizerName, spec: OptionSpec): OptionEntry {
  return optionEntry(initialOption(spec, publishedAlpha(optimizer)));
}

/** Whether a hyperparameter or option has an effect: those of Mechanic have none while it is off. */
export function hasEffect({ options }: DraftSettings, { onlyWith }: { readonly onlyWith?: string }): boolean {
  return onlyWith === undefined || options[onlyWith] === true;
}

/** Hyperparameters to edit. */
export function editedHyperparameters(settings: DraftSettings): HyperparameterSpec[] {
  return optimizerSpec(settings.optimizer).hyperparameters.filter((spec) => hasEffect(settings, spec));
}

export function fromTower(levels: readonly Level[]): DraftLevel[] {
  const given = (of: Settings): GivenSettings & { optimizer: OptimizerName } => ({
    optimizer: of.optimizer,
    values: Object.fromEntries(optimizerSpec(of.optimizer).hyperparameters.map(({ name }) => [name, initialValue(of, name)] as const)),
    learned: of.learned,
    options: Object.fromEntries(optionsOf(of.optimizer).map((spec) => [spec.name, optionEntry(optionValue(of, spec))] as const)),
    bounds: Object.fromEntries(Object.entries(of.bounds).map(([name, [min, max]]) => [name, [min ?? "", max ?? ""] as const])),
    schedules: draftOfSchedules(of.schedules ?? {}),
    frozen: of.frozen,
  });
  return levels.map((of) => {
    const { values, ...own } = given(of);
    return newLevel(of.optimizer, values, { ...own, groups: of.groups.map((group) => ({ ...given(group), name: group.name, match: group.match })) });
  });
}

/** The tower in an experiment's form; invalid text is passed on for validation to refuse. */
export function toTower(levels: readonly DraftLevel[]): Record<string, unknown>[] {
  const bound = (entry: Entry) => (entry === "" ? null : entry);
  // A group says that it has none, so that it inherits none.
  const written = (settings: DraftSettings, specs: readonly OptionSpec[], inherited: DraftSchedules = {}) => {
    const { optimizer, options, bounds, frozen } = settings;
    // What has no effect while an option is off stays in the draft alone.
    const idle = optimizerSpec(optimizer).hyperparameters.filter((spec) => !hasEffect(settings, spec));
    const used = (name: string) => !idle.some((spec) => spec.name === name);
    const only = <T>(fields: Readonly<Record<string, T>>) => Object.fromEntries(Object.entries(fields).filter(([name]) => used(name)));
    const schedules = only(settings.schedules);
    return {
      optimizer,
      ...settings.values,
      ...Object.fromEntries(idle.map(({ name, initial }) => [name, initial])),
      learned: settings.learned.filter(used),
      ...Object.fromEntries(specs.map((spec) => [spec.name, hasEffect(settings, spec) ? writtenOption(spec, options[spec.name]) : initialOption(spec, publishedAlpha(optimizer))])),
      bounds: Object.fromEntries(Object.entries(only(bounds)).map(([name, [min, max]]) => [name, [bound(min), bound(max)]])),
      ...(Object.keys({ ...schedules, ...inherited }).length > 0 ? { schedules: writtenSchedules(schedules) } : {}),
      frozen,
    };
  };
  return levels.map((level) => ({
    ...written(level, optionsOf(level.optimizer)),
    groups: level.groups.map((group) => ({ name: group.name, match: group.match, ...written(group, groupOptionsOf(group.optimizer), level.schedules) })),
  }));
}

function writtenOption({ kind }: OptionSpec, entry: OptionEntry | undefined): unknown {
  if (kind === "numbers") return String(entry ?? "").split(/[\s,]+/).filter(Boolean).map(readEntry);
  return entry === "" ? null : entry;
}

export function addLevel(levels: readonly DraftLevel[], form: string): DraftLevel[] {
  if (levels.length >= maxLevels) return [...levels];
  const top = levels.at(-1);
  return [...levels, findForm(form)?.perParameter ? onePerName(newLevel(form), top ? learnedNames(top) : []) : newLevel(form)];
}

/** One group per name with the level's settings, and the rest frozen. */
export function onePerName(level: DraftLevel, names: readonly string[]): DraftLevel {
  return { ...level, frozen: true, groups: names.map((name) => newGroup({ ...level, name, match: [name], frozen: false })) };
}

/** Changes a level by any of the settings edits below. */
export function changeLevel(levels: readonly DraftLevel[], index: number, change: (level: DraftLevel) => DraftLevel): DraftLevel[] {
  return levels.map((level, i) => (i === index ? change(level) : level));
}

/** An edit of a level's or a group's settings. */
export type SettingsChange = <S extends DraftSettings>(settings: S) => S;

/** Makes a hyperparameter learned or constant; names keep the optimizer's order. */
export function withLearned<S extends DraftSettings>(settings: S, name: string, learns: boolean): S {
  return { ...settings, learned: learnableNames(settings.optimizer).filter((n) => (n === name ? learns : settings.learned.includes(n))) };
}

export function withOption<S extends DraftSettings>(settings: S, name: string, value: OptionEntry): S {
  return { ...settings, options: { ...settings.options, [name]: value } };
}

/** Sets bounds; without min and max, removes them. */
export function withBounds<S extends DraftSettings>(settings: S, name: string, bounds: DraftBounds): S {
  const { [name]: _, ...others } = settings.bounds;
  return { ...settings, bounds: bounds.every((bound) => bound === "") ? others : { ...others, [name]: bounds } };
}

/** Sets a schedule; null removes it. */
export function withSchedule<S extends DraftSettings>(settings: S, name: string, schedule: DraftSchedule | null): S {
  const { [name]: _, ...others } = settings.schedules;
  return { ...settings, schedules: schedule === null ? others : { ...others, [name]: schedule } };
}

export function withValue<S extends DraftSettings>(settings: S, name: string, value: Entry): S {
  return { ...settings, values: { ...settings.values, [name]: value } };
}

/** Changes the optimizer; keeps values that the user set where possible. */
export function withOptimizer<S extends DraftSettings>(settings: S, optimizer: OptimizerName): S {
  if (settings.optimizer === optimizer) return settings;
  const set = optimizerSpec(settings.optimizer).hyperparameters.filter((spec) => settings.values[spec.name] !== spec.initial);
  const kept = Object.fromEntries(set.map((spec) => [spec.name, settings.values[spec.name] ?? spec.initial]));
  const known = optimizerSpec(optimizer).hyperparameters.map(({ name }) => name as string);
  const schedules = Object.fromEntries(Object.entries(settings.schedules).filter(([name]) => known.includes(name)));
  return { ...settings, ...newSettings(optimizer, { values: kept, schedules, frozen: settings.frozen }) };
}

export function removeLevel(levels: readonly DraftLevel[], index: number): DraftLevel[] {
  return levels.length === 1 ? [...levels] : levels.filter((_, i) => i !== index);
}

/** Inserts a copy above the level. */
export function duplicateLevel(levels: readonly DraftLevel[], index: number): DraftLevel[] {
  const original = levels[index];
  if (!original || levels.length >= maxLevels) return [...levels];
  return levels.toSpliced(index + 1, 0, copyOf(original));
}

export function moveLevel(levels: readonly DraftLevel[], from: number, to: number): DraftLevel[] {
  const moved = levels[from];
  if (!moved || to < 0 || to >= levels.length) return [...levels];
  return levels.toSpliced(from, 1).toSpliced(to, 0, moved);
}

export function withGroups(level: DraftLevel, groups: readonly DraftGroup[]): DraftLevel {
  return { ...level, groups };
}

/** Adds a group with the level's settings and an unused name. */
export function addGroup(level: DraftLevel): DraftLevel {
  const taken = new Set(level.groups.map(({ name }) => name));
  let number = level.groups.length + 1;
  while (taken.has(`group${number}`)) number++;
  return withGroups(level, [...level.groups, newGroup({ ...level, name: `group${number}`, match: [], frozen: false })]);
}

/** Suggested patterns for `names`: `*.bias`, `layer1.*`, `*[bias]`, then every name. */
export function patternsFor(names: readonly string[]): string[] {
  const wholes = names.flatMap((name) => {
    const [, first, last] = /^([^.[]+)\.(?:.*\.)?([^.]+)$/.exec(name) ?? [];
    const [, hyperparameter, group] = /^(\w+)\[(.+)\]$/.exec(name) ?? [];
    if (group !== undefined) return [`${hyperparameter!}[*`, `*[${group}]`];
    return first === undefined ? [] : [`*.${last!}`, `${first}.*`];
  });
  return [...new Set([...wholes, ...names])];
}

/** Adds copies of the top level, or removes levels from the top; at least one remains. */
export function setLevelCount(levels: readonly DraftLevel[], count: number): DraftLevel[] {
  const wanted = Math.min(maxLevels, Math.max(1, Math.round(count)));
  const kept = levels.slice(0, wanted);
  const top = kept.at(-1);
  return top ? [...kept, ...Array.from({ length: wanted - kept.length }, () => copyOf(top))] : kept;
}

/** What happens to a hyperparameter under a level above: momentum that starts at 0 stays off. */
export function fateOf(level: DraftSettings, spec: HyperparameterSpec): "learned" | "constant" | "off at 0" {
  if (!level.learned.includes(spec.name) || !hasEffect(level, spec)) return "constant";
  return spec.name === "mu" && level.values["mu"] === 0 && level.options["momentumFromZero"] !== true ? "off at 0" : "learned";
}

/** Symbols of what a level above would learn, with group names. */
export function learnedSymbols(level: DraftLevel): string[] {
  return learned(level).map(({ group, spec }) => nameInLevel(spec.symbol, group));
}

/** Names of what a level above would learn, as its groups match them. */
export function learnedNames(level: DraftLevel): string[] {
  return learned(level).map(({ group, spec }) => nameInLevel(spec.name, group));
}

function learned(level: DraftLevel): { group: string | null; spec: HyperparameterSpec }[] {
  return movingParts(level).flatMap(({ group, settings }) =>
    optimizerSpec(settings.optimizer)
      .hyperparameters.filter((spec) => fateOf(settings, spec) === "learned")
      .map((spec) => ({ group, spec })),
  );
}
