/** Values of runs and studies by name: for columns, conditions and sorting. */
import { experiment } from "../../../shared/experiment.ts";
import type { ListedRun } from "../../../shared/listedRun.ts";
import { metricNames, metricValue, namedMetricText } from "../../../shared/metrics.ts";
import { optimizers } from "../../../shared/optimizers.ts";
import type { RunSummary } from "../../../shared/run.ts";
import type { StudySummary } from "../../../shared/study/result.ts";
import { trainedUntil } from "../../../shared/study/result.ts";
import { formatHyperparameter } from "../../../shared/tower.ts";
import { trainedText } from "../../../shared/trainedTime.ts";
import { UserError } from "../../services/services.ts";
import { formatDuration, formatTime, levelValues } from "../format.ts";
import { closest } from "../nearest.ts";

export type Value = string | number | null;

export interface Column<T> {
  readonly key: string;
  value(item: T): Value;
  /** As shown in a table; the value by default. */
  text?(item: T): string;
  /** Milliseconds since 1970. */
  readonly isTime?: true;
}

export interface RunItem {
  readonly listed: ListedRun;
  /** Configuration and results; read only where a column needs them. */
  readonly summary: RunSummary | undefined;
}

const written = (value: Value) => (value === null ? "" : typeof value === "number" ? formatHyperparameter(value) : value);

export const textOf = <T>(column: Column<T>, item: T): string => column.text?.(item) ?? written(column.value(item));

const tagsText = (tags: readonly string[] | undefined) => (tags ?? []).join(" ");

const ofRuns: readonly Column<RunItem>[] = [
  { key: "run", value: ({ listed }) => listed.id },
  { key: "status", value: ({ listed }) => listed.status },
  { key: "created", isTime: true, value: ({ listed }) => listed.createdAt, text: ({ listed }) => formatTime(listed.createdAt) },
  { key: "started", isTime: true, value: ({ listed }) => listed.startedAt, text: ({ listed }) => (listed.startedAt === null ? "" : formatTime(listed.startedAt)) },
  { key: "finished", isTime: true, value: ({ listed }) => listed.finishedAt, text: ({ listed }) => (listed.finishedAt === null ? "" : formatTime(listed.finishedAt)) },
  { key: "duration", value: ({ listed }) => (listed.trained === null ? null : listed.trained.milliseconds / 1000), text: ({ listed }) => trainedText(listed.trained, formatDuration) },
  { key: "steps", value: ({ listed }) => listed.steps, text: ({ listed }) => `${listed.steps}/${listed.totalSteps}` },
  { key: "loss", value: ({ listed }) => listed.loss },
  { key: "result", value: ({ listed }) => listed.result.value, text: ({ listed }) => (listed.imported ? "" : namedMetricText(listed.result.name, listed.result.value)) },
  { key: "stack", value: ({ listed }) => listed.stack },
  { key: "seed", value: ({ listed }) => (listed.imported ? null : listed.seed) },
  { key: "engine", value: ({ listed }) => (listed.imported ? null : listed.engine) },
  { key: "dataset", value: ({ listed }) => listed.dataset || null },
  { key: "model", value: ({ listed }) => listed.model || null },
  { key: "study", value: ({ listed }) => listed.study },
  { key: "tags", value: ({ listed }) => tagsText(listed.tags) || null },
  { key: "name", value: ({ listed }) => (listed.name === listed.stack ? null : listed.name) },
];

/** Columns of a list of runs unless others are asked for. */
export const defaultRunColumns: readonly string[] = ["run", "status", "created", "steps", "result", "stack", "name"];

const hyperparameterNames: readonly string[] = [...new Set(Object.values(optimizers).flatMap(({ hyperparameters }) => hyperparameters.map(({ name }) => name)))];
let settingNames: readonly string[] | undefined;
/** Fields of an experiment. */
const settings = (): readonly string[] => (settingNames ??= Object.keys(experiment.parse({})));

/** Names of values of a run that are known beforehand, for messages and completion. */
export const runKeys: readonly string[] = [...ofRuns.map(({ key }) => key), ...metricNames, ...hyperparameterNames];

/** Whether a value of this name needs the run's configuration or evaluation. */
export const needsSummary = (key: string): boolean => !ofRuns.some((column) => column.key === key);

/**
 * The value of a name: a column of the list (`status`), a metric of the latest evaluation (`testLoss`), a hyperparameter's
 * latest value (`alpha` is level 0's, `L1.alpha`, `L0.alpha[bias]`; `L0.alpha.initial`), or a setting (`model.kind`, `batchSize`).
 * @throws UserError naming what is like it
 */
export function runColumn(key: string): Column<RunItem> {
  const listed = ofRuns.find((column) => column.key === key || (key === "id" && column.key === "run"));
  if (listed) return listed;
  const metric = metricNames.find((name) => name === key);
  if (metric) return { key, value: ({ summary }) => (summary?.evaluation ? metricValue(metric, summary.evaluation) : null) };
  const [, level = "0", name, initial] = /^(?:L(\d{1,4})\.)?([A-Za-z]\w*(?:\[[^\]]+\])?(?:\.inForce)?)(\.initial)?$/.exec(key) ?? [];
  if (name !== undefined && hyperparameterNames.includes(name.replace(/[[.].*/, ""))) {
    return { key, value: ({ summary }) => summary ? hyperparameter(summary, Number(level), name, initial !== undefined) : null };
  }
  const path = key.split(".");
  if (settings().includes(path[0]!)) return { key, value: ({ summary }) => (summary?.imported ? (summary.imported.configuration.find(([field]) => field === key)?.[1]?.toString() ?? null) : setting(summary?.experiment, path)) };
  throw unknownKey(key, [...runKeys, ...settings()]);
}

function hyperparameter(run: RunSummary, level: number, name: string, initial: boolean): number | null {
  const logged = run.hyperparameters.find((one) => one.level === level && one.name === name);
  if (logged) return initial ? logged.initial : logged.value;
  if (run.imported) return null;
  const constant = levelValues(run)[level]?.[name];
  return typeof constant === "number" ? constant : null;
}

function setting(from: unknown, path: readonly string[]): Value {
  let at = from;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return null;
    at = (at as Record<string, unknown>)[name];
  }
  if (typeof at === "number" || typeof at === "string") return at;
  if (typeof at === "boolean") return String(at);
  return at === null || at === undefined ? null : JSON.stringify(at);
}

const ended = ({ finished, diverged, pruned, skipped }: StudySummary) => finished + diverged + pruned + skipped;

const ofStudies: readonly Column<StudySummary>[] = [
  { key: "study", value: ({ id }) => id },
  { key: "status", value: ({ status }) => status },
  { key: "created", isTime: true, value: ({ createdAt }) => createdAt, text: ({ createdAt }) => formatTime(createdAt) },
  { key: "runs", value: ended, text: (study) => `${ended(study)}/${study.total}` },
  { key: "total", value: ({ total }) => total },
  { key: "finished", value: ({ finished }) => finished },
  { key: "diverged", value: ({ diverged }) => diverged },
  { key: "failed", value: ({ failed }) => failed },
  { key: "pruned", value: ({ pruned }) => pruned },
  { key: "skipped", value: ({ skipped }) => skipped },
  { key: "running", value: ({ running }) => running },
  {
    key: "duration",
    value: (study) => {
      const trained = trainedUntil(study, Date.now());
      return trained === null ? null : trained.milliseconds / 1000;
    },
    text: (study) => trainedText(trainedUntil(study, Date.now()), formatDuration),
  },
  { key: "dataset", value: ({ study }) => study.base.dataset.kind },
  { key: "tags", value: ({ tags }) => tagsText(tags) || null },
  { key: "name", value: ({ name }) => name },
];

export const defaultStudyColumns: readonly string[] = ["study", "status", "created", "runs", "diverged", "failed", "name"];
export const studyKeys: readonly string[] = ofStudies.map(({ key }) => key);

/** A column of a list of studies. @throws UserError naming what is like it */
export function studyColumn(key: string): Column<StudySummary> {
  const found = ofStudies.find((column) => column.key === key || (key === "id" && column.key === "study"));
  if (!found) throw unknownKey(key, studyKeys);
  return found;
}

function unknownKey(key: string, known: readonly string[]): UserError {
  const near = closest(key, known, 3);
  return new UserError(`there is no value named ${key}${near.length > 0 ? `; did you mean ${near.join(" or ")}?` : `; known: ${known.join(", ")}`}`);
}
