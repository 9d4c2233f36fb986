/** One run and the process that trains it: turns the trainer's messages into the run's state and its log. */
import { isActive, type Environment, type Evaluation, type RunEvent, type RunStatus, type RunSummary } from "../../shared/run.ts";
import { finite } from "../store/finite.ts";
import type { FromTrainer, Rows, ToTrainer } from "./messages.ts";
import type { LaunchTrainer, TrainerExit, TrainerProcess } from "./process.ts";

/** Where runs are written; the store, in the program. */
export interface RunLog {
  /** @throws when the series cannot be created. */
  beginSeries(run: string, metrics: readonly string[], environment: Environment): void;
  /** @throws RangeError unless the rows continue the run's series. */
  appendRows(run: string, rows: Rows): void;
  saveRun(run: RunSummary): void;
  addEvaluation(run: string, evaluation: Evaluation): void;
  addEvent(run: string, event: RunEvent): void;
  flush(): boolean;
}

export interface ActiveRunHooks {
  readonly log: RunLog;
  /** `atOnce` for a new status, which should not wait for a throttle. */
  readonly onChange: (run: RunSummary, atOnce: boolean) => void;
  readonly onEvaluation: (run: string, evaluation: Evaluation) => void;
  /** The trainer is gone, or there will be none. */
  readonly onGone: () => void;
}

/** A trainer that said it ended has this long (milliseconds) to exit. */
const exitWithin = 5_000;

type Message<T extends FromTrainer["type"]> = Extract<FromTrainer, { type: T }>;

export class ActiveRun {
  readonly #hooks: ActiveRunHooks;
  readonly #waiters = new Set<() => void>();
  #summary: RunSummary;
  #trainer: TrainerProcess | undefined;
  #gone = false;
  #metrics: readonly string[] = [];
  #killTimer: NodeJS.Timeout | undefined;
  /** Why a stop was asked for, when it was not by a person. */
  #stopReason: string | null = null;
  /** How the run ends should its trainer be killed. */
  #killed: { status: RunStatus; reason: string } | undefined;

  constructor(run: RunSummary, hooks: ActiveRunHooks) {
    this.#summary = run;
    this.#hooks = hooks;
  }

  get summary(): RunSummary {
    return this.#summary;
  }

  get launched(): boolean {
    return this.#trainer !== undefined;
  }

  /** No trainer runs any more and none will. */
  get gone(): boolean {
    return this.#gone;
  }

  launch(launch: LaunchTrainer): void {
    try {
      const trainer = launch();
      this.#trainer = trainer;
      trainer.onMessage((message) => this.#receive(message));
      trainer.onExit((exit) => this.#exited(exit));
      trainer.send({ type: "start", experiment: this.#summary.experiment });
    } catch (error) {
      this.end("failed", `The trainer process could not be started: ${(error as Error).message}`);
    }
  }

  rename(name: string): void {
    this.#summary = { ...this.#summary, name };
  }

  send(message: ToTrainer): void {
    this.#trainer?.send(message);
  }

  /** A new state of a run that has no trainer yet: paused in the queue, or back in it. */
  setWaiting(status: "queued" | "paused"): void {
    this.#note(status === "paused" ? "paused" : "resumed", "while waiting for its turn");
    this.#commit({ status });
  }

  /** Asks the trainer to pause for a reason that the run then shows. */
  hold(reason: string): void {
    if (this.#summary.status !== "running") return;
    this.#summary = { ...this.#summary, reason };
    this.send({ type: "pause" });
    this.#hooks.onChange(this.#summary, true);
  }

  /** Asks the trainer to stop; one that does not answer in time is killed and the run ends as `otherwise`. */
  stop(within: number, reason: string | null, otherwise: { status: RunStatus; reason: string }): void {
    this.#stopReason ??= reason;
    if (!this.#trainer) {
      this.end("stopped", reason ?? "Stopped before it started.");
      return;
    }
    this.send({ type: "stop" });
    this.#killAfter(within, otherwise);
  }

  /** Resolves when `done` holds, the trainer is gone or the time (milliseconds) is over. */
  async settled(done: (run: RunSummary) => boolean, within: number): Promise<void> {
    const deadline = Date.now() + within;
    while (!this.#gone && !done(this.#summary)) {
      const left = deadline - Date.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiters.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiters.add(wake);
      });
    }
  }

  /** Ends the run in `status`, whatever the trainer says from now on. */
  end(status: RunStatus, reason: string | null, step = this.#summary.steps): void {
    if (!isActive(this.#summary.status)) return;
    this.#note(status, reason ?? "", step);
    this.#commit({ status, reason, finishedAt: Date.now(), samplesPerSecond: null, secondsLeft: null });
    if (this.#trainer) this.#killAfter(exitWithin, undefined);
    else this.#leave();
  }

  #receive(message: FromTrainer): void {
    if (!isActive(this.#summary.status)) return;
    try {
      this.#handle(message);
    } catch (error) {
      this.end("failed", (error as Error).message);
      this.#trainer?.kill();
    }
  }

  #handle(message: FromTrainer): void {
    switch (message.type) {
      case "started":
        return this.#started(message);
      case "rows":
        return this.#rows(message);
      case "evaluation":
        return this.#evaluated(message.evaluation);
      case "paused":
        this.#note("paused", this.#summary.reason ?? "");
        return this.#commit({ status: "paused", samplesPerSecond: null, secondsLeft: null });
      case "resumed":
        this.#note("resumed", "");
        return this.#commit({ status: "running", reason: null });
      case "ended":
        return this.#ended(message);
      case "failed":
        return this.end("failed", message.message);
      default:
        throw new Error(`The trainer sent a message of an unknown type: ${JSON.stringify(message)}`);
    }
  }

  #started({ device, environment, metrics, totalSteps }: Message<"started">): void {
    this.#hooks.log.beginSeries(this.#summary.id, metrics, environment);
    this.#metrics = metrics;
    this.#note("started", `on ${device}`);
    this.#commit({ status: "running", device, totalSteps, startedAt: Date.now() });
  }

  #rows({ rows, progress }: Message<"rows">): void {
    this.#hooks.log.appendRows(this.#summary.id, rows);
    if (rows.count === 0) return;
    const last = new Map(this.#metrics.map((metric, i) => [metric, rows.values[(rows.count - 1) * this.#metrics.length + i]]));
    const running = this.#summary.status === "running";
    this.#save({
      steps: rows.firstStep + rows.count,
      epoch: progress.epoch,
      samplesPerSecond: running ? finite(progress.samplesPerSecond) : null,
      secondsLeft: running ? finite(progress.secondsLeft) : null,
      loss: finite(last.get("loss")),
      hyperparameters: this.#hyperparameters((metric) => last.get(metric)),
    });
    this.#hooks.onChange(this.#summary, false);
  }

  #evaluated(evaluation: Evaluation): void {
    const { id } = this.#summary;
    const clean = {
      ...evaluation,
      trainLoss: finite(evaluation.trainLoss),
      testLoss: finite(evaluation.testLoss),
      testError: finite(evaluation.testError),
    };
    this.#hooks.log.addEvaluation(id, clean);
    this.#save({ testError: clean.testError });
    this.#hooks.log.flush();
    this.#hooks.onEvaluation(id, clean);
    this.#hooks.onChange(this.#summary, false);
  }

  #ended({ outcome, reason, step, hyperparameters }: Message<"ended">): void {
    this.#summary = { ...this.#summary, hyperparameters: this.#hyperparameters((metric) => hyperparameters[metric]) };
    this.end(outcome, (outcome === "stopped" ? this.#stopReason : null) ?? reason, step);
  }

  #exited({ code, signal, stderr }: TrainerExit): void {
    if (this.#killed) this.end(this.#killed.status, this.#killed.reason);
    else {
      const how = signal !== null ? `was ended by ${signal}` : code !== null ? `exited with code ${code}` : "could not be started";
      this.end("failed", `The trainer process ${how}${stderr === "" ? "." : `; its last output:\n${stderr}`}`);
    }
    this.#leave();
  }

  #leave(): void {
    clearTimeout(this.#killTimer);
    if (this.#gone) return;
    this.#gone = true;
    for (const wake of this.#waiters) wake();
    this.#hooks.onGone();
  }

  #killAfter(within: number, ending: { status: RunStatus; reason: string } | undefined): void {
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => {
      this.#killed = ending;
      this.#trainer?.kill();
    }, within);
  }

  #hyperparameters(value: (metric: string) => number | undefined): RunSummary["hyperparameters"] {
    return this.#summary.hyperparameters.map((h) => {
      const latest = value(h.metric);
      return latest === undefined ? h : { ...h, value: finite(latest) };
    });
  }

  #note(kind: string, message: string, step = this.#summary.steps): void {
    this.#hooks.log.addEvent(this.#summary.id, { at: Date.now(), step, kind, message });
  }

  #save(changes: Partial<RunSummary>): void {
    this.#summary = { ...this.#summary, ...changes };
    this.#hooks.log.saveRun(this.#summary);
  }

  /** Saves, commits and tells: for every change of status. */
  #commit(changes: Partial<RunSummary>): void {
    this.#save(changes);
    this.#hooks.log.flush();
    this.#hooks.onChange(this.#summary, true);
    for (const wake of this.#waiters) wake();
  }
}
