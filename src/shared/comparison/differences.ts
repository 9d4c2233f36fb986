/** Fields in which experiments differ, with aligned tower levels. */
import type { Experiment } from "../experiment.ts";
import { optionsOf } from "../levelOptions.ts";
import { optimizerSpec } from "../optimizers.ts";
import { scheduleInWords } from "../schedules/spec.ts";
import { groupNotation, isPublishedDefault, levelNotation, optionValue, type Level } from "../tower.ts";
import { alignTowers, type Slot } from "./alignment.ts";

export type FieldValue = string | number | undefined;

export interface Difference {
  /**
   * Dotted path of the field, such as `tower.0.alpha`, with aligned level numbers; `tower.1` for a
   * whole level.
   */
  readonly path: string;
  readonly label: string;
  /** Value per experiment, in order; undefined where the field is missing. */
  readonly values: readonly FieldValue[];
}

/** Leaves of a part of an experiment by dotted path. */
function flatten(value: unknown, path = ""): Map<string, string | number> {
  if (typeof value === "string" || typeof value === "number") return new Map([[path, value]]);
  if (typeof value === "boolean") return new Map([[path, value ? "on" : "off"]]);
  const leaves = new Map<string, string | number>();
  if (typeof value !== "object" || value === null) return leaves;
  // A list of names is a single choice.
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) return new Map([[path, value.join(", ") || "nothing"]]);
  for (const [key, child] of Object.entries(value)) {
    for (const [leaf, of] of flatten(child, path === "" ? key : `${path}.${key}`)) leaves.set(leaf, of);
  }
  return leaves;
}

/** A level with its groups as text, `bias (*.bias): SGD(0.1)`, and its schedules. */
function withGroupsInWords({ schedules, ...of }: Level): object {
  const words = Object.entries(schedules ?? {}).map(([name, schedule]) => `${name}: ${scheduleInWords(schedule)}`);
  const lists = optionsOf(of.optimizer).flatMap((spec) => (spec.kind === "numbers" ? [[spec.name, (optionValue(of, spec) as readonly number[]).join(", ")] as const] : []));
  return { ...of, ...Object.fromEntries(lists), ...(words.length > 0 ? { schedules: words.join("; ") } : {}), groups: of.groups.map((group) => groupNotation(group).replace(group.name, `${group.name} (${group.match.join(", ")})`)) };
}

/** Fields of an experiment by dotted path, groups as text. */
export function fieldsOf(experiment: Experiment): Map<string, string | number> {
  return flatten({ ...experiment, tower: experiment.tower.map(withGroupsInWords) });
}

const labels: Readonly<Record<string, string>> = {
  "dataset.kind": "dataset",
  "dataset.trainExamples": "training examples",
  "dataset.testExamples": "test examples",
  "dataset.validation": "held out",
  "dataset.augmentation.crop": "random shift, pixels",
  "dataset.augmentation.flip": "random mirroring",
  "dataset.splitSeed": "seed of the split",
  "model.kind": "model",
  "model.initialization": "initialization",
  "model.activation": "hidden activation",
  "model.outputActivation": "output activation",
  batchSize: "batch size",
  shuffle: "shuffled",
  "budget.epochs": "epochs",
  "evaluation.every": "evaluated every",
  "engine.kind": "engine",
  "engine.threads": "threads",
  "guard.on": "guard",
};

/** Label of a field outside the tower. */
export function fieldLabel(path: string): string {
  return labels[path] ?? path.replace(/^model\.hidden\.(\d+)$/, (_, index) => `width of hidden layer ${Number(index) + 1}`);
}

/** Label of a field of a level: `α of level 0`. */
export function levelFieldLabel(field: string, { label }: Pick<Slot, "label">, levels: readonly Level[]): string {
  if (field === "learned") return `learned in ${label}`;
  if (field === "frozen") return `the rest of ${label} frozen`;
  for (const of of levels) {
    const spec = optimizerSpec(of.optimizer).hyperparameters.find(({ name }) => name === field);
    if (spec) return `${spec.symbol} of ${label}`;
    const option = optionsOf(of.optimizer).find(({ name }) => name === field);
    if (option) return `${option.label.toLowerCase()}, ${label}`;
  }
  const [, scheduled] = /^(.+)\.inForce$/s.exec(field) ?? [];
  return scheduled === undefined ? `${field} of ${label}` : `${levelFieldLabel(scheduled, { label }, levels)}, in force`;
}

const vary = (values: readonly FieldValue[]) => new Set(values).size > 1;

function rows(flat: readonly Map<string, string | number>[], pathOf: (leaf: string) => string, labelOf: (leaf: string) => string): Difference[] {
  const leaves = new Set(flat.flatMap((of) => [...of.keys()]));
  return [...leaves].map((leaf) => ({ path: pathOf(leaf), label: labelOf(leaf), values: flat.map((of) => of.get(leaf)) }));
}

/**
 * If a level is missing in some towers, or its optimizers differ, the first row shows what is
 * there. Then
 * follow the differing fields that the present levels share.
 */
function slotRows(slot: Slot, at: number, towers: readonly (readonly Level[])[]): Difference[] {
  const levels = slot.levels.map((index, of) => (index === null ? undefined : towers[of]?.[index]));
  const having = levels.filter((level) => level !== undefined);
  const mixed = vary(having.map(({ optimizer }) => optimizer));
  const path = `tower.${at}`;
  const fields = rows(levels.map((level) => flatten(level && withGroupsInWords(level))), (leaf) => `${path}.${leaf}`, (leaf) => levelFieldLabel(leaf, slot, having)).filter((row) => {
    const field = row.path.slice(path.length + 1);
    const present = row.values.filter((_, i) => levels[i] !== undefined);
    if (mixed && (field === "optimizer" || field === "learned" || present.includes(undefined))) return false;
    // Skip an option that is nowhere set, even if some optimizers lack it.
    return vary(present) && !having.every((level) => isPublishedDefault(level, field) || !(field in level));
  });
  if (having.length === levels.length && !mixed) return fields;
  return [{ path, label: slot.label, values: levels.map((level, of) => level && levelNotation(level, slot.levels[of] === towers[of]!.length - 1)) }, ...fields];
}

/**
 * Fields that differ between experiments, except the name and facts about own data. Levels are
 * aligned to
 * the tower of the experiment at `baseline`.
 */
export function differences(experiments: readonly Experiment[], baseline = 0): Difference[] {
  const towers = experiments.map(({ tower }) => tower);
  const others = rows(experiments.map((of) => flatten({ ...of, name: undefined, tower: undefined, dataset: { ...of.dataset, facts: undefined } })), (leaf) => leaf, fieldLabel);
  return [...others.filter(({ values }) => vary(values)), ...alignTowers(towers, baseline).flatMap((slot, at) => slotRows(slot, at, towers))];
}
