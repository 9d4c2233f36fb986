/** Items of a comparison: single runs, or groups of runs that differ only in the seed. */
import { taskOf, type Experiment } from "@shared/experiment.ts";
import { metricOf } from "@shared/metrics.ts";
import type { Evaluation, RunSummary } from "@shared/run.ts";
import { groupBy } from "@shared/study/curves.ts";
import { maxOf } from "@shared/extent.ts";
import { chanceLevel, countedAs, mainMetricsOf, measure, metricLabel, penalty, type Outcome, type StudyMetric } from "@shared/study/metric.ts";
import { notation } from "@shared/tower.ts";

export interface ComparedRun {
  readonly run: RunSummary;
  /** Null until read. */
  readonly evaluations: readonly Evaluation[] | null;
}

export interface Compared {
  /** Stable while runs of the group come and go. */
  readonly key: string;
  readonly name: string;
  readonly runs: readonly ComparedRun[];
}

/** Configuration of an experiment without its seed and name. */
export function configurationKey(experiment: Experiment): string {
  return JSON.stringify({ ...experiment, seed: undefined, name: undefined });
}

/** Short run names, made distinct by seed or id. */
export function distinctNames(runs: readonly RunSummary[]): string[] {
  const titles = runs.map((run) => (run.name === "" ? run.stack : run.name));
  const repeated = countsOf(titles);
  const withSeed = titles.map((title, i) => (repeated.get(title)! > 1 && !runs[i]!.imported ? `${title}, seed ${runs[i]!.experiment.seed}` : title));
  const stillRepeated = countsOf(withSeed);
  return withSeed.map((name, i) => (stillRepeated.get(name)! > 1 ? `${name} (${runs[i]!.id.slice(-6)})` : name));
}

function countsOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Names without the comma-separated parts that all share. */
export function withoutCommonStart(names: readonly string[]): string[] {
  const parts = names.map((name) => name.split(", "));
  const shortest = parts.reduce((least, { length }) => Math.min(least, length), Infinity);
  let common = 0;
  while (names.length > 1 && common < shortest - 1 && parts.every((of) => of[common] === parts[0]![common])) common++;
  return parts.map((of) => of.slice(common).join(", "));
}

export function singly(runs: readonly ComparedRun[]): Compared[] {
  const names = withoutCommonStart(distinctNames(runs.map(({ run }) => run)));
  return runs.map((one, i) => ({ key: one.run.id, name: names[i]!, runs: [one] }));
}

/** Common name of a group's runs without the seed; otherwise the stack. */
function groupName(runs: readonly ComparedRun[]): string {
  const names = new Set(runs.map(({ run }) => run.name.replace(/,? *seed \d+$/, "")));
  const [only] = names;
  return names.size === 1 && only ? only : notation(runs[0]!.run.experiment.tower);
}

/** Groups runs by configuration, in order of appearance. */
export function bySeed(runs: readonly ComparedRun[]): Compared[] {
  const members = [...groupBy(runs, ({ run }) => (run.imported ? run.id : configurationKey(run.experiment))).values()];
  const names = withoutCommonStart(members.map(groupName));
  const repeated = countsOf(names);
  const seen = new Map<string, number>();
  return members.map((of, i) => {
    const name = names[i]!;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return { key: of[0]!.run.id, name: repeated.get(name) === 1 ? name : `${name} #${seen.get(name)!}`, runs: of };
  });
}

/** Result of a run under a metric. */
export interface Result {
  readonly outcome: Outcome;
  /** Null without one; for an active run the latest value. */
  readonly value: number | null;
  /** Includes the penalty of a diverged or exploded run; null while it does not count. */
  readonly counted: number | null;
}

/** Whether the metric exists for the experiment's task and sets. */
function applies({ name }: StudyMetric, experiment: Experiment): boolean {
  const { tasks, set } = metricOf(name);
  return tasks.includes(taskOf(experiment)) && (set !== "validation" || experiment.dataset.validation > 0);
}

/** Results of all runs by id, with a common penalty. A run without evaluations is pending. */
export function resultsOf(runs: readonly ComparedRun[], metric: StudyMetric): Map<string, Result> {
  const measured = runs.map(({ run, evaluations }) => ({ run, ...measure({ status: run.status, evaluations: evaluations ?? [] }, metric, run.experiment), known: evaluations !== null }));
  const chances = runs.flatMap(({ run }) => (run.imported ? [] : (chanceLevel(metric.name, run.experiment) ?? [])));
  const worst = penalty(chances.length === 0 ? null : maxOf(chances), measured.flatMap(({ value }) => value ?? []));
  return new Map(
    measured.map(({ run, outcome, value, known }) => {
      if (run.imported || !applies(metric, run.experiment)) return [run.id, { outcome: "missing", value: null, counted: null }];
      if (!known && run.status !== "diverged") return [run.id, { outcome: "pending", value: null, counted: null }];
      return [run.id, { outcome, value, counted: countedAs({ outcome, value }, worst) }];
    }),
  );
}

/** Metrics for comparing runs: the headline metric, final and best, and losses. */
export function resultChoices(runs: readonly Pick<RunSummary, "experiment" | "imported">[]): { readonly label: string; readonly metric: StudyMetric }[] {
  const names = [...new Set(runs.flatMap(({ experiment, imported }) => (imported ? [] : mainMetricsOf(experiment))))];
  const known = names.length === 0 ? (["testError", "testLoss", "trainLoss"] as const) : names;
  return known
    .flatMap((name): StudyMetric[] => [{ name, at: "final" }, ...(metricOf(name).set === "test" && name !== "testLoss" ? [{ name, at: "best" } as const] : [])])
    .map((metric) => ({ label: metricLabel(metric), metric }));
}
