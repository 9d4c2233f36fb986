/**
 * Tables of a study's report: every step of every run, the runs, and the headline chart's curves.
 */
import { taskOf } from "../../../shared/experiment.ts";
import { metricOf, metricValue, unitOf } from "../../../shared/metrics.ts";
import { measure, studyMetricsOf } from "../../../shared/study/metric.ts";
import type { RunDetail } from "../../../shared/run.ts";
import { studyAxes } from "../../../shared/study/axes.ts";
import { noTimesWords } from "../../../shared/study/cohorts.ts";
import { curveNames } from "../../../charts/studyText.ts";
import { sweptKnob } from "../../../shared/study/methods.ts";
import type { StudyPoint } from "../../../shared/study/result.ts";
import type { Sensitivity } from "../../../shared/study/sensitivity.ts";
import { mergedMetrics, metricColumn, metricWords } from "./columns.ts";
import { CommonCells, type Cell, type Column, type Row } from "./csv.ts";
import type { ReportOfStudy } from "./source.ts";

export interface Table {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  readonly rows: () => Iterable<Row>;
}

const column = (name: string, unit: string, description: string): Column => ({ name, unit, description });

/** A point of a study and its run, if any. */
export interface PointRun {
  readonly point: StudyPoint;
  readonly run: RunDetail | null;
}

export function pointRuns({ study, source }: ReportOfStudy): PointRun[] {
  return study.points.map((point) => ({ point, run: point.run === null ? null : source.run(point.run) }));
}

/** Columns that identify a run of the study. */
function identity({ study }: ReportOfStudy): { columns: Column[]; cells: (point: StudyPoint) => Cell[] } {
  const { axes, methods } = study.study;
  const stacks = study.study.stacks !== null;
  const names = studyAxes(study.study);
  if (methods) {
    return {
      columns: [
        column("run", "", "id of the run"),
        column("key", "", "place of the run in the study, the same in every repetition of it"),
        column("height", "levels", "levels above the one that moves the weights"),
        column("method", "", "name of the method"),
        column("knob", "", "hyperparameter that is swept: the method's starting value, or another one with everything else as published"),
        column("factor", "1", "factor of its published default"),
        column("initial", "1", "its initial value"),
        column("seed", "", "seed of the run"),
      ],
      cells: ({ run, key, height, stack = "", values, seed }) => {
        const { knob, factor, initial } = sweptKnob(methods, stack, values);
        return [run, key, height, stack, knob.path, factor, initial, seed];
      },
    };
  }
  return {
    columns: [
      column("run", "", "id of the run"),
      column("key", "", "place of the run in the study, the same in every repetition of it"),
      column("height", "levels", "levels above the one that moves the weights"),
      ...(stacks ? [column("stack", "", "name of the stack")] : []),
      ...axes.map(({ level, hyperparameter }, i) => column(`L${level}.${hyperparameter}.initial`, "1", `initial ${names[i]!.words}`)),
      column("seed", "", "seed of the run"),
    ],
    cells: ({ run, key, height, stack, values, seed }) => [run, key, height, ...(stacks ? [stack] : []), ...axes.map((_, i) => values[i]), seed],
  };
}

/** Every logged step of every run. */
export function stepsTable(of: ReportOfStudy, runs: readonly PointRun[]): Table {
  const { columns, cells } = identity(of);
  const metrics = mergedMetrics(runs.map(({ run }) => run?.metrics ?? []));
  const highest = runs.reduce<RunDetail | null>((a, { run }) => (run && run.experiment.tower.length > (a?.experiment.tower.length ?? 0) ? run : a), null);
  return {
    name: "steps.csv",
    description: "every logged step of every run; empty where a run does not log a metric, nan where a value is not finite",
    columns: [...columns, column("step", "updates", "weight updates made before the step"), ...metrics.map((metric) => metricColumn(metric, taskOf(of.study.study.base), highest?.experiment.tower))],
    *rows() {
      for (const { point, run } of runs) {
        if (!run || run.thinned) continue;
        const places = metrics.map((metric) => run.metrics.indexOf(metric));
        const first = new CommonCells(cells(point));
        for (const { step, values } of of.source.steps(run.id)) yield [first, step, ...places.map((at) => (at === -1 ? null : values[at]!))];
      }
    },
  };
}

/** One row for every run of the study, trained or not. */
export function runsTable(of: ReportOfStudy, runs: readonly PointRun[]): Table {
  const { columns, cells } = identity(of);
  const judged = studyMetricsOf(of.study.study.base);
  const task = taskOf(of.study.study.base);
  const learned = mergedMetrics(runs.map(({ point }) => point.hyperparameters.map(({ metric }) => metric)));
  const noTimes = noTimesWords(of.study.study);
  return {
    name: "runs.csv",
    description: "one line for every run of the study, with what it came to",
    columns: [
      ...columns,
      column("status", "", "what became of the run"),
      column("reason", "", "why, in words"),
      column("attempts", "", "how often it was begun"),
      column("steps", "updates", "steps logged"),
      column("totalSteps", "updates", "steps of its whole budget"),
      column("trainingTime", "ms", "time spent in steps"),
      ...(noTimes === null ? [] : [column("trainingTime.missing", "", "why there is no time")]),
      ...judged.flatMap((metric) => {
        const [unit, words] = [unitOf(metric, task), metricWords(metric)];
        return [column(`${metric}.final`, unit, `${words} at the last evaluation`), column(`${metric}.best`, unit, `the best evaluation, chosen on validation data where there is any: ${words}`), column(`${metric}.outcome`, "", `how it counts at the end: measured, early, diverged or exploded (both count as the worst), pending, failed or missing`)];
      }),
      ...learned.map((metric) => ({ ...metricColumn(metric, task), name: `${metric}.final`, description: metricColumn(metric, task).description.replace("in force at the step", "after the last update") })),
      column("createdAt", "ISO 8601", "when it was begun"),
      column("hypertower", "", "version of the program that trained it"),
      column("gitCommit", "", "commit of that program"),
    ],
    *rows() {
      for (const { point, run } of runs) {
        const { evaluations } = point;
        yield [
          ...cells(point),
          point.status,
          point.reason,
          point.attempts,
          point.steps,
          point.totalSteps,
          ...(noTimes === null ? [point.trainingTime] : [null, noTimes]),
          ...judged.flatMap((metric) => {
            const last = evaluations.at(-1);
            const base = of.study.study.base;
            return [last && metricValue(metric, last), measure(point, { name: metric, at: "best" }, base).value, measure(point, { name: metric, at: "final" }, base).outcome];
          }),
          ...learned.map((metric) => {
            const found = point.hyperparameters.find((one) => one.metric === metric);
            return found ? (found.value ?? NaN) : null;
          }),
          run && new Date(run.createdAt).toISOString(),
          run?.environment?.hypertower,
          run?.environment?.gitCommit,
        ];
      }
    },
  };
}

/** What the headline picture draws: a line for every height and value of the axis. */
export function curvesTable({ study }: ReportOfStudy, { axis, curves, heights, metric, penalty }: Sensitivity): Table {
  const stacks = study.study.stacks !== null;
  const unit = metricOf(metric.name).counted;
  const names = curveNames(study.study, curves);
  return {
    name: "curves.csv",
    description: "mean and spread over the runs of every height and value of the axis, as drawn in the headline picture",
    columns: [
      column("curve", "", "name in the picture's legend"),
      column("height", "levels", "levels above the one that moves the weights"),
      column(study.study.methods ? "factor" : axis ? `L${axis.level}.${axis.hyperparameter}.initial` : "value", "1", study.study.methods ? "starting value as a factor of its published default" : axis ? `initial ${axis.words}` : "there is no axis"),
      column("runs", "", "runs in all"),
      column("counted", "", "runs that count in the mean; diverged and exploded runs count as the worst"),
      column("diverged", "", "runs that diverged"),
      column("exploded", "", "runs that trained on with a result that is not finite or far worse than guessing"),
      column("countedAs", unit, "what a diverged or exploded run counts as"),
      column("pending", "", "runs not there yet"),
      column("lost", "", "runs that failed or are in the bin"),
      column("mean", unit, `mean ${metric.name}`),
      column("standardError", unit, "sample standard deviation over the square root of the number of runs"),
      column("min", unit, "lowest"),
      column("max", unit, "highest"),
      ...(stacks
        ? [
            column("against", "", "the stack it is compared with"),
            column("gain", unit, "by how much its best mean is lower than that stack's"),
            column("wins", "", "runs that are better than that stack's run with the same values and seed"),
            column("pairs", "", "runs that are compared so"),
          ]
        : []),
    ],
    *rows() {
      for (const [i, { height, points }] of curves.entries()) {
        const change = heights[i]?.numbers?.change;
        for (const { x, runs, n, diverged, exploded, pending, lost, mean, standardError, min, max } of points) {
          yield [names[i], height, axis ? x : null, runs.length, n, diverged, exploded, diverged + exploded > 0 ? penalty : null, pending, lost, mean, standardError, min, max, ...(stacks ? [change?.from.label, change?.gain.value, change?.wins, change?.pairs] : [])];
        }
      }
    },
  };
}
