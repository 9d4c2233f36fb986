/** Edits of a tower while it is composed. All pure; index 0 moves the weights. */
import { optimizerSpec, type OptimizerName } from "@shared/optimizers.ts";
import { maxLevels, type Level } from "@shared/tower.ts";
import type { Entry } from "./numbers.ts";

/** A level as the editor holds it: values may still be text that is no number. */
export interface DraftLevel {
  /** Identity while levels are moved about; never stored with a run. */
  readonly id: number;
  readonly optimizer: OptimizerName;
  readonly values: Readonly<Record<string, Entry>>;
}

let lastId = 0;

export function newLevel(optimizer: OptimizerName, values: Readonly<Record<string, Entry>> = {}): DraftLevel {
  const defaults = optimizerSpec(optimizer).hyperparameters.map((spec) => [spec.name, values[spec.name] ?? spec.initial]);
  return { id: ++lastId, optimizer, values: Object.fromEntries(defaults) as Record<string, Entry> };
}

export function fromTower(levels: readonly Level[]): DraftLevel[] {
  return levels.map(({ optimizer, ...values }) => newLevel(optimizer, values));
}

/** The tower as an experiment names it; unread text is passed on for validation to refuse. */
export function toTower(levels: readonly DraftLevel[]): Record<string, Entry>[] {
  return levels.map(({ optimizer, values }) => ({ optimizer, ...values }));
}

export function addLevel(levels: readonly DraftLevel[], optimizer: OptimizerName): DraftLevel[] {
  return levels.length >= maxLevels ? [...levels] : [...levels, newLevel(optimizer)];
}

export function removeLevel(levels: readonly DraftLevel[], index: number): DraftLevel[] {
  return levels.length === 1 ? [...levels] : levels.filter((_, i) => i !== index);
}

/** Puts a copy right above the level. */
export function duplicateLevel(levels: readonly DraftLevel[], index: number): DraftLevel[] {
  const original = levels[index];
  if (!original || levels.length >= maxLevels) return [...levels];
  return levels.toSpliced(index + 1, 0, newLevel(original.optimizer, original.values));
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
  for (let top = next.at(-1); top && next.length < wanted; ) next.push(newLevel(top.optimizer, top.values));
  return next;
}

/** Symbols of what a level above would learn; momentum counts only where it is in use. */
export function learnedSymbols(level: DraftLevel): string[] {
  return optimizerSpec(level.optimizer)
    .hyperparameters.filter((spec) => spec.learned && !(spec.name === "mu" && level.values["mu"] === 0))
    .map((spec) => spec.symbol);
}
