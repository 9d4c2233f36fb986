/** Entry point: makes a training from a model, an optimizer and a loss. */
import { loadEngine } from "../core/engines/index.ts";
import { Random } from "../core/models/random.ts";
import { latestGenerator } from "../shared/random.ts";
import { sizeOf } from "../core/program/node.ts";
import { makeProgram } from "../core/program/program.ts";
import { TrainingProcedures } from "../core/training/trainingProcedures.ts";
import type { EngineKind } from "../shared/engines.ts";
import { requireEngine } from "./engines.ts";
import { engine as engineSchema, fieldErrors } from "../shared/experiment.ts";
import { groupProblems } from "../shared/groups.ts";
import { matrixProblems } from "../shared/matrices.ts";
import { checkSeed } from "./data.ts";
import type { Loss, LossFunction, Metric } from "./losses.ts";
import type { Model } from "./model.ts";
import { checkedTower, Optimizer, OptimizerError } from "./optimizers.ts";
import { checkOptions } from "./options.ts";
import { Problem } from "./problem.ts";
import { openEndedLevels } from "./schedules.ts";
import { Training } from "./training.ts";

export interface OptimizeOptions {
  readonly optimizer: Optimizer;
  /** A loss of the library, or a function from a batch's outputs and targets to a scalar node. */
  readonly loss: Loss | LossFunction;
  /** Additional metrics of evaluate(): sums over a batch. */
  readonly metrics?: Readonly<Record<string, Metric>>;
  /** Seed of the initial parameters; 0 by default. */
  readonly seed?: number;
  /** Initial values by parameter, row-major; replace the model's own. */
  readonly parameters?: Readonly<Record<string, ArrayLike<number>>>;
  /** `onnx-cpu` (the default): ONNX Runtime, float32. `reference`: plain TypeScript, float64, slow. */
  readonly engine?: EngineKind;
  /** On a non-finite loss or hyperparameter: `error` (the default) throws, `report` continues. */
  readonly divergence?: "error" | "report";
  /** Threads per step; 1 by default. */
  readonly threads?: number;
}

/**
 * Prepares a model for training. A step is compiled for the first batch of each size.
 * @throws RangeError or TypeError naming an invalid option, OptimizerError for an invalid tower,
 *   Error when the engine cannot be loaded
 */
export async function optimize<Input extends string, Parameter extends string>(
  model: Model<Input, Parameter>,
  options: OptimizeOptions,
): Promise<Training<Input>> {
  requireModel(model);
  checkOptions<Required<OptimizeOptions>>("optimize", options, { optimizer: true, loss: true, metrics: true, seed: true, parameters: true, engine: true, divergence: true, threads: true });
  const { optimizer, loss, metrics = {}, seed = 0, parameters = {}, divergence = "error", engine = "onnx-cpu" } = options;
  // JavaScript callers are not type-checked.
  const chosen: unknown = optimizer;
  if (!(chosen instanceof Optimizer)) throw new TypeError("optimize: optimizer is missing; give one, such as adam({ optimizer: sgd(1e-5) })");
  if (typeof loss !== "function" && typeof (loss as Partial<Loss> | undefined)?.loss !== "function") {
    throw new TypeError("optimize: loss is missing; give nll, meanSquaredError or a function (outputs, targets) => node");
  }
  if (divergence !== "error" && divergence !== "report") throw new RangeError(`optimize: divergence is ${String(divergence)}; allowed: error, report`);
  checkSeed("optimize", seed);
  requireEngine("optimize", engine);
  const engineOptions = engineSchema.safeParse({ kind: engine, threads: options.threads });
  if (!engineOptions.success) throw new RangeError(`optimize: ${fieldErrors(engineOptions.error).map(({ message }) => message).join("; ")}`);
  const { threads } = engineOptions.data;

  const problem = new Problem(model, typeof loss === "function" ? { loss } : loss, metrics);
  const levels = checkedTower("optimize", optimizer.levels);
  const names = problem.parameters.map(({ name }) => name);
  const wrong = groupProblems(levels[0]!.groups, names, "the model's parameters");
  if (wrong.length > 0) throw new OptimizerError("optimize", wrong.map(({ index, message }) => ({ path: `0.groups.${index}.match`, message })));
  const shapeless = matrixProblems(levels[0]!, problem.parameters);
  if (shapeless.length > 0) throw new OptimizerError("optimize", shapeless.map(({ path, message }) => ({ path: [0, ...path].join("."), message })));
  const ahead = levels.findIndex(({ lookahead }) => lookahead > 1);
  if (ahead >= 0) throw new OptimizerError("optimize", [{ path: `${ahead}.lookahead`, message: `lookahead is ${levels[ahead]!.lookahead}, which needs batches of one size, and a training of the library takes any: set it to 1, or use horizon` }]);
  const initial = initialParameters(problem, seed, parameters);
  const procedures = new TrainingProcedures({
    parameters: problem.parameters.map(({ name, stateName, shape }) => ({ name: stateName, shape, label: name })),
    levels: openEndedLevels("optimize", levels),
    hypergradients: "moving",
  });
  const program = makeProgram({ settle: procedures.settle() }, procedures.furtherState);
  const executable = await (await loadEngine[engine]()).compile(program, { threads });
  const values = procedures.initialState(initial);
  executable.restore(Object.fromEntries(program.state.map(({ name }) => [name, values[name]!])));
  return new Training({ optimizer, problem, procedures, executable, state: program.state.map(({ name }) => name), divergence });
}

function requireModel(model: unknown): void {
  const { inputs, parameters, forward } = (model ?? {}) as Partial<Record<keyof Model, unknown>>;
  if (typeof inputs === "object" && inputs !== null && typeof parameters === "object" && parameters !== null && typeof forward === "function") return;
  throw new TypeError("optimize: the model is missing; give one, such as mlp([784, 128, 10]), or an object with inputs, parameters and forward");
}

function initialParameters({ parameters }: Problem, seed: number, given: Readonly<Record<string, ArrayLike<number>>>): Record<string, Float64Array> {
  const unknown = Object.keys(given).find((name) => !parameters.some((parameter) => parameter.name === name));
  if (unknown !== undefined) {
    throw new RangeError(`optimize: the model has no parameter ${unknown}; it has ${parameters.map(({ name }) => name).join(", ")}`);
  }
  const random = new Random(seed, "initialization", latestGenerator);
  return Object.fromEntries(
    parameters.map(({ name, stateName, shape, initialize }) => {
      // Always drawn, so that given values of one parameter do not change another.
      const drawn = initialize(random);
      const values = given[name] ? Float64Array.from(given[name]) : drawn;
      if (values.length !== sizeOf(shape)) {
        throw new RangeError(`optimize: parameter ${name} has ${values.length} initial values; its shape [${shape.join(", ")}] needs ${sizeOf(shape)}`);
      }
      return [stateName, values];
    }),
  );
}
