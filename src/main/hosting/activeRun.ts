/** One run and its trainer process. Turns the trainer's messages into the run's state and log. */
import { messageOf } from "../../shared/errors.ts";
import { isActive, type Evaluation, type RunEvent, type RunStatus, type RunSummary } from "../../shared/run.ts";
import { isOutage, LeaseLostError } from "../store/errors.ts";
import { finite } from "../store/finite.ts";
import { storedEvaluation } from "../store/runRows.ts";
import { crashInWords, exitInWords, isCrash, isRequestToEnd } from "./crash.ts";
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import { PendingFiles, type RunFolders } from "./pendingFiles.ts";
import type { StartTrainer, TrainerExit } from "./process.ts";
import type { RunLog } from "./runLog.ts";
import { TrainedClock } from "./trainedClock.ts";
import { resumeLog, type ResumedLog } from "./resumedLog.ts";
import { WaitingWork } from "./waitingWork.ts";
import { WatchedTrainer } from "./watchedTrainer.ts";
import type { WatchdogOptions } from "./watchdog.ts";

/** How a run begins: for the first time, from its checkpoint, again from its first step, or going on where it trains on another machine. */
export type Beginning = "new" | "checkpoint" | "firstStep" | "attach";

/** The engine crashed the trainer, lost its device, ran out of memory, or stopped answering. */
export type EngineTrouble = "crash" | "device" | "memory" | "silence";

export interface ActiveRunHooks {
  readonly log: RunLog;
  /** Folders for checkpoints and weights; undefined: neither is saved. */
  readonly checkpoints: RunFolders | undefined;
  /** `atOnce`: the status changed, so listeners must not throttle. */
  readonly onChange: (run: RunSummary, atOnce: boolean) => void;
  readonly onEvaluation: (run: string, evaluation: Evaluation) => void;
  /** The weights of another evaluation were saved. */
  readonly onKept?: ((run: string) => void) | undefined;
  /** An event was added to the run's log. */
  readonly onEvent?: ((run: string, event: RunEvent) => void) | undefined;
  /** The run's engine failed. */
  readonly onEngineFailure?: ((run: RunSummary, reason: string, kind: EngineTrouble) => void) | undefined;
  /** How long the trainer may be silent. */
  readonly watch?: WatchdogOptions | undefined;
  /** Another process has taken the run. */
  readonly onLeaseLost: (run: string) => void;
  /** The trainer has exited, or never started. */
  readonly onGone: () => void;
}

/** A trainer that reported its end must exit within this time (milliseconds). */
const exitWithin = 5_000;

type Message<T extends FromTrainer["type"]> = Extract<FromTrainer, { type: T }>;

export class ActiveRun {
  readonly #hooks: ActiveRunHooks;
  readonly #beginning: Beginning;
  readonly #waiters = new Set<() => void>();
  readonly #why: string | undefined;
  readonly #files: PendingFiles | undefined;
  readonly #clock: TrainedClock;
  #summary: RunSummary;
  #trainer: WatchedTrainer | undefined;
  /** Evaluations that are not reported yet; they are reported after their commit. */
  readonly #evaluations: Evaluation[] = [];
  #soon: NodeJS.Immediate | undefined;
  /** Reports of the trainer that it has not been told are stored. */
  #reports = 0;
  #gone = false;
  #abandoned = false;
  #metrics: readonly string[] = [];
  #resumed: ResumedLog | undefined;
  /** Messages and the exit of the trainer. */
  readonly #work = new WaitingWork((error) => this.#triesAgain(error));
  /** Whether the run is paused or pausing only because the store cannot be used. */
  #held = false;
  /** Whether the user asked for the pause. */
  #pauseAsked = false;
  /** Why a held run resumes, until its trainer has. */
  #releasedBecause: string | null = null;
  /** Why Hypertower, not the user, requested the stop. */
  #stopReason: string | null = null;
  /** How the run ends if its trainer does not stop in time. */
  #otherwise: { status: RunStatus; reason: string } | undefined;

  /** @param why reason for the choice of its engine */
  constructor(run: RunSummary, beginning: Beginning, hooks: ActiveRunHooks, why?: string) {
    this.#why = why;
    this.#summary = run;
    this.#clock = new TrainedClock(run.trained);
    this.#beginning = beginning;
    this.#hooks = hooks;
    this.#files =
      hooks.checkpoints &&
      new PendingFiles(hooks.checkpoints, {
        flush: () => hooks.log.flush(),
        whileHeld: (id, work) => hooks.log.whileHeld(id, work),
        note: (kind, message, step) => this.#note(kind, message, step),
        onKept: () => hooks.onKept?.(run.id),
        send: (message) => this.send(message),
        onUnreadable: (reason) => this.fail(reason),
      });
  }

  get summary(): RunSummary {
    return this.#summary;
  }

  /** Whether a trainer runs or is being launched. */
  get hasTrainer(): boolean {
    return this.#trainer !== undefined;
  }

  /** Whether its trainer trains, will when it is launched, or is resuming after a hold. */
  get trains(): boolean {
    return this.hasTrainer && (this.#summary.status !== "paused" || this.#releasedBecause !== null);
  }

  /** Whether the trainer has exited for good. */
  get gone(): boolean {
    return this.#gone;
  }

  launch(start: StartTrainer): void {
    try {
      const checkpoints = this.#files?.order(this.#summary, this.#beginning === "checkpoint");
      const isCurrent = () => this.#trainer === trainer;
      const hooks = {
        onMessage: (message: FromTrainer) => this.#work.add(() => this.#receive(message)),
        excused: () => this.#summary.status === "paused",
        onSilence: (silent: number, slowestStep: number | null) => this.#silent(silent, slowestStep),
        onExit: (exit: TrainerExit, overdue: boolean) => isCurrent() && this.#work.add(() => this.#exited(exit, overdue)),
      };
      const trainer = (this.#trainer = new WatchedTrainer(start, hooks, this.#hooks.watch));
      trainer.send({ type: "start", experiment: this.#summary.experiment, ...(this.#why !== undefined && { why: this.#why }), ...(checkpoints && { checkpoints }) });
      void trainer.launched.then((launched) => {
        if (launched && checkpoints?.resume && isCurrent() && !trainer.isRemote) void this.#files?.sendCheckpoint(this.#summary.id);
      });
    } catch (error) {
      this.fail(`The trainer process could not be started: ${messageOf(error)}`);
    }
  }

  rename(name: string): void {
    this.#summary = { ...this.#summary, name };
  }

  tag(tags: RunSummary["tags"]): void {
    this.#summary = { ...this.#summary, tags };
  }

  send(message: ToTrainer): void {
    this.#trainer?.send(message);
  }

  /** Asks the trainer to pause. A run whose trainer is still being launched drops it and is paused at once. */
  pause(): void {
    const trainer = this.#trainer;
    this.#pauseAsked = true;
    if (this.#held) {
      this.#held = false;
      // It is paused already, or will be.
      return this.#commit({ reason: null });
    }
    if (trainer && !trainer.launching) return trainer.send({ type: "pause" });
    if (this.#summary.status !== "queued") return;
    this.#trainer = undefined;
    trainer?.kill();
    this.setWaiting("paused");
  }

  /** Pauses or requeues a run that has no trainer yet. */
  setWaiting(status: "queued" | "paused"): void {
    this.#pauseAsked = status === "paused";
    this.#note(status === "paused" ? "paused" : "resumed", "while waiting for its turn");
    this.#commit({ status });
  }

  /** Asks the trainer to resume. */
  resume(): void {
    this.#held = false;
    this.#pauseAsked = false;
    this.send({ type: "resume" });
  }

  /** Asks the trainer to pause until release(); the run shows the reason. Does nothing to a run that the user has paused. */
  hold(reason: string): void {
    // One on another machine goes on; what it hands in waits there.
    if (this.#trainer?.isRemote) return;
    if (this.#held || this.#pauseAsked || !this.#trainer || !isActive(this.#summary.status)) return;
    this.#held = true;
    this.#releasedBecause = null;
    this.#summary = { ...this.#summary, reason };
    this.send({ type: "pause" });
    this.#hooks.onChange(this.#summary, true);
  }

  /** Resumes a held run. @param because for the run's log */
  release(because: string): void {
    if (!this.#held) return;
    if (this.#summary.status === "paused") this.#releasedBecause = because;
    this.#summary = { ...this.#summary, reason: null };
    this.resume();
    this.#hooks.onChange(this.#summary, true);
  }

  /**
   * Asks the trainer to stop, or to leave without finishing its step.
   * @param within milliseconds after which the trainer is killed and the run ends as `otherwise`
   */
  stop(how: "stop" | "leave", within: number, reason: string | null, otherwise: { status: RunStatus; reason: string }): void {
    this.#stopReason ??= reason;
    if (!this.#trainer || this.#trainer.launching) {
      this.end("stopped", reason ?? "Stopped before it started.");
      this.#trainer?.kill();
      return;
    }
    this.send({ type: how });
    this.#otherwise = otherwise;
    this.#trainer.killAfter(within);
  }

  /** Resolves when `done` holds, the trainer has exited, or `within` milliseconds have passed. */
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

  /** Ends the run in `status`; later messages of its trainer are ignored. */
  end(status: RunStatus, reason: string | null, step = this.#summary.steps): void {
    if (this.#abandoned || !isActive(this.#summary.status)) return;
    this.#clock.stop();
    this.#note(status, reason ?? "", step);
    this.#commit({ status, reason, finishedAt: Date.now(), samplesPerSecond: null, secondsLeft: null });
    this.#files?.clean(this.#summary);
    if (this.#trainer) this.#trainer.killAfter(exitWithin);
    else this.#leave();
  }

  /** Ends the run as failed and kills its trainer. */
  fail(reason: string): void {
    this.end("failed", reason);
    this.#trainer?.kill();
  }

  /** Lets go of a run that trains on another machine, when the host closes: the next host goes on with it. */
  leaveThere(reason: string): void {
    this.end("interrupted", reason);
    this.#trainer?.leave();
  }

  /** Kills the trainer and writes nothing more: another process has taken the run. */
  abandon(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    clearImmediate(this.#soon);
    this.#files?.abandon();
    if (this.#trainer?.isRemote) this.#trainer.leave();
    else if (this.#trainer) this.#trainer.kill();
    else this.#leave();
    this.#work.hurry();
  }

  /** The trainer was silent for too long: its engine hangs. */
  #silent(silent: number, slowestStep: number | null): void {
    if (this.#abandoned || !isActive(this.#summary.status)) return;
    if (this.#trainer?.launching) return this.fail(`The trainer process was not there after ${Math.round(silent / 1000)} s.`);
    const than = slowestStep === null ? "before its first step" : `after steps of ${Number((slowestStep / 1000).toPrecision(2))} s at most`;
    const reason = `it did not answer for ${Math.round(silent / 1000)} s, ${than}`;
    this.#hooks.onEngineFailure?.(this.#summary, reason, "silence");
    this.fail(`The trainer was ended because ${reason}: its engine, or the driver of its device, hangs.`);
  }

  #receive(message: FromTrainer): void {
    if (message.type === "mark" && !this.#abandoned) return this.#reported();
    if (this.#abandoned || !isActive(this.#summary.status)) {
      // The trainer waits for an answer.
      if (message.type === "file") this.send({ type: "fileTaken", kind: message.kind, step: message.step, end: { problem: "the run has ended" } });
      return;
    }
    this.#handle(message);
  }

  /** Handles an error of what a message caused. @returns whether it is tried again, since the store cannot be written at present */
  #triesAgain(error: unknown): boolean {
    if (error instanceof LeaseLostError) this.#hooks.onLeaseLost(this.#summary.id);
    else if (isOutage(error) && !this.#abandoned && isActive(this.#summary.status)) return true;
    else this.fail(messageOf(error));
    return false;
  }

  #handle(message: FromTrainer): void {
    switch (message.type) {
      case "started":
        return this.#started(message);
      case "rows":
        this.#rows(message);
        return this.#reported();
      case "evaluation":
        this.#evaluated(message.evaluation);
        return this.#reported();
      case "file":
        return this.#files?.receive(message, this.#summary);
      case "pieceTaken":
        return this.#files?.taken();
      case "rolledBack":
        // A resumed run repeats steps whose rollbacks are in the log already.
        if (!this.#resumed?.guarded.has(message.step)) this.#note("guard", message.message, message.step);
        return;
      case "paused":
        this.#clock.stop();
        this.#releasedBecause = null;
        this.#note("paused", this.#summary.reason ?? "");
        return this.#commit({ status: "paused", samplesPerSecond: null, secondsLeft: null });
      case "resumed":
        this.#clock.start();
        this.#note("resumed", this.#releasedBecause ?? "");
        this.#releasedBecause = null;
        return this.#commit({ status: "running", reason: null });
      case "ended":
        return this.#ended(message);
      case "failed":
        if (message.engine) this.#hooks.onEngineFailure?.(this.#summary, message.message, message.engine);
        if (message.checkpoint) this.#files?.setAside(this.#summary.id);
        return this.end("failed", message.message);
      case "mark":
      case "measured":
      case "probed":
      case "predicted":
      case "idle":
      case "member":
        return;
      case "alive":
        // Saves the training time during a long evaluation.
        this.#save({});
        return this.#hooks.onChange(this.#summary, false);
      default:
        throw new Error(`The trainer sent a message of an unknown type: ${JSON.stringify(message)}`);
    }
  }

  #started(started: Message<"started">): void {
    const { device, environment, metrics, totalSteps } = started;
    // A run on another machine begins again where that machine was lost.
    const isFirst = this.#metrics.length === 0;
    this.#metrics = metrics;
    if (this.#beginning === "new" && isFirst) {
      this.#hooks.log.beginSeries(this.#summary.id, metrics, environment);
      this.#note("started", `on ${device}`);
    } else {
      const elsewhere = this.#trainer?.isRemote ? { onCutBack: (step: number) => this.#save({ steps: step }) } : undefined;
      this.#resumed = resumeLog({ log: this.#hooks.log, run: this.#summary.id, note: (...noted) => this.#note(...noted), elsewhere }, started);
    }
    this.#clock.start();
    this.#commit({ status: "running", device, totalSteps, startedAt: this.#summary.startedAt ?? Date.now() });
  }

  #rows({ rows: all, progress }: Message<"rows">): void {
    const time = this.#metrics.indexOf("stepTime");
    for (let row = 0; row < all.count; row++) this.#trainer?.stepped(all.values[row * this.#metrics.length + time] ?? 0);
    const rows = this.#resumed ? this.#resumed.verifier.rows(all) : all;
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

  /** Tells the trainer when its reports are stored. */
  #reported(): void {
    if (++this.#reports > 1) return;
    this.#hooks.log.afterCommit(this.#summary.id, () => {
      this.send({ type: "stored", reports: this.#reports });
      this.#reports = 0;
    });
  }

  #evaluated(evaluation: Evaluation): void {
    const { id } = this.#summary;
    const clean = storedEvaluation(evaluation);
    const isLogged = this.#resumed?.verifier.evaluation(clean) ?? false;
    if (!isLogged) this.#hooks.log.addEvaluation(id, clean);
    this.#save({ testError: clean.testError, evaluation: clean });
    this.#evaluations.push(clean);
    // A host that slept receives many at once: commit them together.
    this.#soon ??= setImmediate(() => {
      this.#hooks.log.flush();
      // The commit may have found the lease lost.
      if (this.#abandoned) return;
      this.#tellCommitted();
      this.#hooks.onChange(this.#summary, false);
    });
  }

  /** Reports evaluations once they are committed: at once, unless the store cannot be written at present. */
  #tellCommitted(): void {
    clearImmediate(this.#soon);
    this.#soon = undefined;
    const evaluations = this.#evaluations.splice(0);
    if (evaluations.length === 0) return;
    this.#hooks.log.afterCommit(this.#summary.id, () => {
      for (const evaluation of evaluations) this.#hooks.onEvaluation(this.#summary.id, evaluation);
    });
  }

  #ended({ outcome, reason, step, hyperparameters }: Message<"ended">): void {
    this.#summary = { ...this.#summary, hyperparameters: this.#hyperparameters((metric) => hyperparameters[metric]) };
    this.end(outcome, (outcome === "stopped" ? this.#stopReason : null) ?? reason, step);
  }

  #exited(exit: TrainerExit, overdue: boolean): void {
    if (overdue && this.#otherwise) this.end(this.#otherwise.status, this.#otherwise.reason);
    // A signal to the whole process group also ends a trainer that was just launched and does not ignore it yet.
    else if (this.#otherwise && isRequestToEnd(exit)) this.end("stopped", this.#stopReason);
    else {
      if (isActive(this.#summary.status) && isCrash(exit)) this.#hooks.onEngineFailure?.(this.#summary, crashInWords(exit), "crash");
      this.end("failed", exitInWords(exit));
    }
    this.#leave();
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    for (const wake of this.#waiters) wake();
    this.#hooks.onGone();
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
    this.#summary = { ...this.#summary, ...changes, trained: this.#clock.read() };
    this.#hooks.log.saveRun(this.#summary);
  }

  /** Saves, commits and reports a change of status. */
  #commit(changes: Partial<RunSummary>): void {
    this.#save(changes);
    this.#hooks.log.flush();
    this.#tellCommitted();
    this.#hooks.onChange(this.#summary, true);
    for (const wake of this.#waiters) wake();
  }
}
