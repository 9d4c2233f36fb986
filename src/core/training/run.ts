/**
 * The run loop: epochs of steps and scheduled evaluations; can be paused, stopped, and resumed from
 * a checkpoint.
 */
import { evaluatesAfter, stepsPerEpoch, totalSteps } from "../../shared/experiment.ts";
import { keptAs, keptMeasures, type EvaluatedSet, type Measures } from "../../shared/metrics.ts";
import type { Evaluation } from "../../shared/run.ts";
import { toEffective } from "../hyperoptimizers/stored.ts";
import { Random } from "../models/random.ts";
import { CheckpointError } from "../checkpoint/container.ts";
import type { Position } from "../checkpoint/file.ts";
import type { Captured, Saver } from "../checkpoint/saver.ts";
import type { FeedBatch } from "../feeds/feed.ts";
import type { RunControl } from "./control.ts";
import { Guard } from "./guard.ts";
import { StepMasks } from "./masks.ts";
import type { StateValues } from "../engines/engine.ts";
import type { PreparedRun } from "./prepare.ts";
import type { TrainingProgram } from "./trainingProgram.ts";
import type { WeightsKeeper } from "../weights/keeper.ts";
import { settledWeights } from "./settledWeights.ts";

export interface StepRecord {
  readonly step: number;
  /** Values in the order of loggedMetrics(). */
  readonly values: readonly number[];
}

export interface RunListener {
  step(record: StepRecord): void;
  evaluation(evaluation: Evaluation): void;
  /** Called again and again during an evaluation, and while the run waits for its host. */
  alive?(): void;
  paused(): void;
  resumed(): void;
  /** Reports a rollback after a step, which was logged as it was. */
  rolledBack(step: number, message: string): void;
}

export type Outcome = "finished" | "stopped" | "diverged";

export interface RunEnd {
  readonly outcome: Outcome;
  readonly reason: string | null;
  /** Steps completed. */
  readonly step: number;
  readonly hyperparameters: Readonly<Record<string, number>>;
}

/** Milliseconds between turns of the event loop, so that pause and stop take effect. */
const turnEvery = 20;

/** Milliseconds between signs of life while the run waits for its host. */
const waitAlive = 1_000;

/**
 * Logged at every step: loss, step time (ms), effective hyperparameters, hypergradients of the
 * stored ones, and what schedules make of them.
 */
export function loggedMetrics({ hyperparameters, withHypergradient, scheduled }: TrainingProgram): string[] {
  return [
    "loss",
    "stepTime",
    ...hyperparameters.map(({ name }) => name),
    ...withHypergradient.map(({ hypergradient }) => hypergradient),
    ...scheduled.map(({ name }) => name),
  ];
}

/** @throws CheckpointError naming missing or unknown state */
function requireState(names: readonly string[], state: StateValues): void {
  const missing = names.filter((name) => !(name in state));
  const unknown = Object.keys(state).filter((name) => !names.includes(name));
  if (missing.length + unknown.length === 0) return;
  const said = [...missing.map((name) => `${name} is missing`), ...unknown.map((name) => `${name} is unknown`)];
  throw new CheckpointError(`the checkpoint was written by another version of Hypertower: ${said.join(", ")}`);
}

export class TrainingRun {
  readonly #run: PreparedRun;
  readonly #control: RunControl;
  readonly #listener: RunListener;
  readonly #saver: Saver | undefined;
  readonly #keeper: Pick<WeightsKeeper, "keep"> | undefined;
  readonly #masks: StepMasks;
  #position: Position;
  #guard: Guard | undefined;
  #lastTurn = 0;

  /** @param saver stores checkpoints; `keeper` stores evaluated weights */
  constructor(run: PreparedRun, control: RunControl, listener: RunListener, saver?: Saver, keeper?: Pick<WeightsKeeper, "keep">) {
    this.#run = run;
    this.#control = control;
    this.#listener = listener;
    this.#saver = saver;
    this.#keeper = keeper;
    this.#masks = new StepMasks(run.model.masks, run.experiment.seed, run.experiment.generator);
    const shuffling = [...new Random(run.experiment.seed, "shuffling", run.experiment.generator).state];
    if (run.experiment.guard.on) this.#guard = new Guard(run.experiment.guard, run.training.hyperparameters);
    this.#position = { step: 0, begun: false, epoch: 1, lossSum: 0, examples: 0, evaluated: null, shuffling };
  }

  /**
   * Restores a captured state; call before train().
   * @throws CheckpointError when the state does not match this program
   */
  restore({ position, state, guard }: Captured): void {
    const { training, executable, experiment } = this.#run;
    for (const one of [state, ...(guard?.snapshots ?? []).map((snapshot) => snapshot.state)]) requireState(training.durableState, one);
    executable.restore(state);
    this.#position = { ...position };
    if (experiment.guard.on) this.#guard = new Guard(experiment.guard, training.hyperparameters, guard ?? undefined);
  }

  /** Captures everything that the rest of the run depends on; only between two steps. */
  async #capture(): Promise<Captured> {
    const { training, executable } = this.#run;
    const [position, guard] = [{ ...this.#position }, this.#guard?.memory ?? null];
    return { position, state: await executable.state(training.durableState), guard };
  }

  /**
   * Trains until the budget ends, a stop, or divergence. A non-finite loss or hyperparameter ends
   * the
   * run after reporting that step, unless the guard rolls back; then steps and data continue from
   * the restored state.
   */
  async train(): Promise<RunEnd> {
    const { experiment, feed } = this.#run;
    const perEpoch = stepsPerEpoch(experiment);
    const at = this.#position;
    const random = new Random(at.shuffling);

    // Redo an evaluation that a stop interrupted.
    const ended = await this.#evaluateWhenDue();
    if (ended) return ended;
    while (at.epoch <= experiment.budget.epochs) {
      for (const batch of feed.epoch(random, at.step - (at.epoch - 1) * perEpoch)) {
        await this.#turn();
        if (this.#control.stopRequested) return this.#stopped();
        const { step } = at;
        await this.#remember();
        const values = await this.#step(batch);
        const problem = this.#problemIn(values, step);
        const suspicious = problem !== null || (this.#guard?.memory.since ?? null) !== null;
        this.#listener.step({ step, values });
        at.step++;
        if (problem && !this.#goBack(problem)) return this.#end("diverged", problem, at.step);
        // Steps that may be rolled back do not enter the mean loss.
        if (!suspicious) {
          at.lossSum += values[0]! * batch.examples;
          at.examples += batch.examples;
        }
        const ended = await this.#evaluateWhenDue();
        if (ended) return ended;
      }
      Object.assign(at, { epoch: at.epoch + 1, shuffling: [...random.state] });
    }
    return this.#end("finished", null, at.step);
  }

  get #evaluationDue(): boolean {
    const { step, evaluated } = this.#position;
    return step > 0 && step !== evaluated && evaluatesAfter(this.#run.experiment, step);
  }

  /** Evaluates when due; how the run ends, or null if it continues. */
  async #evaluateWhenDue(): Promise<RunEnd | null> {
    if (!this.#evaluationDue) return null;
    const problem = await this.#evaluateAsPlanned();
    if (this.#evaluationDue) return this.#stopped();
    const { step } = this.#position;
    return problem && step === totalSteps(this.#run.experiment) ? this.#end("diverged", problem, step) : null;
  }

  /**
   * Runs a scheduled evaluation, which stays due if abandoned. Returns the problem with its result,
   * or null if there is none or the guard rolled back.
   */
  async #evaluateAsPlanned(): Promise<string | null> {
    const at = this.#position;
    let problem: string | null;
    do {
      const hyperparameters = await this.#settle();
      const evaluation = await this.#evaluate();
      if (!evaluation) return null;
      problem = this.#problemAfter(hyperparameters, evaluation, at.step);
    } while (problem && this.#goBack(problem));
    Object.assign(at, { lossSum: 0, examples: 0, evaluated: at.step });
    return problem;
  }

  /** Takes a snapshot for the guard when it wants one. */
  async #remember(): Promise<void> {
    const { step, begun } = this.#position;
    if (this.#guard?.wants(step)) this.#guard.keep(step, begun, await this.#run.executable.state(this.#run.training.durableState));
  }

  /** Lets the guard roll back; false without a guard or when it gives up. */
  #goBack(problem: string): boolean {
    const at = this.#position;
    const back = this.#guard?.rollBack(at.step - 1, problem);
    if (!back) return false;
    this.#run.executable.restore(back.snapshot.state);
    at.begun = back.snapshot.begun;
    this.#listener.rolledBack(at.step - 1, back.message);
    return true;
  }

  async #step({ size, inputs }: FeedBatch): Promise<number[]> {
    const { training, executable } = this.#run;
    const { step, begun } = this.#position;
    const start = performance.now();
    const outputs = await executable.run(`${begun ? "step" : "begin"}@${size}`, { ...inputs, ...this.#masks.at(step, size) });
    const time = performance.now() - start;
    this.#position.begun = true;
    return [
      outputs["loss"]!,
      time,
      ...training.hyperparameters.map(({ name, storedAs }) => toEffective(outputs[name]!, storedAs)),
      ...training.withHypergradient.map(({ hypergradient }) => outputs[hypergradient]!),
      ...training.scheduled.map(({ name }) => outputs[name]!),
    ];
  }

  /**
   * Applies the pending update to the settled weights; returns the resulting effective
   * hyperparameters.
   */
  async #settle(): Promise<Record<string, number>> {
    const outputs = await this.#run.executable.run("settle");
    return Object.fromEntries([
      ...this.#run.training.hyperparameters.map(({ name, storedAs }) => [name, toEffective(outputs[name]!, storedAs)] as const),
      ...this.#run.training.scheduled.map(({ name }) => [name, outputs[name]!] as const),
    ]);
  }

  /**
   * Evaluates the settled weights on whole sets; with a validation set, the test set only once, at
   * the
   * end. Null when a stop left no time.
   */
  async #evaluate(ending = this.#position.step === totalSteps(this.#run.experiment)): Promise<Evaluation | null> {
    const { feed, experiment } = this.#run;
    const { step, lossSum, examples: trained } = this.#position;
    const evaluation: Evaluation = { step, epoch: step / stepsPerEpoch(experiment), trainLoss: trained > 0 ? lossSum / trained : null, testLoss: null, testError: null };
    for (const set of ending ? feed.sets : feed.sets.slice(0, 1)) {
      const measures = await this.#measure(set);
      if (!measures) return null;
      Object.assign(evaluation, keptMeasures(set, measures));
    }
    this.#listener.evaluation(evaluation);
    // Diverged weights predict nothing.
    if (this.#keeper && !this.#badLoss(evaluation)) this.#keeper.keep(evaluation, await settledWeights(this.#run));
    return evaluation;
  }

  async #measure(set: EvaluatedSet): Promise<Measures | null> {
    const { feed, executable } = this.#run;
    const total: Record<string, number> = {};
    let count = 0;
    for (const { size, examples, inputs } of feed.evaluation(set)) {
      if (this.#control.evaluationGivenUp) return null;
      for (const [name, sum] of Object.entries(await executable.run(`evaluate@${size}`, inputs))) total[name] = (total[name] ?? 0) + sum;
      count += examples;
      this.#listener.alive?.();
      await this.#breathe();
    }
    return feed.task.measures(total, count);
  }

  async #stopped(): Promise<RunEnd> {
    await this.#save();
    const { step, evaluated } = this.#position;
    let without = "";
    if (step > 0 && step !== evaluated) {
      await this.#settle();
      if (!(await this.#evaluate(true))) without = ", without an evaluation of it";
    }
    return this.#end("stopped", `stopped at step ${step} of ${totalSteps(this.#run.experiment)}${without}`, step);
  }

  async #end(outcome: Outcome, reason: string | null, step: number): Promise<RunEnd> {
    const { hyperparameters, scheduled } = this.#run.training;
    const initial = Object.fromEntries([...hyperparameters, ...scheduled].map((h) => [h.name, h.initial]));
    const tried = this.#guard?.memory.rollbacks ?? 0;
    const why = outcome === "diverged" && tried > 0 ? `${reason}, after ${tried} rollbacks by the guard` : reason;
    return { outcome, reason: why, step, hyperparameters: step > 0 ? await this.#settle() : initial };
  }

  #problemIn(values: readonly number[], step: number): string | null {
    const { hyperparameters } = this.#run.training;
    if (this.#guard) return this.#guard.observe(step, values[0]!, values.slice(2, 2 + hyperparameters.length));
    for (const [i, { name }] of hyperparameters.entries()) {
      if (!Number.isFinite(values[2 + i]!)) return `${name} became ${values[2 + i]!} at step ${step}`;
    }
    return Number.isFinite(values[0]!) ? null : `the loss became ${values[0]!} at step ${step}`;
  }

  #problemAfter(hyperparameters: Readonly<Record<string, number>>, evaluation: Evaluation, step: number): string | null {
    for (const [name, value] of Object.entries(hyperparameters)) {
      if (!Number.isFinite(value)) return `${name} became ${value} in the update after step ${step - 1}`;
    }
    const bad = this.#badLoss(evaluation);
    return bad ? `the ${bad.set} loss is ${String(bad.loss)} after step ${step - 1}` : null;
  }

  /** The evaluated set whose loss is not finite. */
  #badLoss(evaluation: Evaluation): { readonly set: EvaluatedSet; readonly loss: number } | undefined {
    return this.#run.feed.sets.flatMap((set) => {
      const loss = evaluation[keptAs(set, "loss")];
      return typeof loss === "number" && !Number.isFinite(loss) ? [{ set, loss }] : [];
    })[0];
  }

  /** Saves a due checkpoint and waits while paused. */
  async #turn(): Promise<void> {
    await this.#breathe();
    // Only the capture costs time here; the file is written during training.
    if (this.#saver?.due) void this.#saver.save(await this.#capture());
    while (this.#control.ahead) {
      await this.#control.whileAhead(waitAlive);
      this.#listener.alive?.();
    }
    if (!this.#control.pauseRequested) return;
    await this.#save();
    this.#listener.paused();
    await this.#control.whilePaused();
    if (!this.#control.stopRequested) this.#listener.resumed();
  }

  async #save(): Promise<void> {
    await this.#saver?.save(await this.#capture());
  }

  async #breathe(): Promise<void> {
    if (performance.now() - this.#lastTurn < turnEvery) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#lastTurn = performance.now();
  }
}
