/** Edits of a tower while it is composed. All pure; index 0 moves the weights. */
import { findForm, learnableNames, optimizerSpec, type HyperparameterSpec, type OptimizerName } from "@shared/optimizers.ts";
import { maxLevels, type Level } from "@shared/tower.ts";
import type { Entry } from "./numbers.ts";

/** A level as the editor holds it: values may still be text that is no number. */
export interface DraftLevel {
  /** Identity while levels are moved about; never stored with a run. */
  readonly id: number;
  readonly optimizer: OptimizerName;
  readonly values: Readonly<Record<string, Entry>>;
  /** Names of the hyperparameters that a level above moves. */
  readonly learned: readonly string[];
}

let lastId = 0;

/** @param form an optimizer of the paper, e.g. `adam`, or `adamBaydin` for Adam that learns alpha alone */
export function newLevel(form: string, values: Readonly<Record<string, Entry>> = {}, learned?: readonly string[]): DraftLevel {
  const found = findForm(form);
  if (!found) throw new Error(`there is no optimizer named ${form}`);
  const { optimizer } = found;
  const defaults = optimizerSpec(optimizer).hyperparameters.map((spec) => [spec.name, values[spec.name] ?? spec.initial]);
  return { id: ++lastId, optimizer, values: Object.fromEntries(defaults) as Record<string, Entry>, learned: learned ?? found.learned };
}

export function fromTower(levels: readonly Level[]): DraftLevel[] {
  return levels.map(({ optimizer, learned, ...values }) => newLevel(optimizer, values, learned));
}

/** The tower as an experiment names it; unread text is passed on for validation to refuse. */
export function toTower(levels: readonly DraftLevel[]): Record<string, unknown>[] {
  return levels.map(({ optimizer, values, learned }) => ({ optimizer, ...values, learned }));
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
  return levels.toSpliced(index + 1, 0, newLevel(original.optimizer, original.values, original.learned));
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
  for (let top = next.at(-1); top && next.length < wanted; ) next.push(newLevel(top.optimizer, top.values, top.learned));
  return next;
}

/** What becomes of a hyperparameter under a level above: momentum that starts at 0 stays off. */
export function fateOf(level: DraftLevel, spec: HyperparameterSpec): "learned" | "constant" | "off at 0" {
  if (!level.learned.includes(spec.name)) return "constant";
  return spec.name === "mu" && level.values["mu"] === 0 ? "off at 0" : "learned";
}

/** Symbols of what a level above would learn. */
export function learnedSymbols(level: DraftLevel): string[] {
  return optimizerSpec(level.optimizer)
    .hyperparameters.filter((spec) => fateOf(level, spec) === "learned")
    .map((spec) => spec.symbol);
}
