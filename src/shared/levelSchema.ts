/** Schema and types of a level: its optimizer's fields, options and groups. */
import { z } from "zod";
import { boundsProblems, type BoundSettings } from "./bounds.ts";
import { groupOptionsOf, initialOption, optionsOf, type LevelOnlyOption, type LevelOptions, type OptionName, type OptionSpec } from "./levelOptions.ts";
import { expandLevel } from "./levelSpellings.ts";
import { mayBeOff } from "./optimizers/spec.ts";
import { schedules as schedulesField, scheduleProblems } from "./schedules/schema.ts";
import {
  describeDomain,
  inDomain,
  learnableNames,
  learnedByDefault,
  levelForms,
  optimizerNames,
  optimizers,
  type HyperparameterSpec,
  type LevelForm,
  type OptimizerName,
  type Parameterisation,
} from "./optimizers.ts";

const hyperparameter = (spec: HyperparameterSpec, label: string) =>
  z
    .number({
      error: (issue) => (issue.input === undefined ? undefined : `${label} ${spec.name} must be a number`),
    })
    .refine((value) => inDomain(value, spec.domain), {
      error: (issue) => `${label} ${spec.name} is ${String(issue.input)}; allowed: ${describeDomain(spec.domain)}`,
    })
    .default(spec.initial);

/** How the published library stores an optimizer's step size. */
export function publishedAlpha(name: OptimizerName): Parameterisation {
  return optimizers[name].hyperparameters[0].storedAs;
}

/** Settings of a level or group: an optimizer's fields, plus identifying fields. */
function settingsSchema<N extends OptimizerName, Fields extends z.ZodRawShape, Option extends OptionName<N>>(name: N, specs: readonly OptionSpec[], further: Fields) {
  const { label, hyperparameters } = optimizers[name];
  type Field = (typeof optimizers)[N]["hyperparameters"][number]["name"];
  const fields = Object.fromEntries(hyperparameters.map((spec) => [spec.name, hyperparameter(spec, label)])) as Record<
    Field,
    ReturnType<typeof hyperparameter>
  >;
  const learnable = learnableNames(name);
  const learned = z
    .array(
      z.string().refine((value) => learnable.includes(value), {
        error: (issue) => `${label} cannot learn ${String(issue.input)}; allowed: ${learnable.join(", ")}`,
      }),
      { error: `learned must be a list of hyperparameters of ${label}: ${learnable.join(", ")}` },
    )
    .refine((list) => new Set(list).size === list.length, "learned names a hyperparameter twice")
    .default(learnedByDefault(name));
  const bounds = boundsSchema(name, label);
  const options = Object.fromEntries(
    specs.map((spec) => [spec.name, optionSchema(spec, label, publishedAlpha(name))]),
  ) as unknown as OptionFields<Option>;
  return z
    .strictObject({ optimizer: z.literal<N>(name), ...fields, learned, ...options, bounds, schedules: schedulesField, ...further })
    .superRefine((of, context) => {
      const { alpha, mu, alphaAs, nesterov, momentumFromZero } = of as unknown as { alpha: number; mu: number } & LevelOptions;
      const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message: `${label} ${message}` });
      if (alphaAs === "log" && alpha === 0) refuse("alpha", "alpha is 0; in log space it must be greater than 0");
      for (const { name, message } of boundsProblems(of as unknown as BoundSettings, (field) => (of as unknown as Record<string, number>)[field]!)) {
        context.addIssue({ code: "custom", path: ["bounds", name], message: `${label}: ${message}` });
      }
      for (const { path, message } of scheduleProblems(of as unknown as Parameters<typeof scheduleProblems>[0], (field) => (of as unknown as Record<string, number>)[field]!)) {
        context.addIssue({ code: "custom", path: [...path], message });
      }
      for (const { path, message } of onlyWithProblems(of as unknown as Record<string, unknown>, [...hyperparameters, ...specs], publishedAlpha(name))) {
        context.addIssue({ code: "custom", path: [...path], message: `${label} ${message}` });
      }
      if (nesterov && mu === 0 && !momentumFromZero) refuse("nesterov", "nesterov needs momentum: mu is 0");
    });
}

/** Fields that are set although the flag is off that they belong to. */
function onlyWithProblems(of: Readonly<Record<string, unknown>>, specs: readonly (HyperparameterSpec | OptionSpec)[], alphaAs: Parameterisation) {
  return specs.flatMap((spec) => {
    const { name, onlyWith } = spec;
    if (onlyWith === undefined || of[onlyWith] === true) return [];
    const initial = "kind" in spec ? initialOption(spec, alphaAs) : spec.initial;
    const { learned, schedules } = of as { learned: readonly string[]; schedules?: object };
    const set: readonly (readonly [isSet: boolean, ...path: string[]])[] = [
      [String(of[name]) !== String(initial), name],
      [learned.includes(name), "learned"],
      [Object.hasOwn(schedules ?? {}, name), "schedules", name],
    ];
    return set.filter(([isSet]) => isSet).map(([, ...path]) => ({ path, message: `${name} is for ${onlyWith}, which is off: set ${onlyWith} to true` }));
  });
}

/** A bound on a step size may be negative, because published step sizes can become negative. */
function boundsSchema(name: OptimizerName, label: string) {
  const learnable = learnableNames(name);
  const bound = z.number(`${label} bounds must be numbers, or null for none`).nullable();
  return z
    .record(
      z.string(),
      z.tuple([bound, bound], `${label} bounds must be [least, largest], each a number or null`),
      `${label} bounds must name hyperparameters: ${learnable.join(", ")}`,
    )
    .default({});
}

/** Options as fields; the strict schema refuses options that the optimizer lacks. */
type OptionFields<Option extends keyof LevelOptions> = {
  [Name in Option]: z.ZodDefault<z.ZodType<LevelOptions[Name], LevelOptions[Name]>>;
};

function optionSchema(spec: OptionSpec, label: string, alphaAs: Parameterisation) {
  const initial = initialOption(spec, alphaAs);
  switch (spec.kind) {
    case "flag":
      return z.boolean(`${label} ${spec.name} must be true or false`).default(false);
    case "choice": {
      const values = spec.choices.map(({ value }) => value);
      return z.enum(values as [string, ...string[]], `${label} ${spec.name} must be one of: ${values.join(", ")}`).default(initial as string);
    }
    case "numbers": {
      const allowed = `1 to ${spec.maxLength} numbers, each ${describeDomain(spec.domain)}`;
      const number = z.number(`${label} ${spec.name} must be a list of ${allowed}`).refine((value) => inDomain(value, spec.domain), {
        error: (issue) => `${label} ${spec.name} has ${String(issue.input)}; allowed: ${allowed}`,
      });
      const length = `${label} ${spec.name} must be a list of ${allowed}`;
      return z.array(number, length).min(1, length).max(spec.maxLength, length).default([...spec.initial]);
    }
    case "number": {
      const allowed = `${spec.whole ? "a whole number, " : ""}${describeDomain(spec.domain)}${mayBeOff(spec) ? ", or null for off" : ""}`;
      const number = z.number(`${label} ${spec.name} must be ${allowed}`).refine((value) => inDomain(value, spec.domain) && (!spec.whole || Number.isInteger(value)), {
        error: (issue) => `${label} ${spec.name} is ${String(issue.input)}; allowed: ${allowed}`,
      });
      return mayBeOff(spec) ? number.nullable().default(spec.initial) : number.default(spec.initial!);
    }
  }
}

const frozen = z.boolean("frozen must be true or false").default(false);

const patterns = z.array(z.string().min(1, "match has an empty pattern"), "match must be a pattern, such as *.bias, or a list of them").min(1, "match has no pattern");

/** Used in metric names such as `L0.alpha[bias]`: no space, comma or quote. */
const groupName = z.string("a group needs a name").regex(/^[\p{L}\p{N}_.[\]-]{1,100}$/u, {
  error: (issue) => `a group is named ${JSON.stringify(issue.input)}; allowed: 1 to 100 letters, digits and _ . - [ ]`,
});

const groupFields = { name: groupName, match: patterns, frozen };
const groupSchema = <N extends OptimizerName>(name: N) =>
  settingsSchema<N, typeof groupFields, Exclude<OptionName<N>, LevelOnlyOption>>(name, groupOptionsOf(name), groupFields);

const oneOf = (forms: readonly LevelForm[]) => ({ error: () => `optimizer must be one of: ${forms.map(({ name }) => name).join(", ")}` });

type GroupSchema = { [N in OptimizerName]: ReturnType<typeof groupSchema<N>> }[OptimizerName];
const anyGroup = z.discriminatedUnion(
  "optimizer",
  optimizerNames.map((name) => groupSchema(name)) as unknown as [GroupSchema, ...GroupSchema[]],
  oneOf(levelForms.filter(({ perParameter }) => !perParameter)),
);

/** Maximum number of groups of a level. */
const maxGroups = 1000;

const groups = z
  .array(anyGroup, { error: "groups must be a list of groups" })
  .max(maxGroups, `a level has more than ${maxGroups} groups`)
  .superRefine((list, context) => {
    list.forEach(({ name }, index) => {
      if (list.findIndex((other) => other.name === name) === index) return;
      context.addIssue({ code: "custom", path: [index, "name"], message: `two groups are named ${name}` });
    });
  })
  .default([]);

const levelFields = { frozen, groups };
const levelSchema = <N extends OptimizerName>(name: N) => settingsSchema<N, typeof levelFields, OptionName<N>>(name, optionsOf(name), levelFields);

type LevelSchema = { [N in OptimizerName]: ReturnType<typeof levelSchema<N>> }[OptimizerName];
const anyLevel = z.discriminatedUnion("optimizer", optimizerNames.map((name) => levelSchema(name)) as unknown as [LevelSchema, ...LevelSchema[]], oneOf(levelForms));

export type Level = z.output<typeof anyLevel>;
/** Part of what a level moves, with its own settings. */
export type Group = z.output<typeof anyGroup>;
/** An optimizer with hyperparameters and options, of a level or a group. */
export type Settings = Level | Group;

/** Includes the alpha-only optimizers under their names. */
type WithForms<L extends { optimizer: OptimizerName }> = L | Renamed<L, "adam", "adamBaydin"> | Renamed<L, "rmsProp", "rmsPropAlpha">;
type Renamed<L, N extends OptimizerName, Form extends string> = Omit<Extract<L, { optimizer: N }>, "optimizer"> & { optimizer: Form };
type FieldsOf<G> = G extends unknown ? Omit<Partial<G>, "name" | "match"> : never;

/** Input form of a group: missing fields are inherited from a level with the same optimizer. */
export type GroupInput = { readonly name: string; readonly match: string | readonly string[] } & FieldsOf<WithForms<z.input<typeof anyGroup>>>;

type Written<L> = L extends unknown ? Omit<L, "groups"> & { readonly groups?: readonly GroupInput[]; readonly freeze?: string | readonly string[] } : never;
/** Input form of SGD with a step size per named parameter; the others are frozen. */
export type PerParameterInput = Omit<Written<Extract<z.input<typeof anyLevel>, { optimizer: "sgd" }>>, "optimizer" | "groups" | "frozen"> & {
  optimizer: "sgdPerParam";
  alphas: Readonly<Record<string, number>> | readonly (readonly [name: string, alpha: number])[];
};
/** Input form of a level; see docs/levels.md. */
export type LevelInput = Written<WithForms<z.input<typeof anyLevel>>> | PerParameterInput;

export const level: z.ZodType<Level, LevelInput> = z.preprocess(expandLevel, anyLevel) as z.ZodType<Level, LevelInput>;
