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
  levelForms,
  optimizers,
  optimizerSpec,
  type HyperparameterSpec,
  type OptimizerName,
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
    .default(learnable);
  return z.strictObject({ optimizer: z.literal<N>(name), ...fields, learned });
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
  .max(maxLevels, `tower has more than ${maxLevels} levels`);

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

/** Momentum that starts at 0 is off: there is then nothing to learn or to show. */
const inUse = (of: Level, spec: HyperparameterSpec) => !(spec.name === "mu" && initialValue(of, "mu") === 0);

/** The hyperparameters of a level that a level above moves. */
export function learnedHyperparameters(of: Level): HyperparameterSpec[] {
  return optimizerSpec(of.optimizer).hyperparameters.filter((spec) => of.learned.includes(spec.name) && inUse(of, spec));
}

/** The optimizer's name with what it learns where that is not everything: `Adam^α`, `Adam^{α,β₁}`. */
export function levelLabel(of: Level): string {
  const { label, hyperparameters } = optimizerSpec(of.optimizer);
  const all = hyperparameters.filter((spec) => spec.learnable && inUse(of, spec));
  const symbols = learnedHyperparameters(of).map(({ symbol }) => symbol);
  if (symbols.length === all.length) return label;
  return symbols.length === 1 ? `${label}^${symbols[0]!}` : `${label}^{${symbols.join(",")}}`;
}

function levelNotation(of: Level): string {
  const shown = optimizerSpec(of.optimizer)
    .hyperparameters.filter((h) => initialValue(of, h.name) !== h.initial)
    .map((h) => {
      const value = formatHyperparameter(initialValue(of, h.name));
      return h.name === "alpha" ? value : `${h.symbol} ${value}`;
    });
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
