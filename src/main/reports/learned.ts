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
  readonly optimizer: Level["optimizer"];
  /** Optimizer's name for people. */
  readonly label: string;
  /** Every hyperparameter of level 0 after the last update. */
  readonly final: Readonly<Record<string, number>>;
  /** Those that changed on the way. */
  readonly schedules: ReadonlyMap<string, Piecewise>;
  /** Updates the schedules cover. */
  readonly updates: number;
}

/** @throws ExportError when the run's values cannot be started from or followed elsewhere, saying which */
export function learnedOf(run: RunDetail, steps: Iterable<StoredStep>): Learned {
  const bottom = run.experiment.tower[0]!;
  requirePublished(bottom, 0);
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
    const scale = isDecay(name) ? (value: number) => Math.abs(1 - value) : Math.abs;
    schedules.set(name, piecewise(values, { tolerance, maxKnots, scale }));
  }
  const [first] = trajectories.values();
  const updates = first?.values.length ?? run.steps;
  return { optimizer: bottom.optimizer, label: spec.label, final, schedules, updates };
}

const isDecay = (name: string) => name !== "alpha";

/** The knots of every schedule as Python lists, `ALPHA` and so on, with what they are. */
export function knotLists({ schedules, updates }: Pick<Learned, "schedules" | "updates">, names = [...schedules.keys()]): string {
  const lists = names.flatMap((name) => {
    const schedule = schedules.get(name);
    if (!schedule) return [];
    const percent = Number((100 * schedule.error).toPrecision(2));
    const of = isDecay(name) ? `1 - ${name}` : "the value";
    return [
      `${comment(`${name}: at most ${percent} % of ${of} off at any update.`)}\n${constantName(name)} = ${pairs(schedule.knots)}`,
    ];
  });
  if (lists.length === 0) return "";
  return [
    comment(`(number of the update, value it was made with); linear in between, constant after the last of ${updates}.`),
    ...lists,
  ].join("\n");
}

export const constantName = (name: string) => name.toUpperCase();

/**
 * What the paper's library does not know cannot be written down for others without a word.
 * @throws ExportError naming the option
 */
export function requirePublished(of: Level, index: number): void {
  const { optimizer } = of;
  const published = new Set(["optimizer", "learned", ...optimizerSpec(optimizer).hyperparameters.map(({ name }) => name)]);
  const defaults: Readonly<Record<string, unknown>> = { ...levelSchema.parse({ optimizer }) };
  for (const [option, value] of Object.entries(of)) {
    if (published.has(option) || JSON.stringify(value) === JSON.stringify(defaults[option])) continue;
    throw new ExportError(`Level ${index} uses the option ${option}, which this form cannot express; export it as CSV or JSON.`);
  }
}
