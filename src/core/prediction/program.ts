/** A trained model for prediction: the forward pass of evaluation, without tower or gradients. */
import type { Experiment } from "../../shared/experiment.ts";
import type { Executable } from "../engines/engine.ts";
import { engineNamed } from "../engines/index.ts";
import { cast, state } from "../program/operations/index.ts";
import { makeProgram } from "../program/program.ts";
import { sizeOf, type Node } from "../program/node.ts";
import type { Model } from "../models/model.ts";
import { CheckpointError } from "../checkpoint/container.ts";
import type { PredictiveTask } from "../tasks/task.ts";
import type { NamedArray } from "../weights/file.ts";

/** State variable with the scores of `predict@B`. */
export const scoresOf = (batchSize: number) => `scores@${batchSize}`;

export interface Predictor {
  /** Procedures `predict@B`: sums of the task's metrics, with the scores as state. */
  readonly executable: Executable;
  /** Number of scores per example. */
  readonly width: number;
}

export interface PredictorOptions {
  readonly experiment: Pick<Experiment, "engine">;
  readonly model: Model;
  readonly task: PredictiveTask;
  readonly batchSizes: readonly number[];
  readonly weights: readonly NamedArray[];
  /** Further nodes of the forward pass to keep as state of `predict@B`, by name. */
  readonly probes?: (scores: Node, batchSize: number) => Readonly<Record<string, Node>>;
}

/**
 * @throws CheckpointError when the weights do not match the model, Error when the engine cannot be
 * loaded
 */
export async function buildPredictor({ experiment, model, task, batchSizes, weights, probes = () => ({}) }: PredictorOptions): Promise<Predictor> {
  const known = new Map([...model.parameters, ...model.buffers.filter(({ role }) => role === "statistics")].map(({ name, shape }) => [name, shape.join(" × ")]));
  const given = new Map(weights.map(({ name, shape }) => [name, shape.join(" × ")]));
  const wrong = [...new Set([...known.keys(), ...given.keys()])].find((name) => known.get(name) !== given.get(name));
  if (wrong !== undefined) {
    throw new CheckpointError(`the weights do not match the model: ${wrong} is ${given.get(wrong) ?? "missing"} in the weights and ${known.get(wrong) ?? "missing"} in the model`);
  }
  let width = 0;
  const program = makeProgram(
    Object.fromEntries(
      batchSizes.map((size) => {
        const parameters = model.parameters.map(({ name, shape }) => state(name, shape));
        const { outputs, updates } = task.metrics(parameters, size);
        const scores = task.scores(parameters, size);
        width = scores.shape.at(-1)!;
        return [`predict@${size}`, { outputs, updates: { ...updates, ...probes(scores, size), [scoresOf(size)]: cast(scores, "float") } }];
      }),
    ),
  );
  const executable = await (await engineNamed(experiment.engine.kind)).compile(program, { threads: experiment.engine.threads });
  const declared = new Map(program.state.map(({ name, shape }) => [name, sizeOf(shape)]));
  executable.restore(Object.fromEntries(weights.flatMap(({ name, values }) => (declared.has(name) ? [[name, values] as const] : []))));
  return { executable, width };
}
