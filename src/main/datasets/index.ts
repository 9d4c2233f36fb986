/** Every dataset by name. */
import type { z } from "zod";
import type { datasetInfo } from "../../shared/contract.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { Dataset, Examples } from "./dataset.ts";
import { loadMnist, mnistProblem } from "./mnist.ts";

export type { Dataset, Examples } from "./dataset.ts";

type DatasetKind = Experiment["dataset"]["kind"];
type DatasetInfo = z.infer<typeof datasetInfo>;

interface Source {
  readonly info: Omit<DatasetInfo, "kind" | "problem">;
  problem(): Promise<string | null>;
  load(): Promise<Dataset>;
}

const sources: Record<DatasetKind, Source> = {
  mnist: {
    info: { title: "MNIST", trainExamples: 60_000, testExamples: 10_000, exampleShape: [784], classes: 10 },
    problem: mnistProblem,
    load: loadMnist,
  },
};

/** Why a dataset cannot be used, in words that name the file; null when it is ready. */
export function datasetProblem(kind: DatasetKind): Promise<string | null> {
  return sources[kind].problem();
}

export function listDatasets(): Promise<DatasetInfo[]> {
  const kinds = Object.keys(sources) as DatasetKind[];
  return Promise.all(kinds.map(async (kind) => ({ kind, ...sources[kind].info, problem: await sources[kind].problem() })));
}

function first(examples: Examples, count: number): Examples {
  const width = examples.features.length / examples.count;
  const kept = Math.min(count, examples.count);
  return { count: kept, features: examples.features.subarray(0, kept * width), labels: examples.labels.subarray(0, kept) };
}

/** Loads the dataset of an experiment, cut to the number of examples it asks for. */
export async function loadDataset(config: Experiment["dataset"]): Promise<Dataset> {
  const whole = await sources[config.kind].load();
  return { ...whole, train: first(whole.train, config.trainExamples), test: first(whole.test, config.testExamples) };
}
