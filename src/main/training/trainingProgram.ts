/**
 * The whole of training as one program. Its procedures share one state:
 *
 * - `begin@B`    loss and weight gradients at the initial weights; no update is pending yet
 * - `step@B`     carries out the pending update (top level first), then loss, weight
 *                gradients and hypergradients at the new weights: the next pending update
 * - `settle`     copies the weights that the pending update leads to into `settled.*`
 * - `evaluate@B` sums of a task's metrics over a batch, at the settled weights
 */
import { gradients } from "../program/gradients.ts";
import type { Node, Shape } from "../program/node.ts";
import { constant, state } from "../program/operations/index.ts";
import { makeProgram, type Program, type ProcedureSpec } from "../program/program.ts";
import { Packing } from "../hyperoptimizers/packing.ts";
import { gradientName, TowerProgram, type LearnedHyperparameter, type TowerLevel } from "../hyperoptimizers/tower.ts";

/** What is learned: parameters and a loss of them on a batch. Input nodes are the task's own. */
export interface Task {
  readonly parameters: readonly { readonly name: string; readonly shape: Shape }[];
  /** Mean loss of a batch of `batchSize` examples; a scalar. */
  loss(parameters: readonly Node[], batchSize: number): Node;
  /** Sums over a batch (not means), by metric. */
  metrics(parameters: readonly Node[], batchSize: number): Readonly<Record<string, Node>>;
}

export interface TrainingProgramOptions {
  readonly task: Task;
  readonly levels: readonly TowerLevel[];
  /** Sizes of training batches that will be used. */
  readonly batchSizes: readonly number[];
  readonly evaluationBatchSizes: readonly number[];
  /**
   * `moving`: only of hyperparameters that a level above moves. `all`: the top
   * level's too, which nothing moves; for a plain optimizer this costs extra work.
   */
  readonly hypergradients: "moving" | "all";
}

export interface TrainingProgram {
  readonly program: Program;
  /** Learned hyperparameters; the outputs of begin, step and settle carry their stored values by `name`. */
  readonly hyperparameters: readonly LearnedHyperparameter[];
  /** Those of which begin and step answer the `hypergradient`. */
  readonly withHypergradient: readonly LearnedHyperparameter[];
  /** State to restore before `begin`. */
  initialState(parameters: Readonly<Record<string, Float64Array>>): Record<string, Float64Array>;
  /** Values of the parameters, by name, out of a state that was just settled. */
  parametersOf(state: Readonly<Record<string, Float64Array>>): Record<string, Float64Array>;
}

const settled = (name: string) => `settled.${name}`;

export function buildTrainingProgram(options: TrainingProgramOptions): TrainingProgram {
  const { task, levels } = options;
  const packing = new Packing(task.parameters);
  const tower = new TowerProgram(levels, packing.packs);
  const withHypergradient = tower.learned.filter(
    ({ level }) => options.hypergradients === "all" || level < levels.length - 1,
  );

  const outputs = (loss: Node, stored: readonly Node[], hypergradients: readonly Node[]) => ({
    loss,
    ...Object.fromEntries(tower.learned.map(({ name }, i) => [name, stored[i]!])),
    ...Object.fromEntries(withHypergradient.map(({ hypergradient }, i) => [hypergradient, hypergradients[i]!])),
  });
  const weightGradients = (nodes: readonly Node[]) =>
    Object.fromEntries(packing.packs.map(({ name }, i) => [gradientName(name), nodes[i]!]));

  const begin = (batchSize: number): ProcedureSpec => {
    const weights = packing.packs.map(({ name, shape }) => state(name, shape));
    const loss = task.loss(packing.unpack(weights), batchSize);
    const stored = tower.learned.map(({ name }) => state(name, []));
    return {
      outputs: outputs(loss, stored, withHypergradient.map(() => constant(0))),
      updates: weightGradients(gradients(loss, weights)),
    };
  };

  const step = (batchSize: number): ProcedureSpec => {
    const { weights, hyperparameters, updates } = tower.update();
    const loss = task.loss(packing.unpack(weights), batchSize);
    const live = withHypergradient.map((h) => hyperparameters[tower.learned.indexOf(h)]!);
    const all = gradients(loss, [...weights, ...live]);
    const hypergradients = all.slice(weights.length);
    return {
      outputs: outputs(loss, hyperparameters, hypergradients),
      updates: {
        ...updates,
        ...weightGradients(all),
        ...Object.fromEntries(withHypergradient.map(({ hypergradient }, i) => [hypergradient, hypergradients[i]!])),
      },
    };
  };

  const settle = (): ProcedureSpec => {
    const { weights, hyperparameters } = tower.update();
    return {
      outputs: Object.fromEntries(tower.learned.map(({ name }, i) => [name, hyperparameters[i]!])),
      updates: Object.fromEntries(packing.packs.map(({ name }, i) => [settled(name), weights[i]!])),
    };
  };

  const evaluate = (batchSize: number): ProcedureSpec => {
    const weights = packing.packs.map(({ name, shape }) => state(settled(name), shape));
    return { outputs: task.metrics(packing.unpack(weights), batchSize) };
  };

  const program = makeProgram({
    ...Object.fromEntries(options.batchSizes.flatMap((b) => [[`begin@${b}`, begin(b)], [`step@${b}`, step(b)]])),
    settle: settle(),
    ...Object.fromEntries(options.evaluationBatchSizes.map((b) => [`evaluate@${b}`, evaluate(b)])),
  });

  return {
    program,
    hyperparameters: tower.learned,
    withHypergradient,
    initialState(parameters) {
      const packs = packing.packValues(parameters);
      const values: Record<string, Float64Array> = { ...tower.initialState(), ...packs };
      for (const [name, value] of Object.entries(packs)) {
        values[settled(name)] = value;
        values[gradientName(name)] = new Float64Array(value.length);
      }
      const declared = new Set(program.state.map(({ name }) => name));
      return Object.fromEntries(Object.entries(values).filter(([name]) => declared.has(name)));
    },
    parametersOf: (values) => packing.unpackValues(packing.packs.map(({ name }) => values[settled(name)]!)),
  };
}
