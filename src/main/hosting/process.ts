/** A trainer process as its host sees it, whatever starts it: Node, Electron, or another machine. */
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";

export interface TrainerExit {
  /** Null, as the signal, when the process could not be launched; `stderr` says why. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines the process wrote to standard error. */
  readonly stderr: string;
}

export interface TrainerProcess {
  readonly pid: number | undefined;
  send(message: ToTrainer): void;
  /** Subscribes; returns its unsubscribe. */
  onMessage(listener: (message: FromTrainer) => void): () => void;
  onExit(listener: (exit: TrainerExit) => void): () => void;
  kill(): void;
}

/** Resolves when the process runs. Rejects with the reason when it cannot be launched. */
export type LaunchTrainer = () => Promise<TrainerProcess>;

/**
 * A trainer from the moment it is asked for. What it is sent waits until its process runs; a launch that
 * fails, or is killed before it is done, is an exit.
 */
export interface Trainer extends TrainerProcess {
  /** Resolves with true when the process runs, with false when it never will. */
  readonly launched: Promise<boolean>;
}

/** Asks for a trainer. */
export type StartTrainer = () => Trainer;
