/**
 * All of training as one program. Its procedures share one state:
 *
 * - `begin@B`    loss and weight gradients at the initial weights; no update is pending yet
 * - `step@B`     applies the pending update (top level first), then computes loss, weight
 *                gradients and hypergradients at the new weights: the next pending update
 * - `settle`     copies the weights after the pending update to `settled.*`
 * - `evaluate@B` sums of a task's metrics over a batch, at the settled weights
 *
 * A task may have buffers (running statistics, hidden states): `begin` and `step` update them in
 * the forward pass, and `evaluate` reads them.
 */
import type { LearnedHyperparameter, TowerLevel } from "../hyperoptimizers/tower.ts";
import type { ScheduledHyperparameter } from "../hyperoptimizers/scheduleFactor.ts";
import { sizeOf, type Node } from "../program/node.ts";
import { makeProgram, type Program } from "../program/program.ts";
import type { Task } from "../tasks/task.ts";
import { TrainingProcedures, type TrainingProceduresOptions } from "./trainingProcedures.ts";

export interface TrainingProgramOptions {
  readonly task: Task;
  readonly levels: readonly TowerLevel[];
  /** Sizes of the training batches. */
  readonly batchSizes: readonly number[];
  readonly evaluationBatchSizes: readonly number[];
  readonly hypergradients: TrainingProceduresOptions["hypergradients"];
}

export interface TrainingProgram {
  readonly program: Program;
  /** Learned hyperparameters; begin, step and settle output their stored values by `name`. */
  readonly hyperparameters: readonly LearnedHyperparameter[];
  /** Hyperparameters whose `hypergradient` begin and step output. */
  readonly withHypergradient: readonly LearnedHyperparameter[];
  /** Scheduled hyperparameters; begin, step and settle output their values in force by `name`. */
  readonly scheduled: readonly ScheduledHyperparameter[];
  /**
   * State that training depends on: everything but the settled weights, which can be recomputed.
   */
  readonly durableState: readonly string[];
  /** State to restore before `begin`. */
  initialState(parameters: Readonly<Record<string, Float64Array>>): Record<string, Float64Array>;
  /** State that parametersOf() reads. */
  readonly settledState: readonly string[];
  /** Parameter values by name, from a state that was just settled. */
  parametersOf(state: Readonly<Record<string, Float64Array>>): Record<string, Float64Array>;
}

export function buildTrainingProgram(options: TrainingProgramOptions): TrainingProgram {
  const { task, levels, hypergradients } = options;
  const procedures = new TrainingProcedures({ parameters: task.parameters, levels, hypergradients });
  const lossAt = (batchSize: number) => (parameters: readonly Node[]) => task.loss(parameters, batchSize);

  const specs = {
    ...Object.fromEntries(
      options.batchSizes.flatMap((b) => [
        [`begin@${b}`, procedures.begin(lossAt(b))],
        [`step@${b}`, procedures.step(lossAt(b))],
      ]),
    ),
    settle: procedures.settle(),
    ...Object.fromEntries(
      options.evaluationBatchSizes.map((b) => [`evaluate@${b}`, task.metrics(procedures.settledParameters(), b)]),
    ),
  };
  const program = makeProgram(specs, procedures.frozenState);
  const declared = new Set(program.state.map(({ name }) => name));
  const settled = new Set(procedures.settledNames);
  const buffers = Object.fromEntries(
    program.state.flatMap(({ name, shape }) => {
      const initial = task.buffers[name];
      return initial === undefined ? [] : [[name, typeof initial === "number" ? new Float64Array(sizeOf(shape)).fill(initial) : initial]];
    }),
  );

  return {
    program,
    hyperparameters: procedures.hyperparameters,
    withHypergradient: procedures.withHypergradient,
    scheduled: procedures.scheduled,
    durableState: [...declared].filter((name) => !settled.has(name)),
    initialState: (parameters) =>
      Object.fromEntries(
        Object.entries({ ...procedures.initialState(parameters), ...structuredClone(buffers) }).filter(([name]) => declared.has(name)),
      ),
    settledState: procedures.parameterNames,
    parametersOf: (values) => procedures.parametersOf(values),
  };
}
