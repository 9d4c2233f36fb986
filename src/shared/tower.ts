/**
 * A tower: levels[0] moves the weights, levels[k + 1] moves the hyperparameters
 * of level k, the top level's hyperparameters never change.
 */
import { z } from "zod";
import {
  describeDomain,
  findForm,
  inDomain,
  learnableNames,
  learnedByDefault,
  levelForms,
  optimizers,
  optimizerSpec,
  type HyperparameterSpec,
  type OptimizerName,
  type Parameterisation,
} from "./optimizers.ts";
import { initialOption, optionsOf, type LevelOptions, type OptionName, type OptionSpec } from "./levelOptions.ts";

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

function levelSchema<N extends OptimizerName>(name: N) {
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
  const options = Object.fromEntries(optionsOf(name).map((spec) => [spec.name, optionSchema(spec, label, publishedAlpha(name))])) as unknown as OptionFields<N>;
  return z
    .strictObject({ optimizer: z.literal<N>(name), ...fields, learned, ...options })
    .superRefine((of, context) => {
      const { alpha, mu, alphaAs, nesterov, momentumFromZero } = of as unknown as { alpha: number; mu: number } & LevelOptions;
      const refuse = (field: string, message: string) => context.addIssue({ code: "custom", path: [field], message: `${label} ${message}` });
      if (alphaAs === "log" && alpha === 0) refuse("alpha", "alpha is 0; in log space it must be greater than 0");
      if (nesterov && mu === 0 && !momentumFromZero) refuse("nesterov", "nesterov needs momentum: mu is 0");
    });
}

/** Options as fields of a level; those an optimizer does not have are refused by its strict schema. */
type OptionFields<N extends OptimizerName> = {
  [Name in OptionName<N>]: z.ZodDefault<z.ZodType<LevelOptions[Name], LevelOptions[Name]>>;
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
    case "number": {
      const allowed = `${spec.whole ? "a whole number, " : ""}${describeDomain(spec.domain)}${spec.initial === null ? ", or null for off" : ""}`;
      const number = z.number(`${label} ${spec.name} must be ${allowed}`).refine((value) => inDomain(value, spec.domain) && (!spec.whole || Number.isInteger(value)), {
        error: (issue) => `${label} ${spec.name} is ${String(issue.input)}; allowed: ${allowed}`,
      });
      return spec.initial === null ? number.nullable().default(null) : number.default(spec.initial);
    }
  }
}

const levelSchemas = [levelSchema("sgd"), levelSchema("adam"), levelSchema("adaGrad"), levelSchema("rmsProp")] as const;

const anyLevel = z.discriminatedUnion("optimizer", levelSchemas, {
  error: () => `optimizer must be one of: ${levelForms.map(({ name }) => name).join(", ")}`,
});

export type Level = z.output<typeof anyLevel>;
type Narrow<L, Name extends string> = Omit<L, "optimizer"> & { optimizer: Name };
type InputOf<N extends OptimizerName> = Extract<z.input<typeof anyLevel>, { optimizer: N }>;
/** A level as it may be written: the alpha-only optimizers have names of their own. */
export type LevelInput = z.input<typeof anyLevel> | Narrow<InputOf<"adam">, "adamBaydin"> | Narrow<InputOf<"rmsProp">, "rmsPropAlpha">;

/** `{ optimizer: "adamBaydin" }` spelled out: Adam that learns alpha alone. */
function expandForm(input: unknown): unknown {
  if (typeof input !== "object" || input === null || !("optimizer" in input)) return input;
  const form = typeof input.optimizer === "string" ? findForm(input.optimizer) : undefined;
  if (!form || form.name === form.optimizer) return input;
  return { learned: form.learned, ...input, optimizer: form.optimizer };
}

export const level: z.ZodType<Level, LevelInput> = z.preprocess(expandForm, anyLevel) as z.ZodType<Level, LevelInput>;

/** Highest tower accepted; beyond it, scalar work dominates a step of a small model. */
export const maxLevels = 100;

export const tower = z
  .array(level, { error: "tower must be a list of levels, the weights' optimizer first" })
  .min(1, "tower has no levels: the first level, which moves the weights, is required")
  .max(maxLevels, `tower has more than ${maxLevels} levels`)
  .superRefine((levels, context) => {
    // Level 0 moves the weights; to wait with that is no option of a tower.
    const [first] = levels;
    for (const spec of first ? optionsOf(first.optimizer) : []) {
      if (!spec.upperOnly || isPublishedDefault(first!, spec.name)) continue;
      context.addIssue({ code: "custom", path: [0, spec.name], message: `${spec.name} is for levels that move hyperparameters, not for the first one` });
    }
  });

export type Tower = z.infer<typeof tower>;

/** Initial value of one hyperparameter of a level, in effective form. */
export function initialValue(of: Level, name: string): number {
  const value = (of as Record<string, unknown>)[name];
  if (typeof value !== "number") throw new Error(`${of.optimizer} has no hyperparameter named ${name}`);
  return value;
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
export function optionValue(of: Level, spec: OptionSpec): string | number | boolean | null {
  return (of as unknown as Record<string, string | number | boolean | null>)[spec.name] ?? null;
}

/** Whether a field of a level is beyond the published library and left as it was there. */
export function isPublishedDefault(of: Level, field: string): boolean {
  const hyperparameter = optimizerSpec(of.optimizer).hyperparameters.find(({ name }) => name === field);
  if (hyperparameter) return hyperparameter.extra === true && initialValue(of, field) === hyperparameter.initial;
  const option = optionsOf(of.optimizer).find(({ name }) => name === field);
  return option !== undefined && optionValue(of, option) === initialOption(option, publishedAlpha(of.optimizer));
}

/** The options of a level, as published where its optimizer does not have them. */
export function levelOptions(of: Level): LevelOptions {
  return { momentumFromZero: false, nesterov: false, amsgrad: false, weightDecayAs: "decoupled", ...of };
}

/** Momentum that starts at 0 is off unless it is asked for: there is then nothing to learn or to show. */
const inUse = (of: Level, spec: HyperparameterSpec) =>
  !(of.optimizer === "sgd" && spec.name === "mu" && of.mu === 0 && !of.momentumFromZero);

/** The hyperparameters of a level that a level above moves. */
export function learnedHyperparameters(of: Level): HyperparameterSpec[] {
  return optimizerSpec(of.optimizer).hyperparameters.filter((spec) => of.learned.includes(spec.name) && inUse(of, spec));
}

/** The hyperparameters worth showing: those beyond the published library only where they are in use. */
export function shownHyperparameters(of: Level): HyperparameterSpec[] {
  return optimizerSpec(of.optimizer).hyperparameters.filter(
    (spec) => !spec.extra || initialValue(of, spec.name) !== 0 || of.learned.includes(spec.name),
  );
}

/** The optimizer's name with what it learns where that is not everything: `Adam^α`, `Adam^{α,β₁}`. */
export function levelLabel(of: Level): string {
  const { label, hyperparameters } = optimizerSpec(of.optimizer);
  const published = learnedByDefault(of.optimizer);
  const all = hyperparameters.filter((spec) => published.includes(spec.name) && inUse(of, spec)).map(({ symbol }) => symbol);
  const symbols = learnedHyperparameters(of).map(({ symbol }) => symbol);
  if (symbols.join() === all.join()) return label;
  return symbols.length === 1 ? `${label}^${symbols[0]!}` : `${label}^{${symbols.join(",")}}`;
}

/** What a stack's name shows of an option: nothing while it is as published. */
function optionNotation(of: Level, spec: OptionSpec): string[] {
  const value = optionValue(of, spec);
  if (isPublishedDefault(of, spec.name)) return [];
  if (spec.kind === "choice") return spec.choices.filter((choice) => choice.value === value).map(({ short }) => short);
  return [spec.kind === "flag" ? spec.short : `${spec.short} ${formatHyperparameter(Number(value))}`];
}

function levelNotation(of: Level): string {
  const shown = optimizerSpec(of.optimizer)
    .hyperparameters.filter((h) => initialValue(of, h.name) !== h.initial)
    .map((h) => {
      const value = formatHyperparameter(initialValue(of, h.name));
      return h.name === "alpha" ? value : `${h.symbol} ${value}`;
    });
  shown.push(...optionsOf(of.optimizer).flatMap((spec) => optionNotation(of, spec)));
  return shown.length === 0 ? levelLabel(of) : `${levelLabel(of)}(${shown.join(", ")})`;
}

/** What is allowed but hardly meant: nothing below a level to move. Empty when all is well. */
export function towerHints(levels: readonly Level[]): string[] {
  return levels.slice(0, -1).flatMap((of, index) =>
    learnedHyperparameters(of).length > 0
      ? []
      : [`Level ${index} (${levelLabel(of)}) learns nothing, so what stands above it has nothing to move.`],
  );
}

/**
 * The stack in the paper's notation, weights' optimizer first; values are shown
 * where they differ from the defaults: `Adam / SGD(1e-5)`. Three or more equal
 * levels in a row are folded: `SGD ×50`.
 */
export function notation(levels: readonly Level[]): string {
  const parts: { text: string; count: number }[] = [];
  for (const text of levels.map(levelNotation)) {
    const last = parts.at(-1);
    if (last?.text === text) last.count++;
    else parts.push({ text, count: 1 });
  }
  return parts
    .flatMap(({ text, count }) => (count > 2 ? [`${text} ×${count}`] : Array<string>(count).fill(text)))
    .join(" / ");
}

/** Metric name of a hyperparameter: `L0.alpha`. */
export function hyperparameterMetric(levelIndex: number, name: string): string {
  return `L${levelIndex}.${name}`;
}

/** Metric name of d loss / d (stored hyperparameter): `L0.alpha.hypergradient`. */
export function hypergradientMetric(levelIndex: number, name: string): string {
  return `${hyperparameterMetric(levelIndex, name)}.hypergradient`;
}

export interface HyperparameterColumn {
  readonly level: number;
  readonly spec: HyperparameterSpec;
  readonly initial: number;
  readonly metric: string;
  readonly hypergradient: string;
}

/** Every hyperparameter a tower logs: those that are learned, the top level's as if something stood above it. */
export function hyperparameterColumns(levels: readonly Level[]): HyperparameterColumn[] {
  return levels.flatMap((of, index) =>
    learnedHyperparameters(of).map((spec) => ({
      level: index,
      spec,
      initial: initialValue(of, spec.name),
      metric: hyperparameterMetric(index, spec.name),
      hypergradient: hypergradientMetric(index, spec.name),
    })),
  );
}
