/** What level 0 learned, in the shape that code for another framework needs. */
import { describeDomain, inDomain, optimizerSpec } from "../../shared/optimizers.ts";
import type { RunDetail } from "../../shared/run.ts";
import { level as levelSchema, type Level } from "../../shared/tower.ts";
import type { StoredStep } from "../store/runReader.ts";
import { ExportError } from "./errors.ts";
import { piecewise, type Piecewise } from "./knots.ts";
import { comment, pairs } from "./python.ts";
import { bottomTrajectories, finalValues } from "./schedule.ts";

/** Largest error of a schedule in code, unless that takes more knots than this. */
const tolerance = 1e-3;
const maxKnots = 256;

export interface Learned {
  /** Level 0 as it was set. */
  readonly level: Level;
  /** Optimizer's name for people. */
  readonly label: string;
  /** Every hyperparameter of level 0 after the last update. */
  readonly final: Readonly<Record<string, number>>;
  /** Those that changed on the way. */
  readonly schedules: ReadonlyMap<string, Piecewise>;
  /** Updates the schedules cover. */
  readonly updates: number;
}

/**
 * @param expressible options beyond the authors' library that the form asked for can express for a level
 * @throws ExportError when the run's values cannot be started from or followed elsewhere, saying which
 */
export function learnedOf(run: RunDetail, steps: Iterable<StoredStep>, expressible: (of: Level) => readonly string[]): Learned {
  const bottom = run.experiment.tower[0]!;
  // How the step size was moved is of no account to those who follow it, nor how a weight decays that does not.
  requirePublished(bottom, 0, ["alphaAs", ...(decays(bottom) ? [] : ["weightDecayAs"]), ...expressible(bottom)]);
  const spec = optimizerSpec(bottom.optimizer);
  const trajectories = bottomTrajectories(run, steps);
  const final = finalValues(run, trajectories);
  for (const { name, symbol, domain } of spec.hyperparameters) {
    if (inDomain(final[name]!, domain)) continue;
    throw new ExportError(
      `${spec.label}’s ${symbol} ended at ${final[name]!}, from which no optimizer can start (allowed: ${describeDomain(domain)}); export it as CSV or JSON.`,
    );
  }
  const schedules = new Map<string, Piecewise>();
  for (const [name, { values }] of trajectories) {
    if (values.every((value) => value === values[0])) continue;
    schedules.set(name, piecewise(values, { tolerance, maxKnots, scale: errorOf(name).scale }));
  }
  const [first] = trajectories.values();
  const updates = first?.values.length ?? run.steps;
  return { level: bottom, label: spec.label, final, schedules, updates };
}

/** What an error of a hyperparameter is measured against: of a decay its distance from 1 counts, of a power of ten the power. */
function errorOf(name: string): { readonly of: string; readonly scale: (value: number) => number } {
  if (name === "alpha" || name === "weightDecay") return { of: "its value", scale: Math.abs };
  if (name === "logEps") return { of: "epsilon", scale: () => 1 / Math.LN10 };
  return { of: `1 - ${name}`, scale: (value) => Math.abs(1 - value) };
}

/** The knots of every schedule as Python lists, `ALPHA` and so on, with what they are. */
export function knotLists({ schedules, updates }: Pick<Learned, "schedules" | "updates">, names = [...schedules.keys()]): string {
  const lists = names.flatMap((name) => {
    const schedule = schedules.get(name);
    if (!schedule) return [];
    const percent = Number((100 * schedule.error).toPrecision(2));
    return [`${comment(`${name}: at most ${percent} % of ${errorOf(name).of} off at any update.`)}\n${constantName(name)} = ${pairs(schedule.knots)}`];
  });
  if (lists.length === 0) return "";
  return [
    comment(`(number of the update, value it was made with); linear in between, constant after the last of ${updates}.`),
    ...lists,
  ].join("\n");
}

export const constantName = (name: string) => name.toUpperCase();

/** Whether a level has weight decay, from the start or learned. */
export function decays(of: Level): of is Extract<Level, { optimizer: "sgd" | "adam" }> {
  return (of.optimizer === "sgd" || of.optimizer === "adam") && (of.weightDecay !== 0 || of.learned.includes("weightDecay"));
}

/** Hyperparameters of the authors' library. */
const published: Record<Level["optimizer"], readonly string[]> = {
  sgd: ["alpha", "mu"],
  adam: ["alpha", "beta1", "beta2", "logEps"],
  adaGrad: ["alpha"],
  rmsProp: ["alpha", "gamma"],
};

/**
 * What the authors' library does not know is not left out without a word: it is refused.
 * @param expressible options that the form asked for can express, or in which they make no difference
 * @throws ExportError naming the option
 */
export function requirePublished(of: Level, index: number, expressible: readonly string[] = []): void {
  const { optimizer } = of;
  const known = ["optimizer", "learned", ...published[optimizer], ...expressible];
  const defaults: Readonly<Record<string, unknown>> = { ...levelSchema.parse({ optimizer }) };
  for (const [option, value] of Object.entries(of)) {
    if (known.includes(option) || JSON.stringify(value) === JSON.stringify(defaults[option])) continue;
    throw new ExportError(`Level ${index} sets ${option} to ${JSON.stringify(value)}, which this form cannot express; CSV and JSON can.`);
  }
}
