/** Traces of the authors' library: reading them, and replaying them on the float64 reference. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { ReferenceExecutable } from "../../src/core/engines/reference/engine.ts";
import { toStored } from "../../src/core/hyperoptimizers/stored.ts";
import { heldBy, type TowerLevel } from "../../src/core/hyperoptimizers/tower.ts";
import { buildTrainingProgram } from "../../src/core/training/trainingProgram.ts";
import { groupOf, movingParts, nameInLevel } from "../../src/shared/groups.ts";
import { level } from "../../src/shared/tower.ts";
import { towerLevel } from "../../src/core/training/prepare.ts";
import { findForm, optimizerSpec } from "../../src/shared/optimizers.ts";
import { Comparison, type Difference } from "./comparison.ts";
import { problemTask, problems, type Problem } from "./problems.ts";
import { referenceCase, replayReference } from "./references.ts";

const numbers = z.array(z.number());

const traceCase = z.object({
  name: z.string(),
  /** Constructor arguments, bottom level first; or `SGD(0.05) x 10`. */
  stack: z.union([z.array(z.looseObject({ type: z.string() })), z.string()]),
  columns: z.array(z.string()),
  initialRaw: numbers,
  loss: numbers,
  raw: z.array(numbers),
  /** Steps after which `raw` was taken; every step by default. */
  rawSteps: numbers.optional(),
  hypergrad: z.array(numbers).optional(),
  finalParams: z.record(z.string(), z.union([numbers, z.array(numbers)])),
  finalLoss: z.number(),
});

const traceFile = z.object({
  /** A problem, a reference to one, or the name of one in problems.json. */
  problem: z.union([z.string().transform((name) => ({ ref: `problems.json#${name}` })), z.object({ ref: z.string() }), z.looseObject({ kind: z.string() })]),
  dtype: z.enum(["float64", "float32"]),
  /** Of cases that do not say their own. */
  steps: z.number().int().positive().default(0),
  /** Of the authors' library, or of reference optimizers. */
  cases: z.array(z.union([traceCase, referenceCase])),
});

export type TraceCase = z.infer<typeof traceCase>;
export interface Trace extends z.infer<typeof traceFile> {
  readonly data: Problem;
}

/** @param problemsPath overrides the problems file that the trace refers to, which is looked for beside it */
export async function readTrace(path: string, problemsPath?: string): Promise<Trace> {
  const trace = traceFile.parse(JSON.parse(await readFile(path, "utf8")));
  if ("kind" in trace.problem) return { ...trace, data: problems.element.parse(trace.problem) };
  const [file, name] = trace.problem.ref.split("#") as [string, string | undefined];
  const source = problemsPath ?? resolve(dirname(path), file);
  const all = z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(source, "utf8")));
  if (name === undefined || !(name in all)) throw new Error(`${path}: ${source} has no problem ${String(name)}`);
  return { ...trace, data: problems.element.parse(all[name]) };
}

/** The library's class names; `log_eps` is its spelling of logEps. */
const classes: Readonly<Record<string, string>> = {
  SGD: "sgd",
  Adam: "adam",
  AdamBaydin: "adamBaydin",
  AdaGrad: "adaGrad",
  RMSProp: "rmsProp",
  RMSPropAlpha: "rmsPropAlpha",
};

/** @throws Error naming an optimizer we do not have */
export function stackOf(stack: TraceCase["stack"]): TowerLevel[] {
  if (typeof stack === "string") {
    const match = /^(\w+)\(([^)]+)\) x (\d+)$/.exec(stack);
    if (!match) throw new Error(`unknown stack "${stack}"`);
    return Array.from({ length: Number(match[3]) }, () => levelOf({ type: match[1]!, alpha: Number(match[2]) }));
  }
  return withoutDead(stack.map((of, index) => (of.type === perParameter ? perParameterLevel(of, stack[index - 1]) : levelOf(of))));
}

/**
 * In the library a hyperparameter has a gradient only where a live one made it: what SGDPerParam
 * leaves as it is cuts the graph, and what such values alone move gets no gradient any more and
 * stands still. Here it would move on; for a replay it is frozen.
 */
function withoutDead(levels: readonly TowerLevel[]): TowerLevel[] {
  const result = [...levels];
  const namesOf = (of: TowerLevel) => movingParts(of).flatMap(({ group, settings }) => settings.learned.map((name) => nameInLevel(name, group)));
  // Nothing replaces those of the top level: they are live.
  let live = new Set(namesOf(levels.at(-1)!));
  for (let k = levels.length - 2; k >= 0; k--) {
    const above = result[k + 1]!;
    const isDead = (name: string) => {
      const holder = groupOf(above.groups, name);
      return !(holder ?? above).learned.some((one) => live.has(nameInLevel(one, holder?.name ?? null)));
    };
    const names = namesOf(levels[k]!);
    const dead = names.filter(isDead);
    if (dead.length > 0) result[k + 1] = { ...above, groups: [{ ...above, name: "dead", match: dead, frozen: true }, ...above.groups] };
    live = new Set(names.filter((name) => !heldBy(result[k + 1]!, name).frozen));
  }
  return result;
}

interface TracedLevel {
  readonly type: string;
  readonly [name: string]: unknown;
}

const perParameter = "SGDPerParam";

/**
 * The library names the step size of what it calls x `x_alpha`, here it is `alpha[x]`: the
 * groups keep the library's names, and match ours.
 */
const ourName = (name: string, of: TracedLevel | undefined) => (of?.type === perParameter ? name.replace(/^(.*)_alpha$/s, "alpha[$1]") : name);

/** @param below what it moves; undefined for the weights */
function perParameterLevel({ type, alphas, params = alphas, ...rest }: TracedLevel, below: TracedLevel | undefined): TowerLevel {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new Error(`unknown argument ${unknown} of ${type}`);
  const pairs = z.array(z.tuple([z.string(), z.number()]));
  const list = z.union([z.record(z.string(), z.number()).transform(Object.entries<number>), pairs]).safeParse(params);
  if (!list.success) throw new Error(`${type} needs alphas: a step size by name, or a list of [name, step size]`);
  const groups = list.data.map(([name, alpha]) => ({ name, match: ourName(name, below), alpha, learned: ["alpha"] }));
  return towerLevel(level.parse({ optimizer: "sgd", frozen: true, groups }));
}

function levelOf({ type, ...given }: TracedLevel): TowerLevel {
  const form = findForm(classes[type] ?? "");
  if (!form) throw new Error(`unknown optimizer ${type} (known: ${[...Object.keys(classes), perParameter].join(", ")})`);
  const { optimizer } = form;
  const initial = Object.fromEntries(optimizerSpec(optimizer).hyperparameters.map((h) => [h.name, h.initial]));
  for (const [name, value] of Object.entries(given)) {
    const ours = name === "log_eps" ? "logEps" : name;
    if (!(ours in initial) || typeof value !== "number") throw new Error(`unknown argument ${name} of ${type}`);
    initial[ours] = value;
  }
  // The library keeps momentum that starts at 0 off, whatever stands above.
  const published = level.parse({ optimizer: form.name });
  return { ...towerLevel(published), initial, learned: form.learned.filter((name) => name !== "mu" || initial["mu"] !== 0) };
}

/** Replays one case and compares losses, stored hyperparameters, hypergradients, final weights and the final loss. */
export function replay(trace: Trace, traced: Trace["cases"][number]): Difference {
  if ("reference" in traced) return replayReference(trace.data, traced);
  const levels = stackOf(traced.stack);
  const { task, inputs, batchSize, initialParameters } = problemTask(trace.data);
  const training = buildTrainingProgram({
    task,
    levels,
    batchSizes: [batchSize],
    evaluationBatchSizes: [batchSize],
    hypergradients: "all",
  });
  const engine = new ReferenceExecutable(training.program);
  engine.restore(training.initialState(initialParameters));

  const outputs = Array.from({ length: trace.steps }, (_, t) => engine.runNow(`${t === 0 ? "begin" : "step"}@${batchSize}`, inputs));
  const last = engine.runNow("settle");
  const evaluation = engine.runNow(`evaluate@${batchSize}`, inputs);
  const finalWeights = training.parametersOf(engine.stateNow());

  const comparison = new Comparison();
  comparison.series((t) => `loss at step ${t}`, outputs.map((o) => o["loss"]!), traced.loss);
  comparison.series(() => "final loss", [evaluation["loss"]! / batchSize], [traced.finalLoss]);
  const rawSteps = traced.rawSteps ?? traced.raw.map((_, t) => t);
  traced.columns.forEach((column, c) => {
    const { initial, metric } = columnOf(levels, traced.stack, column);
    const stored = [...outputs.slice(1), last].map((o) => o[metric] ?? initial);
    comparison.series(() => `initial ${column}`, [initial], [traced.initialRaw[c]!]);
    comparison.series((i) => `${column} after step ${rawSteps[i]}`, rawSteps.map((t) => stored[t]!), traced.raw.map((row) => row[c]!));
    if (traced.hypergrad) {
      const ours = outputs.map((o) => o[`${metric}.hypergradient`] ?? 0);
      comparison.series((t) => `hypergradient of ${column} at step ${t}`, ours, traced.hypergrad.map((row) => row[c]!));
    }
  });
  for (const [name, value] of Object.entries(traced.finalParams)) {
    comparison.series((i) => `final ${name}[${i}]`, [...(finalWeights[name] ?? [])], value.flat());
  }
  return comparison.worst;
}

/** Stored initial value of a column such as `L1.alpha` or `L0.layer1.weight_alpha`, and our metric. */
function columnOf(levels: readonly TowerLevel[], stack: TraceCase["stack"], column: string): { initial: number; metric: string } {
  const [, index, given] = /^L(\d+)\.(.+)$/s.exec(column) ?? [];
  const of = index === undefined ? undefined : levels[Number(index)];
  if (!of || given === undefined) throw new Error(`unknown column ${column}`);
  const ours = typeof stack === "string" ? given : ourName(given, stack[Number(index)]);
  const [, name, group] = /^(\w+)(?:\[(.+)\])?$/s.exec(ours) ?? [];
  const settings = group === undefined ? of : of.groups.find((one) => one.name === group);
  const spec = settings && optimizerSpec(settings.optimizer).hyperparameters.find((h) => h.name === name);
  if (!settings || !spec) throw new Error(`unknown column ${column}`);
  return { initial: toStored(settings.initial[spec.name]!, spec.storedAs), metric: `L${index}.${ours}` };
}
