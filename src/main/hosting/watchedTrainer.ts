/** A run's trainer with a watchdog for silence and a timer that kills it if it does not exit by itself. */
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { StartTrainer, Trainer, TrainerExit } from "./process.ts";
import { Watchdog, type WatchdogOptions } from "./watchdog.ts";

export interface WatchedTrainerHooks {
  readonly onMessage: (message: FromTrainer) => void;
  /** Whether silence is expected at present. */
  readonly excused: () => boolean;
  /** The trainer hangs. Called once, with the milliseconds of silence and of the slowest step so far (null before the first). */
  readonly onSilence: (silent: number, slowestStep: number | null) => void;
  /** Called once. `overdue`: it was killed because it did not exit in time. */
  readonly onExit: (exit: TrainerExit, overdue: boolean) => void;
}

export class WatchedTrainer {
  readonly launched: Promise<boolean>;
  readonly #trainer: Trainer;
  readonly #watchdog: Watchdog;
  #killTimer: NodeJS.Timeout | undefined;
  #launching = true;
  #overdue = false;
  #exited = false;

  constructor(start: StartTrainer, { onMessage, excused, onSilence, onExit }: WatchedTrainerHooks, watch?: WatchdogOptions) {
    this.#trainer = start();
    this.#watchdog = new Watchdog(watch);
    this.#trainer.onMessage((message) => {
      this.#watchdog.heard();
      onMessage(message);
    });
    this.#trainer.onExit((exit) => {
      if (this.#exited) return;
      this.#exited = true;
      clearTimeout(this.#killTimer);
      this.#watchdog.end();
      onExit(exit, this.#overdue);
    });
    this.launched = this.#trainer.launched.then((launched) => {
      this.#launching = false;
      this.#watchdog.heard();
      return launched;
    });
    // Its worker watches it; silence here only means that nothing was handed in yet.
    if (!this.#trainer.remote) this.#watchdog.watch(excused, onSilence);
  }

  /** Whether it trains on another machine. */
  get isRemote(): boolean {
    return this.#trainer.remote !== undefined;
  }

  /** Lets go of a run that trains on another machine. */
  leave(): void {
    this.#trainer.remote?.leave();
  }

  /** Whether its process is still launching. */
  get launching(): boolean {
    return this.#launching;
  }

  send(message: ToTrainer): void {
    this.#trainer.send(message);
  }

  /** Reports a step to the watchdog. @param time milliseconds */
  stepped(time: number): void {
    this.#watchdog.stepped(time);
  }

  kill(): void {
    this.#trainer.kill();
  }

  /** Kills it after `within` milliseconds unless it has exited; a later call replaces the timer. One on another machine takes its time. */
  killAfter(within: number): void {
    if (this.#exited || this.isRemote) return;
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => {
      this.#overdue = true;
      this.#trainer.kill();
    }, within);
  }
}
