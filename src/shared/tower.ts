/**
 * A tower: levels[0] moves the weights, levels[k + 1] moves the hyperparameters
 * of level k, the top level's hyperparameters never change.
 */
import { z } from "zod";
import {
  describeDomain,
  inDomain,
  optimizerNames,
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
  return z.strictObject({ optimizer: z.literal<N>(name), ...fields });
}

export const levelSchemas = {
  sgd: levelSchema("sgd"),
  adam: levelSchema("adam"),
  adamBaydin: levelSchema("adamBaydin"),
  adaGrad: levelSchema("adaGrad"),
  rmsProp: levelSchema("rmsProp"),
  rmsPropAlpha: levelSchema("rmsPropAlpha"),
};

export const level = z.discriminatedUnion(
  "optimizer",
  [
    levelSchemas.sgd,
    levelSchemas.adam,
    levelSchemas.adamBaydin,
    levelSchemas.adaGrad,
    levelSchemas.rmsProp,
    levelSchemas.rmsPropAlpha,
  ],
  { error: () => `optimizer must be one of: ${optimizerNames.join(", ")}` },
);

/** Highest tower accepted; beyond it, scalar work dominates a step of a small model. */
export const maxLevels = 100;

export const tower = z
  .array(level, { error: "tower must be a list of levels, the weights' optimizer first" })
  .min(1, "tower has no levels: the first level, which moves the weights, is required")
  .max(maxLevels, `tower has more than ${maxLevels} levels`);

export type Level = z.infer<typeof level>;
export type Tower = z.infer<typeof tower>;

/** A level with the optimizer's default initial hyperparameters. */
export function defaultLevel(optimizer: OptimizerName): Level {
  return level.parse({ optimizer });
}

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

function levelNotation(of: Level): string {
  const spec = optimizerSpec(of.optimizer);
  const shown = spec.hyperparameters
    .filter((h) => initialValue(of, h.name) !== h.initial)
    .map((h) => {
      const value = formatHyperparameter(initialValue(of, h.name));
      return h.name === "alpha" ? value : `${h.symbol} ${value}`;
    });
  return shown.length === 0 ? spec.label : `${spec.label}(${shown.join(", ")})`;
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

/** Every hyperparameter a tower logs: the learnable ones, and momentum only where it is in use. */
export function hyperparameterColumns(levels: readonly Level[]): HyperparameterColumn[] {
  return levels.flatMap((of, index) =>
    optimizerSpec(of.optimizer)
      .hyperparameters.filter((spec) => spec.learned && !(spec.name === "mu" && initialValue(of, "mu") === 0))
      .map((spec) => ({
        level: index,
        spec,
        initial: initialValue(of, spec.name),
        metric: hyperparameterMetric(index, spec.name),
        hypergradient: hypergradientMetric(index, spec.name),
      })),
  );
}
