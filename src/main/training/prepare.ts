/** From an experiment to everything a run needs: data, program, engine, initial weights. */
import type { Experiment } from "../../shared/experiment.ts";
import { describeModel } from "../../shared/models/architecture.ts";
import { dataShape } from "../../shared/models/data.ts";
import { optimizerSpec } from "../../shared/optimizers.ts";
import { initialValue, learnedHyperparameters, levelOptions, type Level, type Settings } from "../../shared/tower.ts";
import type { Executable } from "../engines/engine.ts";
import { loadEngine } from "../engines/index.ts";
import type { TowerLevel, TowerSettings } from "../hyperoptimizers/tower.ts";
import { buildModel } from "../models/build.ts";
import type { Model } from "../models/model.ts";
import { Random } from "../models/random.ts";
import { loadFeed, type Feed } from "./feed.ts";
import { buildTrainingProgram, type TrainingProgram } from "./trainingProgram.ts";

export interface PreparedRun {
  readonly experiment: Experiment;
  readonly feed: Feed;
  readonly model: Model;
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

/** @throws Error when the dataset cannot be read or the engine cannot be loaded */
export async function prepareRun(experiment: Experiment): Promise<PreparedRun> {
  const data = dataShape(experiment);
  const model = buildModel(describeModel(experiment.model, data));
  const [feed, engine] = await Promise.all([loadFeed(experiment, model, data.input.kind === "tokens"), loadEngine[experiment.engine.kind]()]);
  const training = buildTrainingProgram({
    task: feed.task,
    levels: experiment.tower.map(towerLevel),
    batchSizes: feed.batchSizes,
    evaluationBatchSizes: feed.evaluationBatchSizes,
    hypergradients: "moving",
  });
  const { threads } = experiment.engine;
  const executable = await engine.compile(training.program, { threads });
  const random = new Random(experiment.seed, "initialization");
  executable.restore(
    training.initialState(Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, initialize(random)]))),
  );
  return { experiment, feed, model, training, executable, ...engine.describe({ threads }) };
}
