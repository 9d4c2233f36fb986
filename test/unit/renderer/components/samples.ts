/** Datasets, drafts and runs that component tests show. */
import { dataFacts, type DatasetInfo } from "@shared/datasets.ts";
import { validateExperiment, type Experiment, type ExperimentInput } from "@shared/experiment.ts";
import type { RunSummary } from "@shared/run.ts";
import { notation } from "@shared/tower.ts";
import { draftOf, validateDraft, type Draft } from "@/lib/draft.ts";

/** A published dataset as the services list it. */
export function datasetOf(kind: string, changes: Partial<DatasetInfo> = {}): DatasetInfo {
  const { title, task, trainExamples, testExamples, exampleShape, classNames, symbols } = dataFacts({ kind });
  return {
    kind,
    title,
    task,
    trainExamples,
    testExamples,
    exampleShape: [...exampleShape],
    classNames: [...classNames],
    classes: symbols ?? classNames.length,
    own: false,
    source: `https://example.org/${kind}`,
    licence: "CC BY 4.0",
    downloadBytes: 11_000_000,
    removable: true,
    bytesHere: 11_000_000,
    problem: null,
    ...changes,
  };
}

/** A table that the user imported. */
export const ownTable = (changes: Partial<DatasetInfo> = {}): DatasetInfo => ({
  ...datasetOf("iris"),
  kind: "own/flowers",
  title: "Flowers",
  own: true,
  source: "flowers.csv",
  licence: null,
  downloadBytes: null,
  ...changes,
});

export function experimentOf(input: ExperimentInput): Experiment {
  const checked = validateExperiment(input);
  if (!checked.ok) throw new Error(checked.errors.map(({ path, message }) => `${path}: ${message}`).join("; "));
  return checked.experiment;
}

export const draftFrom = (input: ExperimentInput): Draft => draftOf(experimentOf(input));

/** What is wrong with a draft, by field. */
export function draftErrors(draft: Draft): Map<string, string> {
  const found = validateDraft(draft);
  return new Map(found.ok ? [] : found.errors.map(({ path, message }) => [path, message]));
}

/** A run as lists show it. */
export function runOf(id: string, changes: Partial<RunSummary> = {}, input: ExperimentInput = {}): RunSummary {
  const experiment = experimentOf(input);
  return {
    id, name: id, status: "finished", reason: null, stack: notation(experiment.tower), experiment, device: null, createdAt: 1_000, startedAt: 1_000, finishedAt: 3_000, trained: { milliseconds: 2_000, from: "clock" },
    steps: 100, totalSteps: 100, epoch: 1, samplesPerSecond: null, secondsLeft: null, loss: 0.5, testError: 4, evaluation: null, hyperparameters: [], study: null, deletedAt: null,
    ...changes,
  } as unknown as RunSummary;
}
