/** Interface of a trainer process to its host, whichever launcher starts it: Node, Electron, or another machine. */
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";

export interface TrainerExit {
  /** Code and signal are both null when the process could not be launched; `stderr` says why. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines of the process's output. */
  readonly stderr: string;
}

export interface TrainerProcess {
  readonly pid: number | undefined;
  send(message: ToTrainer): void;
  /** Subscribes; returns the function that unsubscribes. */
  onMessage(listener: (message: FromTrainer) => void): () => void;
  onExit(listener: (exit: TrainerExit) => void): () => void;
  kill(): void;
}

/** Resolves when the process runs; rejects when it cannot be launched. */
export type LaunchTrainer = () => Promise<TrainerProcess>;

/**
 * A trainer from the request on. Messages wait until its process runs. A launch that fails or is
 * killed counts as an exit.
 */
export interface Trainer extends TrainerProcess {
  /** Resolves to true when the process runs, to false when it never will. */
  readonly launched: Promise<boolean>;
}

/** Requests a trainer; returns at once. */
export type StartTrainer = () => Trainer;
