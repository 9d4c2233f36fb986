/** Prepares a run from its experiment: data, program, engine, initial weights. */
import { stepsPerEpoch, totalSteps, type Experiment } from "../../shared/experiment.ts";
import { dataShape } from "../../shared/models/data.ts";
import { segmentsOf, type RunLength } from "../../shared/schedules/segments.ts";
import { initialValues, learnedHyperparameters, levelOptions, type Level, type Settings } from "../../shared/tower.ts";
import { compileCohort, type Seat } from "../engines/cohort.ts";
import type { Engine, EngineDescription, Executable, StateValues } from "../engines/engine.ts";
import { engineNamed } from "../engines/index.ts";
import type { TowerLevel, TowerSettings } from "../hyperoptimizers/tower.ts";
import type { Model } from "../models/model.ts";
import { begunModel } from "../networks/begun.ts";
import { modelOf } from "../networks/model.ts";
import { Random } from "../models/random.ts";
import { fingerprint } from "../program/fingerprint.ts";
import { commonFeed } from "../feeds/commonFeed.ts";
import type { Feed } from "../feeds/feed.ts";
import { loadFeed } from "../feeds/loadFeed.ts";
import { buildTrainingProgram, type TrainingProgram } from "./trainingProgram.ts";

export interface PreparedRun extends EngineDescription {
  readonly experiment: Experiment;
  readonly feed: Feed;
  readonly model: Model;
  readonly training: TrainingProgram;
  readonly executable: Executable;
}

function towerSettings(of: Settings, length?: RunLength): TowerSettings {
  const learned = learnedHyperparameters(of).map(({ name }) => name);
  const schedules = Object.fromEntries(
    Object.entries(of.schedules ?? {}).map(([name, schedule]) => {
      if (!length) throw new Error(`${name} follows a schedule, which needs the run's length`);
      return [name, segmentsOf(schedule, length)];
    }),
  );
  return { optimizer: of.optimizer, initial: initialValues(of), learned, options: levelOptions(of), schedules, frozen: of.frozen };
}

/** A level whose hyperparameters follow no schedule. */
export function towerLevel(of: Level): TowerLevel {
  return scheduledLevel(of);
}

/** @param length of the run; needed for schedules */
export function scheduledLevel(of: Level, length?: RunLength): TowerLevel {
  return { ...towerSettings(of, length), groups: of.groups.map((group) => ({ ...towerSettings(group, length), name: group.name, match: group.match })) };
}

/** The levels of an experiment, with schedules over its budget. */
export function towerLevels(experiment: Experiment): TowerLevel[] {
  const length = { stepsPerEpoch: stepsPerEpoch(experiment), totalSteps: totalSteps(experiment) };
  return experiment.tower.map((of) => scheduledLevel(of, length));
}

/** A run before its program is compiled. */
interface PlannedRun extends Omit<PreparedRun, "executable" | keyof EngineDescription> {
  readonly engine: Engine;
  /** Initial weights of its seed, and hyperparameters. */
  readonly initialState: StateValues;
}

async function planRun(experiment: Experiment, networks: string | undefined): Promise<PlannedRun> {
  const data = dataShape(experiment);
  const { model, values } = await begunModel(await modelOf(experiment.model, data, networks), experiment, networks);
  const [feed, engine] = await Promise.all([loadFeed(experiment, model), engineNamed(experiment.engine.kind)]);
  const training = buildTrainingProgram({
    task: feed.task,
    levels: towerLevels(experiment),
    batchSizes: feed.batchSizes,
    evaluationBatchSizes: feed.evaluationBatchSizes,
    hypergradients: "moving",
  });
  const random = new Random(experiment.seed, "initialization", experiment.generator);
  const initialState = training.initialState({ ...Object.fromEntries(model.parameters.map(({ name, initialize }) => [name, initialize(random)])), ...values });
  return { experiment, feed, model, training, engine, initialState };
}

function placed<E extends Executable>({ engine, initialState, ...run }: PlannedRun, executable: E): PreparedRun & { readonly executable: E } {
  executable.restore(initialState);
  return { ...run, executable, ...engine.describe({ threads: run.experiment.engine.threads }) };
}

/**
 * @param networks folder of imported networks
 * @throws Error when the dataset or the network cannot be read or the engine cannot be loaded
 */
export async function prepareRun(experiment: Experiment, networks?: string): Promise<PreparedRun> {
  const planned = await planRun(experiment, networks);
  const { threads } = experiment.engine;
  return placed(planned, await planned.engine.compile(planned.training.program, { threads }));
}

/** A run of a cohort and its seat. */
export interface Member {
  readonly experiment: Experiment;
  /** From 0; each seat holds one run. */
  readonly seat: number;
}

/**
 * Prepares runs that train as one program with `size` seats, some of which may stay empty. They may
 * differ in seed and in the initial values of learned hyperparameters.
 * @throws Error like prepareRun(), and when the runs' programs differ
 */
export async function prepareCohort(members: readonly Member[], size: number, networks?: string): Promise<(PreparedRun & { readonly executable: Seat })[]> {
  const planned: PlannedRun[] = [];
  for (const { experiment } of members) planned.push(await planRun(experiment, networks));
  const [first] = planned;
  if (!first) throw new Error("a cohort needs at least one run");
  const { engine, experiment, training } = first;
  const structure = fingerprint(training.program);
  for (const other of planned) {
    if (fingerprint(other.training.program) === structure && other.experiment.engine.kind === experiment.engine.kind) continue;
    throw new Error(`${other.experiment.name || "a run"} cannot train in one cohort with ${experiment.name || "another"}: their programs differ in more than seeds and learned hyperparameters`);
  }
  const seats = await compileCohort(engine, training.program, size, experiment.engine);
  const taken = new Set(members.map(({ seat }) => seat));
  for (const [number, seat] of seats.entries()) if (!taken.has(number)) await seat.dispose();
  const feed = commonFeed(first.feed);
  return planned.map((run, i) => placed({ ...run, feed }, seats[members[i]!.seat]!));
}
