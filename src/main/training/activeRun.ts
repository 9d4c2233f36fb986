/** One run and the process that trains it: turns the trainer's messages into the run's state and its log. */
import { messageOf } from "../../shared/errors.ts";
import { isActive, isResumable, type Environment, type Evaluation, type RunEvent, type RunStatus, type RunSummary } from "../../shared/run.ts";
import { finite } from "../store/finite.ts";
import { storedEvaluation } from "../store/runRows.ts";
import type { ResumedSeries } from "../store/store.ts";
import type { StoredStep } from "../store/runReader.ts";
import { crashInWords, isCrash } from "./crash.ts";
import type { CheckpointFolder } from "./checkpoint/folder.ts";
import type { CheckpointOrder, FromTrainer, Rows, ToTrainer } from "./messages.ts";
import type { LaunchTrainer, TrainerExit, TrainerProcess } from "./process.ts";
import { Retraced } from "./retraced.ts";
import { Watchdog, type WatchdogOptions } from "./watchdog.ts";
import type { WeightsFolder } from "./weights/folder.ts";

/** Where runs are written; the store, in the program. */
export interface RunLog {
  /** @throws when the series cannot be created. */
  beginSeries(run: string, metrics: readonly string[], environment: Environment): void;
  /** Takes up the series of a run that was begun earlier. @throws when the run logs other metrics now. */
  resumeSeries(run: string, metrics: readonly string[], evaluated: number | null, environment: Environment): ResumedSeries;
  readSteps(run: string, from: number, to: number): Iterable<StoredStep>;
  /** @throws RangeError unless the rows continue the run's series. */
  appendRows(run: string, rows: Rows): void;
  saveRun(run: RunSummary): void;
  addEvaluation(run: string, evaluation: Evaluation): void;
  addEvent(run: string, event: RunEvent): void;
  flush(): boolean;
}

/** How a run begins: for the first time, or once more from its checkpoint or its first step. */
export type Beginning = "new" | "checkpoint" | "firstStep";

/** An engine took the trainer down, lost its device, ran out of memory, or does not answer any more. */
export type EngineTrouble = "crash" | "device" | "memory" | "silence";

export interface ActiveRunHooks {
  readonly log: RunLog;
  /** Where its checkpoints are kept, and how often they are made (milliseconds); undefined: none are. */
  readonly checkpoints: { readonly folder: CheckpointFolder; readonly weights: WeightsFolder; readonly storeFolder: string; readonly every: number } | undefined;
  /** `atOnce` for a new status, which should not wait for a throttle. */
  readonly onChange: (run: RunSummary, atOnce: boolean) => void;
  readonly onEvaluation: (run: string, evaluation: Evaluation) => void;
  /** The weights of another evaluation are kept. */
  readonly onKept?: ((run: string) => void) | undefined;
  /** Something was noted in the run's log. */
  readonly onEvent?: ((run: string, event: RunEvent) => void) | undefined;
  /** What its engine did to the run. */
  readonly onEngineFailure?: ((run: RunSummary, reason: string, kind: EngineTrouble) => void) | undefined;
  /** How long the trainer may be silent. */
  readonly watch?: WatchdogOptions | undefined;
  /** The trainer is gone, or there will be none. */
  readonly onGone: () => void;
}

/** A trainer that said it ended has this long (milliseconds) to exit. */
const exitWithin = 5_000;

type Message<T extends FromTrainer["type"]> = Extract<FromTrainer, { type: T }>;

export class ActiveRun {
  readonly #hooks: ActiveRunHooks;
  readonly #beginning: Beginning;
  readonly #waiters = new Set<() => void>();
  readonly #why: string | undefined;
  readonly #watchdog: Watchdog;
  #summary: RunSummary;
  #trainer: TrainerProcess | undefined;
  #gone = false;
  #metrics: readonly string[] = [];
  #retraced: Retraced | undefined;
  /** Steps after which the guard went back before the run was taken up again. */
  #guarded: ReadonlySet<number> = new Set();
  #checkpointsFail = false;
  #weightsFail = false;
  #killTimer: NodeJS.Timeout | undefined;
  /** Why a stop was asked for, when it was not by a person. */
  #stopReason: string | null = null;
  /** How the run ends should its trainer be killed. */
  #killed: { status: RunStatus; reason: string } | undefined;

  /** @param why its engine was taken, in words */
  constructor(run: RunSummary, beginning: Beginning, hooks: ActiveRunHooks, why?: string) {
    this.#why = why;
    this.#summary = run;
    this.#beginning = beginning;
    this.#hooks = hooks;
    this.#watchdog = new Watchdog(hooks.watch);
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
      this.#watchdog.watch(() => this.#summary.status === "paused", (...silence) => this.#silent(...silence));
      trainer.send({ type: "start", experiment: this.#summary.experiment, ...(this.#why !== undefined && { why: this.#why }), ...this.#checkpointOrder() });
    } catch (error) {
      this.end("failed", `The trainer process could not be started: ${messageOf(error)}`);
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

  /** Asks the trainer to stop, or to leave at once; one that does not answer in time is killed and the run ends as `otherwise`. */
  stop(how: "stop" | "leave", within: number, reason: string | null, otherwise: { status: RunStatus; reason: string }): void {
    this.#stopReason ??= reason;
    if (!this.#trainer) {
      this.end("stopped", reason ?? "Stopped before it started.");
      return;
    }
    this.send({ type: how });
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
    this.#cleanUp();
    if (this.#trainer) this.#killAfter(exitWithin, undefined);
    else this.#leave();
  }

  /** The engine hangs, and the process with it. */
  #silent(silent: number, slowestStep: number | null): void {
    if (!isActive(this.#summary.status)) return;
    const than = slowestStep === null ? "before its first step" : `after steps of ${Number((slowestStep / 1000).toPrecision(2))} s at most`;
    const reason = `it did not answer for ${Math.round(silent / 1000)} s, ${than}`;
    this.#hooks.onEngineFailure?.(this.#summary, reason, "silence");
    this.end("failed", `The trainer was ended because ${reason}: its engine, or the driver of its device, hangs.`);
    this.#trainer?.kill();
  }

  #receive(message: FromTrainer): void {
    this.#watchdog.heard();
    if (!isActive(this.#summary.status)) return;
    try {
      this.#handle(message);
    } catch (error) {
      this.end("failed", messageOf(error));
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
      case "checkpoint":
        return this.#checkpoint(message.step);
      case "checkpointFailed":
        return this.#checkpointFailed(message);
      case "weights":
        return this.#weights(message.step);
      case "weightsFailed":
        return this.#weightsFailed(message);
      case "rolledBack":
        // Steps that a resumed run trains once more were noted when they were first trained.
        if (!this.#guarded.has(message.step)) this.#note("guard", message.message, message.step);
        return;
      case "paused":
        this.#note("paused", this.#summary.reason ?? "");
        return this.#commit({ status: "paused", samplesPerSecond: null, secondsLeft: null });
      case "resumed":
        this.#note("resumed", "");
        return this.#commit({ status: "running", reason: null });
      case "ended":
        return this.#ended(message);
      case "failed":
        if (message.engine) this.#hooks.onEngineFailure?.(this.#summary, message.message, message.engine);
        return this.end("failed", message.message);
      case "measured":
      case "looked":
      case "predicted":
      case "idle":
      case "alive":
      case "member":
        return;
      default:
        throw new Error(`The trainer sent a message of an unknown type: ${JSON.stringify(message)}`);
    }
  }

  #started({ device, environment, metrics, totalSteps, from }: Message<"started">): void {
    this.#metrics = metrics;
    if (this.#beginning === "new") {
      this.#hooks.log.beginSeries(this.#summary.id, metrics, environment);
      this.#note("started", `on ${device}`);
    } else this.#takeUp(metrics, environment, from, device);
    this.#commit({ status: "running", device, totalSteps, startedAt: this.#summary.startedAt ?? Date.now() });
  }

  #takeUp(metrics: readonly string[], environment: Environment, from: Message<"started">["from"], device: string): void {
    const { log } = this.#hooks;
    const { id } = this.#summary;
    const step = from?.step ?? 0;
    const { logged, evaluations, events, differences } = log.resumeSeries(id, metrics, from?.evaluated ?? null, environment);
    this.#guarded = new Set(events.flatMap((event) => (event.kind === "guard" ? [event.step] : [])));
    if (step > logged) throw new Error(`The checkpoint stands at step ${step}, but only ${logged} steps are logged.`);
    this.#retraced = new Retraced({
      metrics,
      logged,
      evaluations,
      steps: (first, end) => log.readSteps(id, first, end),
      onDifference: (at, message) => this.#note("differs", message, at),
      onEqual: (first, last) => this.#note("retraced", `steps ${first} to ${last} were trained again and came out as they are logged`, last),
    });
    const where = from ? `from the checkpoint at step ${step}` : "from the first step";
    const other = differences.length === 0 ? "" : `; other than at first: ${differences.join(", ")}`;
    this.#note("resumed", `${where}, on ${device}; ${logged} steps are logged${other}`, step);
  }

  #rows({ rows: all, progress }: Message<"rows">): void {
    const time = this.#metrics.indexOf("stepTime");
    for (let row = 0; row < all.count; row++) this.#watchdog.stepped(all.values[row * this.#metrics.length + time] ?? 0);
    const rows = this.#retraced ? this.#retraced.rows(all) : all;
    if (rows) this.#hooks.log.appendRows(this.#summary.id, rows);
    if (!rows || rows.count === 0) return;
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
    const clean = storedEvaluation(evaluation);
    this.#retraced?.evaluation(clean);
    this.#hooks.log.addEvaluation(id, clean);
    this.#save({ testError: clean.testError, evaluation: clean });
    this.#hooks.log.flush();
    this.#hooks.onEvaluation(id, clean);
    this.#hooks.onChange(this.#summary, false);
  }

  #ended({ outcome, reason, step, hyperparameters }: Message<"ended">): void {
    this.#summary = { ...this.#summary, hyperparameters: this.#hyperparameters((metric) => hyperparameters[metric]) };
    this.end(outcome, (outcome === "stopped" ? this.#stopReason : null) ?? reason, step);
  }

  /** Counts only once every step before it is in the store: it must never be ahead of the log. */
  #checkpoint(step: number): void {
    const { log, checkpoints } = this.#hooks;
    if (!checkpoints) return;
    const { id } = this.#summary;
    try {
      if (log.flush()) checkpoints.folder.accept(id, step);
      else checkpoints.folder.discard(id, step);
      this.#checkpointsFail = false;
    } catch (error) {
      this.#checkpointFailed({ step, message: messageOf(error) });
    }
  }

  #checkpointFailed({ step, message }: Pick<Message<"checkpointFailed">, "step" | "message">): void {
    if (this.#checkpointsFail) return;
    this.#checkpointsFail = true;
    this.#note("checkpoint", `could not be written, so an interruption would cost what was trained since the last one: ${message}`, step);
  }

  /** Weights that are kept have their evaluation in the store. */
  #weights(step: number): void {
    const { log, checkpoints, onKept } = this.#hooks;
    if (!checkpoints) return;
    const { id, experiment } = this.#summary;
    try {
      if (log.flush()) checkpoints.weights.accept({ id, experiment }, step);
      else checkpoints.weights.discard(id, step);
      this.#weightsFail = false;
      onKept?.(id);
    } catch (error) {
      this.#weightsFailed({ step, message: messageOf(error) });
    }
  }

  #weightsFailed({ step, message }: Pick<Message<"weightsFailed">, "step" | "message">): void {
    if (this.#weightsFail) return;
    this.#weightsFail = true;
    this.#note("weights", `could not be kept, so nothing can be predicted from this evaluation: ${message}`, step);
  }

  /** What has ended for good is not taken up again. */
  #cleanUp(): void {
    const { id, status } = this.#summary;
    try {
      this.#hooks.checkpoints?.folder.clean(id, !isResumable(status));
      this.#hooks.checkpoints?.weights.clean(id, false);
    } catch (error) {
      this.#note("checkpoint", `could not be removed: ${messageOf(error)}`);
    }
  }

  #checkpointOrder(): { checkpoints?: CheckpointOrder } {
    const { checkpoints } = this.#hooks;
    if (!checkpoints) return {};
    const { folder, weights, storeFolder, every } = checkpoints;
    const { id: run, study } = this.#summary;
    const resume = this.#beginning === "checkpoint";
    folder.clean(run, false);
    folder.prepare();
    weights.clean(run, !resume);
    // Those of a study's runs would take more room than all that they log.
    const keepWeights = study === null;
    if (keepWeights) weights.prepare();
    return { checkpoints: { run, storeFolder, every, resume, keepWeights } };
  }

  #exited({ code, signal, stderr }: TrainerExit): void {
    if (this.#killed) this.end(this.#killed.status, this.#killed.reason);
    else {
      if (isActive(this.#summary.status) && isCrash({ code, signal })) this.#hooks.onEngineFailure?.(this.#summary, crashInWords({ code, signal, stderr }), "crash");
      const how = signal !== null ? `was ended by ${signal}${signal === "SIGKILL" ? " (as systems do when memory runs out)" : ""}` : code !== null ? `exited with code ${code}` : "could not be started";
      this.end("failed", `The trainer process ${how}${stderr === "" ? "." : `; its last output:\n${stderr}`}`);
    }
    this.#leave();
  }

  #leave(): void {
    clearTimeout(this.#killTimer);
    this.#watchdog.end();
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
    const event = { at: Date.now(), step, kind, message };
    this.#hooks.log.addEvent(this.#summary.id, event);
    this.#hooks.onEvent?.(this.#summary.id, event);
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
