/** A trainer process as the supervisor sees it, whatever starts it (Node or Electron). */
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";

export interface TrainerExit {
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

export type LaunchTrainer = () => TrainerProcess;
