/** Edits of a tower while it is composed. All pure; index 0 moves the weights. */
import { findForm, learnableNames, optimizerSpec, type HyperparameterSpec, type OptimizerName } from "@shared/optimizers.ts";
import { movingParts, nameInLevel } from "@shared/groups.ts";
import { groupOptionsOf, initialOption, optionsOf, type OptionSpec } from "@shared/levelOptions.ts";
import { initialValue, maxLevels, optionValue, publishedAlpha, type Level, type Settings } from "@shared/tower.ts";
import type { Entry } from "./numbers.ts";

/** A value of an option: empty text stands for one that is off. */
export type OptionEntry = Entry | boolean;

export type DraftBounds = readonly [min: Entry, max: Entry];

/** An optimizer as the editor holds it: values may still be text that is no number. */
export interface DraftSettings {
  readonly optimizer: OptimizerName;
  readonly values: Readonly<Record<string, Entry>>;
  /** Names of the hyperparameters that a level above moves. */
  readonly learned: readonly string[];
  readonly options: Readonly<Record<string, OptionEntry>>;
  /** Least and largest value of what is learned, by name; empty text for none. */
  readonly bounds: Readonly<Record<string, DraftBounds>>;
  /** Whether what it holds stays as it is. */
  readonly frozen: boolean;
}

export interface DraftGroup extends DraftSettings {
  /** Identity while groups come and go; never stored with a run. */
  readonly id: number;
  readonly name: string;
  readonly match: readonly string[];
}

/** Settings of a level's own, and its groups. */
export interface DraftLevel extends DraftSettings {
  /** Identity while levels are moved about; never stored with a run. */
  readonly id: number;
  readonly groups: readonly DraftGroup[];
}

let lastId = 0;

/** What may be given of an optimizer; the rest is as published. */
export interface GivenSettings {
  readonly values?: Readonly<Record<string, Entry>> | undefined;
  readonly learned?: readonly string[] | undefined;
  readonly options?: Readonly<Record<string, OptionEntry>> | undefined;
  readonly bounds?: Readonly<Record<string, DraftBounds>> | undefined;
  readonly frozen?: boolean | undefined;
}

/** @param form an optimizer of the paper, e.g. `adam`, or `adamBaydin` for Adam that learns alpha alone */
function newSettings(form: string, { values = {}, learned, options = {}, bounds = {}, frozen = false }: GivenSettings): DraftSettings {
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

/** @param form an optimizer of the paper, e.g. `adam`, or `adamBaydin` for Adam that learns alpha alone */
export function newLevel(form: string, values: GivenSettings["values"] = {}, further: Omit<GivenSettings, "values"> & { readonly groups?: readonly GivenGroup[] | undefined } = {}): DraftLevel {
  const { groups = [], ...settings } = further;
  return { id: ++lastId, ...newSettings(form, { ...settings, values }), groups: groups.map(newGroup) };
}

/** The same once more, with an identity of its own. */
const copyOf = (level: DraftLevel) => newLevel(level.optimizer, level.values, level);

/** An option as the published library has it. */
export function publishedOption(optimizer: OptimizerName, spec: OptionSpec): OptionEntry {
  return initialOption(spec, publishedAlpha(optimizer)) ?? "";
}

export function fromTower(levels: readonly Level[]): DraftLevel[] {
  const given = (of: Settings): GivenSettings & { optimizer: OptimizerName } => ({
    optimizer: of.optimizer,
    values: Object.fromEntries(optimizerSpec(of.optimizer).hyperparameters.map(({ name }) => [name, initialValue(of, name)] as const)),
    learned: of.learned,
    options: Object.fromEntries(optionsOf(of.optimizer).map((spec) => [spec.name, optionValue(of, spec) ?? ""] as const)),
    bounds: Object.fromEntries(Object.entries(of.bounds).map(([name, [min, max]]) => [name, [min ?? "", max ?? ""] as const])),
    frozen: of.frozen,
  });
  return levels.map((of) => {
    const { values, ...own } = given(of);
    return newLevel(of.optimizer, values, { ...own, groups: of.groups.map((group) => ({ ...given(group), name: group.name, match: group.match })) });
  });
}

/** The tower as an experiment names it; unread text is passed on for validation to refuse. */
export function toTower(levels: readonly DraftLevel[]): Record<string, unknown>[] {
  const bound = (entry: Entry) => (entry === "" ? null : entry);
  const written = ({ optimizer, values, learned, options, bounds, frozen }: DraftSettings, specs: readonly OptionSpec[]) => ({
    optimizer,
    ...values,
    learned,
    ...Object.fromEntries(specs.map(({ name }) => [name, options[name] === "" ? null : options[name]])),
    bounds: Object.fromEntries(Object.entries(bounds).map(([name, [min, max]]) => [name, [bound(min), bound(max)]])),
    frozen,
  });
  return levels.map((level) => ({
    ...written(level, optionsOf(level.optimizer)),
    groups: level.groups.map((group) => ({ name: group.name, match: group.match, ...written(group, groupOptionsOf(group.optimizer)) })),
  }));
}

export function addLevel(levels: readonly DraftLevel[], form: string): DraftLevel[] {
  if (levels.length >= maxLevels) return [...levels];
  const top = levels.at(-1);
  return [...levels, findForm(form)?.perParameter ? onePerName(newLevel(form), top ? learnedNames(top) : []) : newLevel(form)];
}

/** A group for each of what a level moves, with the level's settings, and nothing left over. */
export function onePerName(level: DraftLevel, names: readonly string[]): DraftLevel {
  return { ...level, frozen: true, groups: names.map((name) => newGroup({ ...level, name, match: [name], frozen: false })) };
}

/** A level with something changed; `change` may be any of the edits of settings below. */
export function changeLevel(levels: readonly DraftLevel[], index: number, change: (level: DraftLevel) => DraftLevel): DraftLevel[] {
  return levels.map((level, i) => (i === index ? change(level) : level));
}

/** An edit of settings, a level's own or a group's. */
export type SettingsChange = <S extends DraftSettings>(settings: S) => S;

/** Learns a hyperparameter or holds it constant; names stay in the optimizer's order. */
export function withLearned<S extends DraftSettings>(settings: S, name: string, learns: boolean): S {
  return { ...settings, learned: learnableNames(settings.optimizer).filter((n) => (n === name ? learns : settings.learned.includes(n))) };
}

export function withOption<S extends DraftSettings>(settings: S, name: string, value: OptionEntry): S {
  return { ...settings, options: { ...settings.options, [name]: value } };
}

/** Bounds of a hyperparameter; without either, it has none. */
export function withBounds<S extends DraftSettings>(settings: S, name: string, bounds: DraftBounds): S {
  const { [name]: _, ...others } = settings.bounds;
  return { ...settings, bounds: bounds.every((bound) => bound === "") ? others : { ...others, [name]: bounds } };
}

export function withValue<S extends DraftSettings>(settings: S, name: string, value: Entry): S {
  return { ...settings, values: { ...settings.values, [name]: value } };
}

/** Another optimizer in the same place; values a person has set are kept where the new one has them too. */
export function withOptimizer<S extends DraftSettings>(settings: S, optimizer: OptimizerName): S {
  if (settings.optimizer === optimizer) return settings;
  const set = optimizerSpec(settings.optimizer).hyperparameters.filter((spec) => settings.values[spec.name] !== spec.initial);
  const kept = Object.fromEntries(set.map((spec) => [spec.name, settings.values[spec.name] ?? spec.initial]));
  return { ...settings, ...newSettings(optimizer, { values: kept, frozen: settings.frozen }) };
}

export function removeLevel(levels: readonly DraftLevel[], index: number): DraftLevel[] {
  return levels.length === 1 ? [...levels] : levels.filter((_, i) => i !== index);
}

/** Puts a copy right above the level. */
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

/** One more group, with the level's settings and a name that is free. */
export function addGroup(level: DraftLevel): DraftLevel {
  const taken = new Set(level.groups.map(({ name }) => name));
  let number = level.groups.length + 1;
  while (taken.has(`group${number}`)) number++;
  return withGroups(level, [...level.groups, newGroup({ ...level, name: `group${number}`, match: [], frozen: false })]);
}

/** Patterns worth offering for what goes by `names`: `*.bias`, `layer1.*`, `*[bias]`, then every name. */
export function patternsFor(names: readonly string[]): string[] {
  const wholes = names.flatMap((name) => {
    const [, first, last] = /^([^.[]+)\.(?:.*\.)?([^.]+)$/.exec(name) ?? [];
    const [, hyperparameter, group] = /^(\w+)\[(.+)\]$/.exec(name) ?? [];
    if (group !== undefined) return [`${hyperparameter!}[*`, `*[${group}]`];
    return first === undefined ? [] : [`*.${last!}`, `${first}.*`];
  });
  return [...new Set([...wholes, ...names])];
}

/** Grows the tower with copies of its top level, or takes levels off the top; at least one stays. */
export function setLevelCount(levels: readonly DraftLevel[], count: number): DraftLevel[] {
  const wanted = Math.min(maxLevels, Math.max(1, Math.round(count)));
  const next = levels.slice(0, wanted);
  for (let top = next.at(-1); top && next.length < wanted; ) next.push(copyOf(top));
  return next;
}

/** What becomes of a hyperparameter under a level above: momentum that starts at 0 stays off. */
export function fateOf(level: DraftSettings, spec: HyperparameterSpec): "learned" | "constant" | "off at 0" {
  if (!level.learned.includes(spec.name)) return "constant";
  return spec.name === "mu" && level.values["mu"] === 0 && level.options["momentumFromZero"] !== true ? "off at 0" : "learned";
}

/** Symbols of what a level above would learn; those of a group bear its name. */
export function learnedSymbols(level: DraftLevel): string[] {
  return learned(level).map(({ group, spec }) => nameInLevel(spec.symbol, group));
}

/** Names of what a level above would learn, as its groups find them. */
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
