/** Edits of a tower while it is composed. All pure; index 0 moves the weights. */
import { findForm, learnableNames, optimizerSpec, type HyperparameterSpec, type OptimizerName } from "@shared/optimizers.ts";
import { initialOption, optionsOf, type OptionSpec } from "@shared/levelOptions.ts";
import { initialValue, maxLevels, optionValue, publishedAlpha, type Level } from "@shared/tower.ts";
import type { Entry } from "./numbers.ts";

/** A value of an option: empty text stands for one that is off. */
export type OptionEntry = Entry | boolean;

/** A level as the editor holds it: values may still be text that is no number. */
export interface DraftLevel {
  /** Identity while levels are moved about; never stored with a run. */
  readonly id: number;
  readonly optimizer: OptimizerName;
  readonly values: Readonly<Record<string, Entry>>;
  /** Names of the hyperparameters that a level above moves. */
  readonly learned: readonly string[];
  readonly options: Readonly<Record<string, OptionEntry>>;
}

let lastId = 0;

/** @param form an optimizer of the paper, e.g. `adam`, or `adamBaydin` for Adam that learns alpha alone */
export function newLevel(
  form: string,
  values: Readonly<Record<string, Entry>> = {},
  learned?: readonly string[],
  options: Readonly<Record<string, OptionEntry>> = {},
): DraftLevel {
  const found = findForm(form);
  if (!found) throw new Error(`there is no optimizer named ${form}`);
  const { optimizer } = found;
  const defaults = optimizerSpec(optimizer).hyperparameters.map((spec) => [spec.name, values[spec.name] ?? spec.initial]);
  return {
    id: ++lastId,
    optimizer,
    values: Object.fromEntries(defaults) as Record<string, Entry>,
    learned: learned ?? found.learned,
    options: Object.fromEntries(optionsOf(optimizer).map((spec) => [spec.name, options[spec.name] ?? publishedOption(optimizer, spec)])),
  };
}

/** An option as the published library has it. */
export function publishedOption(optimizer: OptimizerName, spec: OptionSpec): OptionEntry {
  return initialOption(spec, publishedAlpha(optimizer)) ?? "";
}

export function setOption(levels: readonly DraftLevel[], index: number, name: string, value: OptionEntry): DraftLevel[] {
  return levels.map((level, i) => (i === index ? { ...level, options: { ...level.options, [name]: value } } : level));
}

export function fromTower(levels: readonly Level[]): DraftLevel[] {
  return levels.map((of) => {
    const values = optimizerSpec(of.optimizer).hyperparameters.map(({ name }) => [name, initialValue(of, name)] as const);
    const options = optionsOf(of.optimizer).map((spec) => [spec.name, optionValue(of, spec) ?? ""] as const);
    return newLevel(of.optimizer, Object.fromEntries(values), of.learned, Object.fromEntries(options));
  });
}

/** The tower as an experiment names it; unread text is passed on for validation to refuse. */
export function toTower(levels: readonly DraftLevel[]): Record<string, unknown>[] {
  return levels.map(({ optimizer, values, learned, options }) => ({
    optimizer,
    ...values,
    learned,
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, value === "" ? null : value])),
  }));
}

export function addLevel(levels: readonly DraftLevel[], form: string): DraftLevel[] {
  return levels.length >= maxLevels ? [...levels] : [...levels, newLevel(form)];
}

/** Learns a hyperparameter or holds it constant; names stay in the optimizer's order. */
export function setLearned(levels: readonly DraftLevel[], index: number, name: string, learns: boolean): DraftLevel[] {
  return levels.map((level, i) => {
    if (i !== index) return level;
    const names = learnableNames(level.optimizer).filter((n) => (n === name ? learns : level.learned.includes(n)));
    return { ...level, learned: names };
  });
}

export function removeLevel(levels: readonly DraftLevel[], index: number): DraftLevel[] {
  return levels.length === 1 ? [...levels] : levels.filter((_, i) => i !== index);
}

/** Puts a copy right above the level. */
export function duplicateLevel(levels: readonly DraftLevel[], index: number): DraftLevel[] {
  const original = levels[index];
  if (!original || levels.length >= maxLevels) return [...levels];
  return levels.toSpliced(index + 1, 0, newLevel(original.optimizer, original.values, original.learned, original.options));
}

export function moveLevel(levels: readonly DraftLevel[], from: number, to: number): DraftLevel[] {
  const moved = levels[from];
  if (!moved || to < 0 || to >= levels.length) return [...levels];
  return levels.toSpliced(from, 1).toSpliced(to, 0, moved);
}

export function setValue(levels: readonly DraftLevel[], index: number, name: string, value: Entry): DraftLevel[] {
  return levels.map((level, i) => (i === index ? { ...level, values: { ...level.values, [name]: value } } : level));
}

/** Another optimizer in the same place; values a person has set are kept where the new one has them too. */
export function changeOptimizer(levels: readonly DraftLevel[], index: number, optimizer: OptimizerName): DraftLevel[] {
  return levels.map((level, i) => {
    if (i !== index || level.optimizer === optimizer) return level;
    const set = optimizerSpec(level.optimizer).hyperparameters.filter((spec) => level.values[spec.name] !== spec.initial);
    const kept = Object.fromEntries(set.map((spec) => [spec.name, level.values[spec.name] ?? spec.initial]));
    return { ...newLevel(optimizer, kept), id: level.id };
  });
}

/** Grows the tower with copies of its top level, or takes levels off the top; at least one stays. */
export function setLevelCount(levels: readonly DraftLevel[], count: number): DraftLevel[] {
  const wanted = Math.min(maxLevels, Math.max(1, Math.round(count)));
  const next = levels.slice(0, wanted);
  for (let top = next.at(-1); top && next.length < wanted; ) next.push(newLevel(top.optimizer, top.values, top.learned, top.options));
  return next;
}

/** What becomes of a hyperparameter under a level above: momentum that starts at 0 stays off. */
export function fateOf(level: DraftLevel, spec: HyperparameterSpec): "learned" | "constant" | "off at 0" {
  if (!level.learned.includes(spec.name)) return "constant";
  return spec.name === "mu" && level.values["mu"] === 0 && level.options["momentumFromZero"] !== true ? "off at 0" : "learned";
}

/** Symbols of what a level above would learn. */
export function learnedSymbols(level: DraftLevel): string[] {
  return optimizerSpec(level.optimizer)
    .hyperparameters.filter((spec) => fateOf(level, spec) === "learned")
    .map((spec) => spec.symbol);
}
