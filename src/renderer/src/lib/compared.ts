/** What stands side by side on the page of comparisons: single runs, or groups that differ in the seed only. */
import { taskOf, type Experiment } from "@shared/experiment.ts";
import { metricOf } from "@shared/metrics.ts";
import type { Evaluation, RunSummary } from "@shared/run.ts";
import { groupBy } from "@shared/study/curves.ts";
import { maxOf } from "@shared/extent.ts";
import { chanceLevel, countedAs, mainMetricsOf, measure, metricLabel, penalty, type Outcome, type StudyMetric } from "@shared/study/metric.ts";
import { notation } from "@shared/tower.ts";

export interface ComparedRun {
  readonly run: RunSummary;
  /** Null while they have not been read. */
  readonly evaluations: readonly Evaluation[] | null;
}

export interface Compared {
  /** Stays the same while runs of the group come and go. */
  readonly key: string;
  readonly name: string;
  readonly runs: readonly ComparedRun[];
}

/** Everything of an experiment but its seed and its name. */
export function configurationKey(experiment: Experiment): string {
  return JSON.stringify({ ...experiment, seed: undefined, name: undefined });
}

/** A short name for each run, told apart by seed or id where names repeat. */
export function distinctNames(runs: readonly RunSummary[]): string[] {
  const titles = runs.map((run) => (run.name === "" ? run.stack : run.name));
  const repeated = countsOf(titles);
  const withSeed = titles.map((title, i) => (repeated.get(title)! > 1 ? `${title}, seed ${runs[i]!.experiment.seed}` : title));
  const stillRepeated = countsOf(withSeed);
  return withSeed.map((name, i) => (stillRepeated.get(name)! > 1 ? `${name} (${runs[i]!.id.slice(-6)})` : name));
}

function countsOf(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** Names without the parts, set off by commas, that all of them begin with: what a study's runs are told apart by. */
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

/** What the names of a group's runs have in common, without the seed that a study writes behind them; else the stack. */
function groupName(runs: readonly ComparedRun[]): string {
  const names = new Set(runs.map(({ run }) => run.name.replace(/,? *seed \d+$/, "")));
  const [only] = names;
  return names.size === 1 && only ? only : notation(runs[0]!.run.experiment.tower);
}

/** Runs of one configuration together, in the order in which they first come. */
export function bySeed(runs: readonly ComparedRun[]): Compared[] {
  const members = [...groupBy(runs, ({ run }) => configurationKey(run.experiment)).values()];
  const names = withoutCommonStart(members.map(groupName));
  const repeated = countsOf(names);
  const seen = new Map<string, number>();
  return members.map((of, i) => {
    const name = names[i]!;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return { key: of[0]!.run.id, name: repeated.get(name) === 1 ? name : `${name} #${seen.get(name)!}`, runs: of };
  });
}

/** A run's result under a metric. */
export interface Result {
  readonly outcome: Outcome;
  /** Null without one; of a run that goes on, the one so far. */
  readonly value: number | null;
  /** With the penalty for a run that diverged or exploded; null while it does not count. */
  readonly counted: number | null;
}

/** Whether runs of the experiment are measured so: by their task, and on a set that is looked at. */
function applies({ name }: StudyMetric, experiment: Experiment): boolean {
  const { tasks, set } = metricOf(name);
  return tasks.includes(taskOf(experiment)) && (set !== "validation" || experiment.dataset.validation > 0);
}

/** Results of every run, by id, with one penalty for all of them. Without evaluations a run is pending. */
export function resultsOf(runs: readonly ComparedRun[], metric: StudyMetric): Map<string, Result> {
  const measured = runs.map(({ run, evaluations }) => ({ run, ...measure({ status: run.status, evaluations: evaluations ?? [] }, metric, run.experiment), known: evaluations !== null }));
  const chances = runs.flatMap(({ run }) => chanceLevel(metric.name, run.experiment) ?? []);
  const worst = penalty(chances.length === 0 ? null : maxOf(chances), measured.flatMap(({ value }) => value ?? []));
  return new Map(
    measured.map(({ run, outcome, value, known }) => {
      if (!applies(metric, run.experiment)) return [run.id, { outcome: "missing", value: null, counted: null }];
      if (!known && run.status !== "diverged") return [run.id, { outcome: "pending", value: null, counted: null }];
      return [run.id, { outcome, value, counted: countedAs({ outcome, value }, worst) }];
    }),
  );
}

/** By what runs can be compared: what they are known by at the end and at its best, and their losses. */
export function resultChoices(runs: readonly Pick<RunSummary, "experiment">[]): { readonly label: string; readonly metric: StudyMetric }[] {
  const names = [...new Set(runs.flatMap(({ experiment }) => mainMetricsOf(experiment)))];
  const known = names.length === 0 ? (["testError", "testLoss", "trainLoss"] as const) : names;
  return known
    .flatMap((name): StudyMetric[] => [{ name, at: "final" }, ...(metricOf(name).set === "test" && name !== "testLoss" ? [{ name, at: "best" } as const] : [])])
    .map((metric) => ({ label: metricLabel(metric), metric }));
}
