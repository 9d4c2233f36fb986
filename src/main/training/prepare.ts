/** From an experiment to everything a run needs: data, program, engine, initial weights. */
import type { Experiment } from "../../shared/experiment.ts";
import { describeModel } from "../../shared/models/architecture.ts";
import { dataShape } from "../../shared/models/data.ts";
import { optimizerSpec } from "../../shared/optimizers.ts";
import { initialValue, learnedHyperparameters, levelOptions, type Level, type Settings } from "../../shared/tower.ts";
import { loadDataset, type Dataset } from "../datasets/index.ts";
import type { Executable } from "../engines/engine.ts";
import { loadEngine } from "../engines/index.ts";
import type { TowerLevel, TowerSettings } from "../hyperoptimizers/tower.ts";
import { buildModel } from "../models/build.ts";
import { Random } from "../models/random.ts";
import { classification } from "./classification.ts";
import { buildTrainingProgram, type TrainingProgram } from "./trainingProgram.ts";

/** Test examples evaluated at once; the program has an `evaluate` procedure for batches of this size and the rest. */
export const evaluationBatch = 1000;

export interface PreparedRun {
  readonly experiment: Experiment;
  readonly dataset: Dataset;
  readonly training: TrainingProgram;
  readonly executable: Executable;
  readonly device: string;
  readonly libraries: Readonly<Record<string, string>>;
}

function towerSettings(of: Settings): TowerSettings {
  const initial = Object.fromEntries(optimizerSpec(of.optimizer).hyperparameters.map(({ name }) => [name, initialValue(of, name)]));
  const learned = learnedHyperparameters(of).map(({ name }) => name);
  return { optimizer: of.optimizer, initial, learned, options: levelOptions(of), frozen: of.frozen };
}

export function towerLevel(of: Level): TowerLevel {
  return { ...towerSettings(of), groups: of.groups.map((group) => ({ ...towerSettings(group), name: group.name, match: group.match })) };
}

/** Sizes of the batches into which `count` examples fall, each once; the last batch may be smaller. */
export function batchSizes(count: number, batchSize: number): number[] {
  const rest = count % batchSize;
  return [...(count >= batchSize ? [batchSize] : []), ...(rest > 0 ? [rest] : [])];
}

/** The data of the latest run: the next one of this process is likely to train on the same. */
let held: { readonly of: string; readonly dataset: Promise<Dataset> } | undefined;

function heldDataset(config: Experiment["dataset"]): Promise<Dataset> {
  const of = JSON.stringify(config);
  if (held?.of !== of) held = { of, dataset: loadDataset(config) };
  // What could not be read may be there the next time.
  held.dataset.catch(() => (held = undefined));
  return held.dataset;
}

/** @throws Error when the dataset cannot be read or the engine cannot be loaded */
export async function prepareRun(experiment: Experiment): Promise<PreparedRun> {
  const [dataset, engine] = await Promise.all([heldDataset(experiment.dataset), loadEngine[experiment.engine.kind]()]);
  const model = buildModel(describeModel(experiment.model, dataShape(experiment)));
  const training = buildTrainingProgram({
    task: classification({ model, ...dataset, features: dataset.train.features instanceof Uint8Array ? "uint8" : "float" }),
    levels: experiment.tower.map(towerLevel),
    batchSizes: batchSizes(dataset.train.count, experiment.batchSize),
    evaluationBatchSizes: batchSizes(dataset.test.count, evaluationBatch),
    hypergradients: "moving",
  });
  const { threads } = experiment.engine;
  const executable = await engine.compile(training.program, { threads });
  const random = new Random(experiment.seed, "initialization");
  executable.restore(
    training.initialState(Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, initialize(random)]))),
  );
  return { experiment, dataset, training, executable, ...engine.describe({ threads }) };
}
