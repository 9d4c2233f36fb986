/** The trainer process of a run from its launch to its exit: it is watched for silence, and killed when it does not go by itself. */
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";
import type { LaunchTrainer, TrainerExit, TrainerProcess } from "./process.ts";
import { Watchdog, type WatchdogOptions } from "./watchdog.ts";

export interface TrainerListeners {
  readonly onMessage: (message: FromTrainer) => void;
  /** Whether silence is as it should be at present. */
  readonly excused: () => boolean;
  /** It hangs: called once, with the milliseconds of silence and of the slowest step so far, null before the first. */
  readonly onSilence: (silent: number, slowestStep: number | null) => void;
  /** Called once. `overdue`: it was killed, for it did not go in time. */
  readonly onExit: (exit: TrainerExit, overdue: boolean) => void;
}

export class WatchedTrainer {
  readonly #process: TrainerProcess;
  readonly #watchdog: Watchdog;
  #killTimer: NodeJS.Timeout | undefined;
  #overdue = false;
  #exited = false;

  /** @throws when the process cannot be launched */
  constructor(launch: LaunchTrainer, { onMessage, excused, onSilence, onExit }: TrainerListeners, watch?: WatchdogOptions) {
    this.#process = launch();
    this.#watchdog = new Watchdog(watch);
    this.#process.onMessage((message) => {
      this.#watchdog.heard();
      onMessage(message);
    });
    this.#process.onExit((exit) => {
      if (this.#exited) return;
      this.#exited = true;
      clearTimeout(this.#killTimer);
      this.#watchdog.end();
      onExit(exit, this.#overdue);
    });
    this.#watchdog.watch(excused, onSilence);
  }

  send(message: ToTrainer): void {
    this.#process.send(message);
  }

  /** How long it may be silent follows from its steps. @param time of one, in milliseconds */
  stepped(time: number): void {
    this.#watchdog.stepped(time);
  }

  kill(): void {
    this.#process.kill();
  }

  /** Kills it unless it has exited by then, or another time is given before. @param within milliseconds */
  killAfter(within: number): void {
    if (this.#exited) return;
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => {
      this.#overdue = true;
      this.#process.kill();
    }, within);
  }
}
