/** A study being edited: every field may hold text that is not a number yet. */
import { z } from "zod";
import { nameInLevel } from "@shared/groups.ts";
import type { FieldError } from "@shared/experiment.ts";
import { optimizerSpec, type HyperparameterSpec } from "@shared/optimizers.ts";
import { fieldAt, inRange, lengthOf } from "@shared/schemaFields.ts";
import { countRuns, expandStudy } from "@shared/study/expand.ts";
import { study as studySchema, validateStudy, type Axis, type AxisValues, type Study, type UpperRule } from "@shared/study/study.ts";
import { axisValues } from "@shared/study/values.ts";
import type { Level } from "@shared/tower.ts";
import { defaultDraft, draftOf, experimentOf, parseStored, storedDraft, storedEntry, storedLevel, type Draft } from "./draft.ts";
import { draftMethods, methodsOf, newMethods, storedMethods, type DraftMethods } from "./methodsDraft.ts";
import { readEntry, type Entry } from "./numbers.ts";
import { editedHyperparameters, fromTower, toTower, type DraftLevel } from "./towerEdits.ts";

export const valueKinds = ["grid", "list", "random", "quasiRandom"] as const satisfies readonly AxisValues["kind"][];
export const upperRules = ["equal", "figure4b", "fixed", "base"] as const satisfies readonly UpperRule["kind"][];
/** What to compare: the base's own tower, heights of it, methods, or named stacks. */
export const comparisons = ["base", "heights", "methods", "stacks"] as const;

export interface DraftAxis {
  /** Identity while editing; never stored with a study. */
  readonly id: number;
  level: number;
  hyperparameter: string;
  kind: AxisValues["kind"];
  /** Values separated by commas or spaces. */
  list: string;
  scale: "log" | "linear";
  from: Entry;
  to: Entry;
  points: Entry;
  seed: Entry;
}

export interface DraftStack {
  readonly name: string;
  /** None for a rerun. */
  readonly levels: readonly DraftLevel[];
  readonly rerunOf: string | null;
  readonly epochs: number | null;
  readonly seeds: readonly number[] | null;
  readonly against: string | null;
}

export interface StudyDraft {
  name: string;
  base: Draft;
  axes: DraftAxis[];
  compares: (typeof comparisons)[number];
  heights: {
    values: number[];
    rule: UpperRule["kind"];
    /** Step sizes of the rule `fixed`, as typed. */
    alphas: string;
    /** The levels above level 0; null: as in the rule. */
    upper: DraftLevel | null;
    /** Exceptions for single heights. */
    upperAt: Record<string, DraftLevel>;
  };
  stacks: DraftStack[];
  methods: DraftMethods;
  seeds: { by: "count" | "list"; count: Entry; list: string };
  halving: { on: boolean; rungs: string; keep: Entry };
  safe: boolean;
  /** Empty: auto. */
  cohort: Entry;
}

let lastId = 0;

/** A default range: at least a decade around the initial value. */
export function newAxis({ level, name, spec, initial }: AxisChoice): DraftAxis {
  const isLog = spec.scale === "log";
  const start = typeof initial === "number" ? initial : (spec.initial ?? 1);
  const range = isLog ? decadesAround(start) : linearAround(start, spec);
  return { id: ++lastId, level, hyperparameter: name, kind: "grid", list: "", scale: spec.scale, ...range, seed: 0 };
}

function decadesAround(initial: number): { from: number; to: number; points: number } {
  const middle = initial > 0 ? Math.round(Math.log10(initial)) : -3;
  return { from: Number(`1e${middle - 2}`), to: Number(`1e${middle + 2}`), points: 5 };
}

function linearAround(initial: number, { domain }: HyperparameterSpec): { from: number; to: number; points: number } {
  const inside = domain.max === 1;
  return inside ? { from: 0.5, to: Math.max(0.99, initial), points: 5 } : { from: initial, to: initial + 1, points: 5 };
}

const written = (values: readonly number[]) => values.map((value) => String(value).replace("e+", "e")).join(", ");

/** Parses `1e-3, 0.01 0.1`; text that is not a number remains for validation to refuse. */
export function readList(text: string): Entry[] {
  return text.split(/[\s,;]+/).filter((part) => part !== "").map(readEntry);
}

function draftAxis({ level, hyperparameter, values }: Axis): DraftAxis {
  const blank = { list: "", scale: "log" as const, from: 1e-5, to: 1, points: 6, seed: 0 };
  const own = values.kind === "list" ? { list: written(values.values) } : values;
  return { ...blank, ...own, id: ++lastId, level, hyperparameter, kind: values.kind };
}

/** Seeds 0, 1, 2, ... are shown as a count, any others as a list. */
function draftSeeds(seeds: readonly number[]): StudyDraft["seeds"] {
  const counted = seeds.every((seed, index) => seed === index);
  return { by: counted ? "count" : "list", count: seeds.length, list: written(seeds) };
}

const draftLevel = (level: Level): DraftLevel => fromTower([level])[0]!;

/** What a study compares. */
export function comparisonOf({ heights, methods, stacks }: Pick<Study, "heights" | "methods" | "stacks">): StudyDraft["compares"] {
  return methods ? "methods" : stacks ? "stacks" : heights ? "heights" : "base";
}

export function studyDraftOf(study: Study): StudyDraft {
  const { name, base, axes, heights, stacks, methods, seeds, halving, safe, cohort } = study;
  return {
    name,
    base: draftOf(base),
    axes: axes.map(draftAxis),
    compares: comparisonOf(study),
    heights: {
      values: heights?.values ?? [0, 1],
      rule: heights?.rule.kind ?? "equal",
      alphas: heights?.rule.kind === "fixed" ? written(heights.rule.alphas) : "",
      upper: heights?.upper ? draftLevel(heights.upper) : null,
      upperAt: Object.fromEntries(Object.entries(heights?.upperAt ?? {}).map(([at, level]) => [at, draftLevel(level)])),
    },
    stacks: (stacks ?? []).map(({ tower, ...rest }) => ({ ...rest, levels: tower ? fromTower(tower) : [] })),
    methods: draftMethods(methods),
    seeds: draftSeeds(seeds),
    halving: { on: halving !== null, rungs: written(halving?.rungs ?? [1]), keep: halving?.keep ?? 0.5 },
    safe,
    cohort: cohort === "auto" ? "" : cohort,
  };
}

/** A study of the base's step size with towers of heights 0 and 1. */
export function studyOfExperiment(base: Draft): StudyDraft {
  const bottom = base.levels[0];
  const spec = bottom && optimizerSpec(bottom.optimizer).hyperparameters[0];
  const start = bottom?.values["alpha"];
  return {
    name: base.name === "" ? "" : `Study of ${base.name}`.slice(0, 200),
    base: { ...base, name: "" },
    axes: spec ? [newAxis({ level: 0, name: spec.name, spec, initial: start ?? spec.initial })] : [],
    compares: "heights",
    heights: { values: [0, 1], rule: "base", alphas: "", upper: null, upperAt: {} },
    stacks: [],
    methods: newMethods(),
    seeds: { by: "count", count: 2, list: "0, 1" },
    halving: { on: false, rungs: "1", keep: 0.5 },
    safe: false,
    cohort: "",
  };
}

export const defaultStudyDraft = (): StudyDraft => studyOfExperiment(defaultDraft());

function valuesOf({ kind, list, scale, from, to, points, seed }: DraftAxis): unknown {
  if (kind === "list") return { kind, values: readList(list) };
  return { kind, scale, from, to, points, ...(kind === "random" ? { seed } : {}) };
}

const levelOf = (level: DraftLevel): unknown => toTower([level])[0];

function heightsOf({ values, rule, alphas, upper, upperAt }: StudyDraft["heights"]): unknown {
  return {
    values,
    rule: rule === "fixed" ? { kind: rule, alphas: readList(alphas) } : { kind: rule },
    upper: upper && levelOf(upper),
    upperAt: Object.fromEntries(Object.entries(upperAt).filter(([at]) => values.includes(Number(at))).map(([at, level]) => [at, levelOf(level)])),
  };
}

/** Allowed numbers of seeds. */
export const seedCounts = lengthOf(fieldAt(studySchema, "seeds"));

/** Seeds from 0; empty for an invalid count, which validation refuses. */
function seedsOf({ by, count, list }: StudyDraft["seeds"]): unknown {
  if (by === "list") return readList(list);
  if (typeof count !== "number" || !inRange(count, seedCounts)) return [];
  return Array.from({ length: count }, (_, seed) => seed);
}

/** The study for requests; not validated. */
export function studyOf(draft: StudyDraft): unknown {
  const { name, base, axes, compares, heights, stacks, methods, seeds, halving, safe, cohort } = draft;
  return {
    name,
    base: experimentOf({ ...base, name: "", seed: 0 }),
    // A study of methods varies their starting values alone.
    axes: compares === "methods" ? [] : axes.map((axis) => ({ level: axis.level, hyperparameter: axis.hyperparameter, values: valuesOf(axis) })),
    heights: compares === "heights" ? heightsOf(heights) : null,
    stacks: compares === "stacks" ? stacks.map(({ levels, ...rest }) => ({ ...rest, tower: rest.rerunOf === null ? toTower(levels) : null })) : null,
    methods: compares === "methods" ? methodsOf(methods) : null,
    seeds: seedsOf(seeds),
    halving: halving.on ? { rungs: readList(halving.rungs), keep: halving.keep } : null,
    safe,
    cohort: cohort === "" ? "auto" : cohort,
  };
}

export type StudyDraftValidation = { ok: true; study: Study; runs: number } | { ok: false; errors: FieldError[] };

/** Validates the form as the services will. */
export function validateStudyDraft(draft: StudyDraft): StudyDraftValidation {
  const form = validateStudy(studyOf(draft));
  if (!form.ok) return { ok: false, errors: form.errors.map((error) => inWords(error, draft)) };
  const expansion = expandStudy(form.study);
  return expansion.ok ? { ok: true, study: form.study, runs: countRuns(form.study) } : expansion;
}

/** Rewrites the error of an invalid seed count for its field. */
function inWords(error: FieldError, { seeds }: StudyDraft): FieldError {
  return error.path === "seeds" && seeds.by === "count" ? { path: "seeds", message: "the number of seeds must be a whole number from 1 to 1000" } : error;
}

const listEntry = /^(axes\.\d+\.values\.values|heights\.values|heights\.rule\.alphas|seeds|halving\.rungs|methods\.factors\.values)\.\d+$/;

/**
 * Errors by the path of the field that shows them: errors of the base by its fields, errors of a
 * list entry
 * by the list.
 */
export function errorsByField(errors: readonly FieldError[]): Map<string, string> {
  const byPath = new Map<string, string>();
  for (const { path, message } of errors) {
    const own = path.startsWith("base.") ? path.slice("base.".length) : (listEntry.exec(path)?.[1] ?? path);
    if (!byPath.has(own)) byPath.set(own, message);
  }
  return byPath;
}

/** Values of an axis; undefined while invalid. */
export function previewAxis(draft: StudyDraft, index: number): number[] | undefined {
  const axes = draft.axes.map(({ level, hyperparameter, ...rest }) => ({ level, hyperparameter, values: valuesOf({ level, hyperparameter, ...rest }) }));
  const parsed = validateStudy({ axes });
  if (!parsed.ok) {
    const own = axes[index];
    const alone = own && validateStudy({ axes: [own] });
    return alone?.ok ? axisValues(alone.study.axes)[0] : undefined;
  }
  return axisValues(parsed.study.axes)[index];
}

export interface AxisChoice {
  readonly level: number;
  /** `alpha`, or `alpha[bias]` of a group. */
  readonly name: string;
  readonly spec: HyperparameterSpec;
  readonly initial: Entry;
}

/**
 * Hyperparameters that an axis may vary: of the base's levels, and of the levels that heights add.
 */
export function axisChoices({ base, compares, heights }: StudyDraft): AxisChoice[] {
  const { levels } = base;
  const highest = compares === "heights" ? Math.max(0, ...heights.values) : levels.length - 1;
  return Array.from({ length: highest + 1 }, (_, level) => {
    const own = heights.rule === "base" || compares !== "heights" ? (levels[level] ?? levels.at(-1)) : levels[0];
    const of = level === 0 ? levels[0] : compares === "heights" ? (heights.upper ?? own) : own;
    if (!of) return [];
    // Level 0's groups are of model parameters and do not apply above.
    const groups = level > 0 && of === levels[0] ? [] : of.groups;
    return [{ name: null, settings: of }, ...groups.map((group) => ({ name: group.name, settings: group }))].flatMap(({ name, settings }) =>
      editedHyperparameters(settings).map((spec) => ({ level, name: nameInLevel(spec.name, name), spec, initial: settings.values[spec.name] ?? spec.initial })),
    );
  }).flat();
}

const text = z.string().max(100_000);
const storedStudy = z.object({
  name: text,
  base: storedDraft,
  axes: z.array(
    z
      .object({ level: z.number(), hyperparameter: text, kind: z.enum(valueKinds), list: text, scale: z.enum(["log", "linear"]), from: storedEntry, to: storedEntry, points: storedEntry, seed: storedEntry })
      .transform((axis) => ({ ...axis, id: ++lastId })),
  ),
  compares: z.enum(comparisons),
  heights: z.object({
    values: z.array(z.number()),
    rule: z.enum(upperRules),
    alphas: text,
    upper: storedLevel.nullable(),
    upperAt: z.record(z.string(), storedLevel),
  }),
  stacks: z.array(z.object({ name: text, levels: z.array(storedLevel), rerunOf: text.nullable().default(null), epochs: z.number().nullable(), seeds: z.array(z.number()).nullable().default(null), against: text.nullable().default(null) })),
  // Drafts of earlier versions have no methods.
  methods: storedMethods.default(newMethods),
  seeds: z.object({ by: z.enum(["count", "list"]), count: storedEntry, list: text }),
  halving: z.object({ on: z.boolean(), rungs: text, keep: storedEntry }),
  safe: z.boolean().default(false),
  cohort: storedEntry.default(""),
});

/** Parses a remembered draft; undefined if it is older or damaged. */
export function parseStudyDraft(remembered: string): StudyDraft | undefined {
  return parseStored(storedStudy, remembered);
}

/** Whether two drafts describe the same study, apart from the name. */
export function sameStudy(a: StudyDraft, b: StudyDraft): boolean {
  const plain = (draft: StudyDraft) => JSON.stringify(studyOf({ ...draft, name: "" }));
  return plain(a) === plain(b);
}
