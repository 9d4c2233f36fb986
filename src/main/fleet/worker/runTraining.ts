/** One run of a unit in training: answers its trainer as a host does, and passes on what belongs in the run's log. */
import { open, rm, writeFile } from "node:fs/promises";
import type { UnitRun } from "../../../shared/fleet/unit.ts";
import { messageOf } from "../../../shared/errors.ts";
import { exitInWords, isUnlaunched } from "../../hosting/crash.ts";
import { FileSender } from "../../hosting/fileSender.ts";
import type { StartTrainer, TrainerExit } from "../../hosting/process.ts";
import { WatchedTrainer } from "../../hosting/watchedTrainer.ts";
import type { WatchdogOptions } from "../../hosting/watchdog.ts";
import { requirePiece } from "../../trainer/files.ts";
import type { FromTrainer } from "../../trainer/messages.ts";
import type { LoggedMessage } from "../segment.ts";
import type { KeptCheckpoint } from "./source.ts";

export interface RunTrainingOptions {
  readonly run: UnitRun;
  /** Milliseconds between checkpoints. */
  readonly checkpointEvery: number;
  /** Checkpoint from which it goes on; null to train from the first step. */
  readonly checkpoint: KeptCheckpoint | null;
  /** Path of a file on the own disk that may be written. */
  readonly scratch: string;
  readonly startPaused: boolean;
  readonly onLogged: (message: LoggedMessage) => void;
  /** Resolves when the checkpoint is kept. */
  readonly onCheckpoint: (step: number, bytes: Uint8Array) => Promise<void>;
  /** Whether reports are accepted at present; the trainer waits after a few otherwise. */
  readonly hasRoom: () => boolean;
  readonly watch?: WatchdogOptions | undefined;
}

/** `ended`: its end is in the log. `left`: it goes on later. `unusable`: its checkpoint cannot be used, and nothing was trained. `unlaunched`: with the reason. */
export type RunTrained = { readonly type: "ended" | "left" | "unusable" } | { readonly type: "unlaunched"; readonly reason: string };

type File = Extract<FromTrainer, { type: "file" }>;

export class RunTraining {
  readonly done: Promise<RunTrained>;
  readonly run: string;
  readonly #options: RunTrainingOptions;
  readonly #resolve: (trained: RunTrained) => void;
  readonly #checkpoint: FileSender;
  readonly #pieces: Uint8Array[] = [];
  #received = 0;
  #trainer: WatchedTrainer | undefined;
  /** Reports that the trainer was not told are stored. */
  #reports = 0;
  #stepTime = 1;
  #columns = 1;
  #paused: boolean;
  #leaving = false;
  #over = false;
  /** Its trainer has said how the run ended. */
  #said = false;

  constructor(options: RunTrainingOptions) {
    this.#options = options;
    this.run = options.run.run;
    this.#paused = options.startPaused;
    ({ promise: this.done, resolve: this.#resolve } = Promise.withResolvers<RunTrained>());
    this.#checkpoint = new FileSender((piece) => this.#trainer?.send({ type: "resumeFrom", piece }));
  }

  launch(start: StartTrainer): void {
    const { run, checkpointEvery, checkpoint, startPaused, watch } = this.#options;
    const trainer = (this.#trainer = new WatchedTrainer(
      start,
      {
        onMessage: (message) => this.#receive(message),
        excused: () => this.#paused,
        onSilence: (silent) => {
          this.#log({ type: "failed", message: `The trainer was ended because it did not answer for ${Math.round(silent / 1000)} s: its engine, or the driver of its device, hangs.` });
          trainer.kill();
        },
        onExit: (exit) => this.#exited(exit),
      },
      watch,
    ));
    trainer.send({
      type: "start",
      experiment: run.experiment,
      ...(run.why !== undefined && { why: run.why }),
      ...(startPaused && { startPaused }),
      // Weights of evaluations stay where they are trained, as in every study.
      checkpoints: { run: run.run, every: checkpointEvery, resume: checkpoint !== null, keepWeights: false },
    });
    if (checkpoint) void trainer.launched.then((launched) => (launched ? this.#resume(checkpoint) : undefined));
  }

  pause(): void {
    this.#trainer?.send({ type: "pause" });
  }

  resume(): void {
    this.#trainer?.send({ type: "resume" });
  }

  /** Ends the run here for good, after an evaluation. */
  stop(): void {
    this.#trainer?.send({ type: "stop" });
  }

  /** Ends its training here with a checkpoint. @param within milliseconds after which the trainer is killed */
  leave(within: number): void {
    if (this.#leaving) return;
    this.#leaving = true;
    if (this.#trainer?.launching) this.#trainer.kill();
    else this.#trainer?.send({ type: "leave" });
    this.#trainer?.killAfter(within);
  }

  kill(): void {
    this.#leaving = true;
    this.#trainer?.kill();
  }

  /** Tells the trainer that what it reported is stored. */
  tellStored(): void {
    if (this.#reports === 0 || !this.#options.hasRoom()) return;
    this.#trainer?.send({ type: "stored", reports: this.#reports });
    this.#reports = 0;
  }

  #log(message: LoggedMessage): void {
    if (this.#said) return;
    if (message.type === "ended" || message.type === "failed") this.#said = true;
    this.#options.onLogged(message);
  }

  #receive(message: FromTrainer): void {
    switch (message.type) {
      case "started":
        this.#stepTime = message.metrics.indexOf("stepTime");
        this.#columns = message.metrics.length;
        return this.#log(message);
      case "rows":
        for (let row = 0; row < message.rows.count; row++) this.#trainer?.stepped(message.rows.values[row * this.#columns + this.#stepTime] ?? 0);
        return this.#report(message);
      case "evaluation":
        return this.#report(message);
      case "paused":
      case "resumed":
        this.#paused = message.type === "paused";
        return this.#log(message);
      case "rolledBack":
        return this.#log(message);
      case "file":
        return this.#file(message);
      case "pieceTaken":
        return this.#checkpoint.taken();
      case "ended":
        // A run that is left has not ended, unless its last step came before the request.
        if (!(this.#leaving && message.outcome === "stopped")) this.#log(message);
        this.#over = true;
        return this.#trainer?.killAfter(exitWithin);
      case "failed":
        if (message.checkpoint && this.#options.checkpoint && !this.#said) return this.#unusable();
        this.#log(message);
        this.#over = true;
        return this.#trainer?.killAfter(exitWithin);
      default:
        return;
    }
  }

  #report(message: Extract<LoggedMessage, { type: "rows" | "evaluation" }>): void {
    this.#log(message);
    this.#reports++;
    this.tellStored();
  }

  /** Collects a checkpoint. The last piece is acknowledged when it is kept. */
  #file({ kind, step, piece }: File): void {
    const answer = (problem?: string | null) => this.#trainer?.send({ type: "fileTaken", kind, step, ...(problem !== undefined && { end: { problem } }) });
    if (kind !== "checkpoint") return answer("weights are not kept here");
    try {
      if (piece.at === 0) this.#forgetPieces();
      requirePiece(piece, this.#received);
    } catch (error) {
      this.#forgetPieces();
      return answer(messageOf(error));
    }
    this.#pieces.push(piece.bytes);
    this.#received += piece.bytes.length;
    if (this.#received < piece.total) return answer();
    const bytes = Buffer.concat(this.#pieces);
    this.#forgetPieces();
    void this.#options.onCheckpoint(step, bytes).then(() => answer(null), (error: unknown) => answer(messageOf(error)));
  }

  #forgetPieces(): void {
    this.#pieces.length = 0;
    this.#received = 0;
  }

  /** Sends the trainer its checkpoint, from a file: few pieces of it are under way at a time. */
  async #resume({ bytes }: KeptCheckpoint): Promise<void> {
    const { scratch } = this.#options;
    try {
      await writeFile(scratch, bytes);
      const file = await open(scratch);
      try {
        await this.#checkpoint.send(file);
      } finally {
        await file.close();
      }
    } catch (error) {
      this.#log({ type: "failed", message: `The checkpoint could not be given to its trainer: ${messageOf(error)}` });
      this.#trainer?.kill();
    } finally {
      await rm(scratch, { force: true }).catch(() => undefined);
    }
  }

  /** The checkpoint is damaged, or another run's: the run is trained again from its first step. */
  #unusable(): void {
    this.#said = true;
    this.#over = true;
    this.#resolve({ type: "unusable" });
  }

  #exited(exit: TrainerExit): void {
    this.#checkpoint.end();
    if (!this.#over && !this.#leaving) {
      if (isUnlaunched(exit)) return this.#resolve({ type: "unlaunched", reason: exitInWords(exit) });
      this.#log({ type: "failed", message: exitInWords(exit) });
    }
    this.#resolve({ type: this.#said ? "ended" : "left" });
  }
}

/** A trainer that reported its end must exit within this time (milliseconds). */
const exitWithin = 5_000;
