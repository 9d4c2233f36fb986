/** A model in training: steps, learned values, and snapshots. */
import type { Executable } from "../core/engines/engine.ts";
import { toEffective } from "../core/hyperoptimizers/stored.ts";
import type { Node, Shape } from "../core/program/node.ts";
import { cast } from "../core/program/operations/index.ts";
import { makeProgram, type ProcedureSpec } from "../core/program/program.ts";
import type { TrainingProcedures } from "../core/training/trainingProcedures.ts";
import type { Batch, CheckedBatch, StepBatch } from "./batch.ts";
import { batches } from "./data.ts";
import type { Optimizer } from "./optimizers.ts";
import type { Problem } from "./problem.ts";
import { decodeSnapshot, encodeSnapshot, type Snapshot } from "./snapshot.ts";
import { writeSafetensors } from "./weights.ts";

export interface StepResult {
  /** Number of this step, from 0. */
  readonly step: number;
  /** Mean loss of the batch, before this step's update. */
  readonly loss: number;
  /** Learned hyperparameters with which the loss was measured, `{ "L0.alpha": 0.001, ... }`, and scheduled ones as in force: `"L0.alpha.inForce"`. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** d loss / d hyperparameter (as stored) for those that a level above moves; 0 at step 0. */
  readonly hypergradients: Readonly<Record<string, number>>;
}

/** Means of the loss and every metric over all examples. */
export interface Evaluation {
  readonly examples: number;
  readonly loss: number;
  readonly [metric: string]: number;
}

export interface Prediction {
  /** `[batch, ...]` */
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Float64Array;
}

/** A loss or hyperparameter is no longer finite; the step was taken. */
export class DivergenceError extends Error {
  override readonly name = "DivergenceError";
  /** The result of that step. */
  readonly result: StepResult;

  constructor(what: string, result: StepResult) {
    super(`training diverged at step ${result.step}: ${what}`);
    this.result = result;
  }
}

interface Parts {
  readonly optimizer: Optimizer;
  readonly problem: Problem;
  readonly procedures: TrainingProcedures;
  readonly executable: Executable;
  /** State variables that training consists of. */
  readonly state: readonly string[];
  readonly divergence: "error" | "report";
}

type Kind = "begin" | "step" | "evaluate" | "predict";

const predictionName = (signature: string) => `prediction@${signature}`;

/**
 * Made by optimize(). Calls run in order: a call that is not awaited still runs before the next,
 * and a
 * snapshot never sees half a step.
 */
export class Training<Input extends string = string> {
  /** The optimizer with everything above it. */
  readonly optimizer: Optimizer;
  readonly #parts: Parts;
  /** Shape of the outputs, by compiled procedure. */
  readonly #compiled = new Map<string, Shape>();
  #steps = 0;
  /** Hyperparameters after the last step when the settled weights are current, otherwise null. */
  #settled: Readonly<Record<string, number>> | null;
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  /** Used by optimize(). */
  constructor(parts: Parts) {
    this.optimizer = parts.optimizer;
    this.#parts = parts;
    this.#settled = this.#initialHyperparameters();
  }

  /** Steps completed. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * One step: loss and gradients of a batch at the current weights, then the update of every level
   * and the
   * weights. An invalid batch changes nothing.
   * @throws DivergenceError when the loss or a hyperparameter became infinite or NaN, TypeError or
   *   RangeError naming what is wrong with the batch, Error where the model or loss cannot be built
   */
  step(batch: StepBatch<Input>): Promise<StepResult> {
    return this.#inTurn(async () => {
      const { procedures, executable } = this.#parts;
      const checked = this.#parts.problem.check(batch);
      const outputs = await executable.run(this.#procedure(this.#steps === 0 ? "begin" : "step", checked), checked.arrays);
      this.#settled = null;
      const result: StepResult = {
        step: this.#steps++,
        loss: outputs["loss"]!,
        hyperparameters: this.#effective(outputs),
        hypergradients: Object.fromEntries(procedures.withHypergradient.map(({ name, hypergradient }) => [name, outputs[hypergradient]!])),
      };
      const problem = this.#parts.divergence === "error" && notFinite(result);
      if (problem) throw new DivergenceError(problem, result);
      return result;
    });
  }

  /** Learned hyperparameters in effective form (a beta as 0.9), after the last step's update. */
  hyperparameters(): Promise<Readonly<Record<string, number>>> {
    return this.#inTurn(() => this.#settle());
  }

  /** Parameters by name, row-major, after the last step's update. */
  parameters(): Promise<Record<string, Float64Array>> {
    return this.#inTurn(() => this.#parameters());
  }

  /**
   * Writes what parameters() returns as a .safetensors file, which PyTorch's load_state_dict takes. An existing file is
   * replaced; a failure leaves it as it was.
   */
  async saveWeights(path: string): Promise<void> {
    const { step, values } = await this.#inTurn(async () => ({ step: this.#steps, values: await this.#parameters() }));
    const arrays = this.#parts.problem.parameters.map(({ name, shape }) => ({ name, shape, values: values[name]! }));
    await writeSafetensors(path, arrays, { format: "pt", producer: "hypertower", step: String(step), optimizer: this.optimizer.toString() });
  }

  /**
   * Loss and metrics over examples or given batches, after the last step's update.
   * @param batchSize examples per batch, unless `data` is batches
   * @throws TypeError or RangeError naming what is wrong with a batch
   */
  evaluate(data: { readonly count: number; readonly arrays: StepBatch<Input> } | Iterable<StepBatch<Input>>, batchSize = 1000): Promise<Evaluation> {
    return this.#inTurn(async () => {
      await this.#settle();
      const { problem, executable } = this.#parts;
      const totals = new Map<string, number>();
      let examples = 0;
      for (const batch of Symbol.iterator in data ? data : batches(data, batchSize)) {
        const checked = problem.check(batch);
        const sums = await executable.run(this.#procedure("evaluate", checked), checked.arrays);
        for (const [name, sum] of Object.entries(sums)) totals.set(name, (totals.get(name) ?? 0) + sum);
        examples += checked.size;
      }
      if (examples === 0) throw new RangeError("evaluate: there are no examples");
      return { examples, ...means(totals, examples) };
    });
  }

  /**
   * The model's outputs for a batch (without targets), after the last step's update.
   * @throws TypeError or RangeError naming what is wrong with the batch
   */
  predict(batch: Batch<Input>): Promise<Prediction> {
    return this.#inTurn(async () => {
      await this.#settle();
      const { problem, executable } = this.#parts;
      const checked = problem.check(batch);
      const name = this.#procedure("predict", checked);
      await executable.run(name, checked.arrays);
      const variable = predictionName(checked.signature);
      return { shape: this.#compiled.get(name)!, values: (await executable.state([variable]))[variable]! };
    });
  }

  /**
   * Everything that later steps depend on, as plain JSON. A restored training continues bit for bit
   * (on the same engine).
   */
  save(): Promise<Snapshot> {
    return this.#inTurn(async () => {
      const { problem, procedures, executable, state } = this.#parts;
      const kept = state.filter((name) => !procedures.settledNames.includes(name));
      return encodeSnapshot({ step: this.#steps, levels: this.optimizer.levels, parameters: problem.parameters, state: await executable.state(kept) });
    });
  }

  /**
   * Restores a state of this training or of one with the same parameters and optimizer.
   * @throws Error saying why the snapshot does not match; the training is then unchanged
   */
  restore(snapshot: Snapshot): Promise<void> {
    return this.#inTurn(() => {
      const { problem, procedures, executable, state } = this.#parts;
      const saved = decodeSnapshot(snapshot);
      const shapes = (parameters: typeof saved.parameters) => parameters.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).join(", ");
      if (shapes(saved.parameters) !== shapes(problem.parameters)) {
        throw new Error(`restore: the snapshot is of a model with ${shapes(saved.parameters)}; this one has ${shapes(problem.parameters)}`);
      }
      if (JSON.stringify(saved.levels) !== JSON.stringify(this.optimizer.levels)) {
        throw new Error(`restore: the snapshot's optimizer differs from this one, ${this.optimizer.toString()}; use stack(snapshot.tower)`);
      }
      const settled = procedures.settledNames;
      const missing = state.find((name) => !settled.includes(name) && !(name in saved.state));
      if (missing !== undefined) throw new Error(`restore: the snapshot is damaged: state.${missing} is missing`);
      executable.restore({ ...saved.state, ...procedures.settledState(saved.state) });
      this.#steps = saved.step;
      this.#settled = saved.step === 0 ? this.#initialHyperparameters() : null;
    });
  }

  /** Frees the engine's memory; the training cannot be used afterwards. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    const done = this.#inTurn(() => this.#parts.executable.dispose());
    this.#disposed = true;
    await done;
  }

  /** Runs after all earlier calls. */
  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#disposed) return Promise.reject(new Error("this training has been disposed of"));
    const result = this.#last.then(work);
    // Only the caller sees an error; the next call just waits for the end.
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #parameters(): Promise<Record<string, Float64Array>> {
    await this.#settle();
    const { procedures, executable, problem } = this.#parts;
    const values = procedures.parametersOf(await executable.state(procedures.parameterNames));
    return Object.fromEntries(problem.parameters.map(({ name, stateName }) => [name, values[stateName]!]));
  }

  /** Applies the pending update to the settled weights; returns the resulting hyperparameters. */
  async #settle(): Promise<Readonly<Record<string, number>>> {
    return (this.#settled ??= this.#effective(await this.#parts.executable.run("settle")));
  }

  #initialHyperparameters(): Record<string, number> {
    const { hyperparameters, scheduled } = this.#parts.procedures;
    return Object.fromEntries([...hyperparameters, ...scheduled].map(({ name, initial }) => [name, initial]));
  }

  #effective(outputs: Readonly<Record<string, number>>): Record<string, number> {
    const { hyperparameters, scheduled } = this.#parts.procedures;
    const stored = hyperparameters.map(({ name, storedAs }) => [name, toEffective(outputs[name]!, storedAs)] as const);
    return Object.fromEntries([...stored, ...scheduled.map(({ name }) => [name, outputs[name]!] as const)]);
  }

  /** Procedure for batches like this one, added on first use. */
  #procedure(kind: Kind, batch: CheckedBatch): string {
    const { problem, executable } = this.#parts;
    const name = `${kind}@${batch.signature}`;
    let outputs = this.#compiled.get(name);
    if (!outputs) {
      const built = this.#build(kind, batch);
      const program = makeProgram({ [name]: built.spec });
      if (!batch.hasTargets && program.procedures[name]!.inputs.some((node) => node.attributes.name === "targets")) {
        throw new RangeError("batch: targets is missing");
      }
      executable.add(program);
      outputs = built.outputs;
      this.#compiled.set(name, outputs);
    }
    if (kind !== "predict") problem.checkTargets(batch, outputs);
    return name;
  }

  #build(kind: Kind, batch: CheckedBatch): { spec: ProcedureSpec; outputs: Shape } {
    const { problem, procedures } = this.#parts;
    let shape: Shape = [];
    const outputs = (parameters: readonly Node[]) => {
      const node = problem.outputs(batch, parameters);
      shape = node.shape;
      return node;
    };
    const lossOf = (parameters: readonly Node[]) => ({ loss: problem.loss(batch, outputs(parameters)) });
    const specs: Record<Kind, () => ProcedureSpec> = {
      begin: () => procedures.begin(lossOf),
      step: () => procedures.step(lossOf),
      evaluate: () => ({ outputs: problem.sums(batch, outputs(procedures.settledParameters())) }),
      predict: () => ({
        outputs: {},
        updates: { [predictionName(batch.signature)]: cast(outputs(procedures.settledParameters()), "float") },
      }),
    };
    const spec = specs[kind]();
    return { spec, outputs: shape };
  }
}

/** Describes what is not finite after a step; null when everything is. */
export function notFinite({ loss, hyperparameters }: StepResult): string | null {
  const found = Object.entries({ ...hyperparameters, "the loss": loss }).find(([, value]) => !Number.isFinite(value));
  return found ? `${found[0]} became ${found[1]}` : null;
}

function means(totals: ReadonlyMap<string, number>, examples: number): { loss: number } & Record<string, number> {
  return Object.fromEntries([...totals].map(([name, sum]) => [name, sum / examples])) as { loss: number } & Record<string, number>;
}
