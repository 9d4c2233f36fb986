/** Methods of a study being edited: ways to train, the knobs that are swept, and the factors of their defaults. */
import { z } from "zod";
import { nameInLevel } from "@shared/groups.ts";
import { inDomain, type HyperparameterSpec } from "@shared/optimizers.ts";
import { factorsOf, startingHyperparameter } from "@shared/study/methods.ts";
import { commonMethods } from "@shared/study/methodPresets.ts";
import { method as methodSchema, type Knob, type Method, type Methods } from "@shared/study/study.ts";
import { storedEntry, storedLevel } from "./draft.ts";
import { readEntry, type Entry } from "./numbers.ts";
import { editedHyperparameters, fromTower, newLevel, toTower, type DraftLevel } from "./towerEdits.ts";

export interface DraftKnob {
  readonly level: number;
  readonly hyperparameter: string;
  /** Empty: the value in the method's tower. */
  readonly published: Entry;
}

export interface DraftMethod {
  /** Identity while editing; never stored with a study. */
  readonly id: number;
  readonly name: string;
  readonly levels: readonly DraftLevel[];
  /** Null: the one that the optimizer is known by. */
  readonly start: DraftKnob | null;
  readonly knobs: readonly DraftKnob[];
}

export interface DraftMethods {
  /** Factors: evenly spaced decades around 1, or a list. */
  readonly by: "decades" | "list";
  /** From the smallest to the largest factor. */
  readonly decades: Entry;
  readonly points: Entry;
  readonly factors: string;
  /** Whether the methods' other knobs are swept too. */
  readonly sweepsKnobs: boolean;
  readonly list: readonly DraftMethod[];
}

let lastId = 0;

export const newMethods = (): DraftMethods => ({ by: "decades", decades: 8, points: 9, factors: "", sweepsKnobs: false, list: [] });

const draftKnob = ({ published, ...knob }: Knob): DraftKnob => ({ ...knob, published: published ?? "" });

/** A copy in the form, with an id of its own. */
export const draftMethod = ({ name, tower, start, knobs }: Method): DraftMethod => ({ id: ++lastId, name, levels: fromTower(tower), start: start && draftKnob(start), knobs: knobs.map(draftKnob) });

/** A method that the user composes. */
export const newMethod = (name: string): DraftMethod => ({ id: ++lastId, name, levels: [newLevel("adam")], start: null, knobs: [] });

/** A copy below the original. */
export const copyOfMethod = (method: DraftMethod, names: readonly string[]): DraftMethod => ({ ...method, id: ++lastId, name: unusedName(`${method.name}, copy`, names) });

export function unusedName(wanted: string, names: readonly string[]): string {
  const taken = new Set(names);
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted} ${count}`;
    if (!taken.has(name)) return name;
  }
}

/** Smallest and largest of factors that span a number of decades around 1. */
function rangeOf(decades: number): { from: number; to: number } {
  const rounded = (value: number) => Number(value.toPrecision(12));
  return { from: rounded(10 ** (-decades / 2)), to: rounded(10 ** (decades / 2)) };
}

/** The decades of a grid around 1; null for other factors. */
function decadesOf(factors: Methods["factors"]): number | null {
  if (factors.kind !== "grid" || factors.scale !== "log") return null;
  const decades = Number(Math.log10(factors.to / factors.from).toPrecision(10));
  const { from, to } = rangeOf(decades);
  return from === factors.from && to === factors.to ? decades : null;
}

export function draftMethods(methods: Methods | null): DraftMethods {
  if (!methods) return newMethods();
  const { factors, list } = methods;
  const decades = decadesOf(factors);
  return {
    ...newMethods(),
    ...(decades === null ? { by: "list", factors: factorsOf(methods).join(", ").replaceAll("e+", "e") } : { decades, points: factors.kind === "grid" ? factors.points : 9 }),
    sweepsKnobs: list.some(({ knobs }) => knobs.length > 0),
    list: list.map(draftMethod),
  };
}

function factorsIn({ by, decades, points, factors }: DraftMethods): unknown {
  if (by === "list") return { kind: "list", values: factors.split(/[\s,;]+/).filter((part) => part !== "").map(readEntry) };
  return { kind: "grid", scale: "log", ...(typeof decades === "number" && decades > 0 ? rangeOf(decades) : { from: decades, to: decades }), points };
}

const knobOf = ({ published, ...knob }: DraftKnob) => ({ ...knob, published: published === "" ? null : published });

/** The methods for requests; not validated. */
export function methodsOf(draft: DraftMethods): unknown {
  const list = draft.list.map(({ name, levels, start, knobs }) => ({ name, tower: toTower(levels), start: start && knobOf(start), knobs: draft.sweepsKnobs ? knobs.map(knobOf) : [] }));
  return { factors: factorsIn(draft), list };
}

/** A hyperparameter that a method can be started from, or swept over. */
export interface KnobChoice {
  readonly level: number;
  readonly hyperparameter: string;
  readonly spec: HyperparameterSpec;
  readonly symbol: string;
  /** `α of level 1, Step size` */
  readonly label: string;
  readonly value: Entry;
}

export const knobKey = ({ level, hyperparameter }: Pick<DraftKnob, "level" | "hyperparameter">): string => `L${level}.${hyperparameter}`;

/** Hyperparameters of a method's levels and groups that factors can multiply. */
export function knobChoices(levels: readonly DraftLevel[]): KnobChoice[] {
  return levels.flatMap((own, level) =>
    [{ group: null, settings: own }, ...own.groups.map((group) => ({ group: group.name, settings: group }))].flatMap(({ group, settings }) =>
      editedHyperparameters(settings).flatMap((spec): KnobChoice[] => {
        const value = settings.values[spec.name] ?? spec.initial;
        if (typeof value === "number" && value <= 0) return [];
        const symbol = nameInLevel(spec.symbol, group);
        const at = level === 0 ? symbol : `${symbol} of level ${level}`;
        return [{ level, hyperparameter: nameInLevel(spec.name, group), spec, symbol, label: `${at}, ${spec.label.toLowerCase()}`, value }];
      }),
    ),
  );
}

/** Where a method starts, if the form does not say. */
export const startOf = ({ levels, start }: DraftMethod): Pick<DraftKnob, "level" | "hyperparameter"> => start ?? { level: 0, hyperparameter: startingHyperparameter({ optimizer: levels[0]!.optimizer, mechanic: levels[0]!.options["mechanic"] === true }) };

/** Other knobs of a method, which a sweep leaves in their domain at every factor. */
export function otherKnobs(method: DraftMethod, factors: readonly number[]): KnobChoice[] {
  const start = knobKey(startOf(method));
  return knobChoices(method.levels).filter((choice) => {
    if (knobKey(choice) === start) return false;
    const published = method.knobs.find((knob) => knobKey(knob) === knobKey(choice))?.published;
    const value = typeof published === "number" ? published : choice.value;
    return typeof value === "number" && factors.every((factor) => inDomain(value * factor, choice.spec.domain));
  });
}

/** Knobs that a sweep of all knobs begins with: a tower's upper step sizes, which the paper's method adds to plain training. */
export const suggestedKnobs = (method: DraftMethod): DraftKnob[] =>
  method.levels.slice(1).map((_, above) => ({ level: above + 1, hyperparameter: "alpha", published: "" }));

/** The methods of the presets. */
export const catalogueMethods = (): Method[] => commonMethods().map((input) => methodSchema.parse(input));

/** Starting value of a method as published, for a line of text. */
export function publishedStart(method: DraftMethod): { symbol: string; value: Entry } | null {
  const at = startOf(method);
  const choice = knobChoices(method.levels).find((one) => knobKey(one) === knobKey(at));
  if (!choice) return null;
  return { symbol: choice.symbol, value: method.start && method.start.published !== "" ? method.start.published : choice.value };
}

/** Numbers of a form's factors, for a preview; empty while they are not valid. */
export function previewFactors(draft: DraftMethods): number[] {
  const factors = factorsIn(draft) as { values?: Entry[]; from?: Entry; points?: Entry };
  if (factors.values) return factors.values.every((value) => typeof value === "number" && value > 0) ? (factors.values as number[]) : [];
  const { decades, points } = draft;
  if (typeof decades !== "number" || typeof points !== "number" || !(decades > 0) || !Number.isInteger(points) || points < 2 || points > 1000) return [];
  return Array.from({ length: points }, (_, i) => Number((10 ** (decades * (i / (points - 1) - 0.5))).toPrecision(12)));
}

const text = z.string().max(100_000);
const storedKnob = z.object({ level: z.number(), hyperparameter: text, published: storedEntry });
export const storedMethods: z.ZodType<DraftMethods> = z.object({
  by: z.enum(["decades", "list"]),
  decades: storedEntry,
  points: storedEntry,
  factors: text,
  sweepsKnobs: z.boolean(),
  list: z.array(z.object({ name: text, levels: z.array(storedLevel).min(1), start: storedKnob.nullable(), knobs: z.array(storedKnob) }).transform((method) => ({ ...method, id: ++lastId }))),
});
