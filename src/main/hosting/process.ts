/** Interface of a helper process (a trainer, an importer) to its host, whichever launcher starts it: Node, Electron, or another machine. */
import type { FromTrainer, ToTrainer } from "../trainer/messages.ts";

export interface HelperExit {
  /** Code and signal are both null when the process could not be launched; `stderr` says why. */
  readonly code: number | null;
  readonly signal: string | null;
  /** The last lines of the process's output. */
  readonly stderr: string;
}

export interface HelperProcess<To, From> {
  readonly pid: number | undefined;
  send(message: To): void;
  /** Subscribes; returns the function that unsubscribes. */
  onMessage(listener: (message: From) => void): () => void;
  onExit(listener: (exit: HelperExit) => void): () => void;
  kill(): void;
}

/** Resolves when the process runs; rejects when it cannot be launched. */
export type LaunchHelper<To, From> = () => Promise<HelperProcess<To, From>>;

export interface HelperOptions {
  readonly args?: readonly string[];
  /** Options of Node. */
  readonly execArgv?: readonly string[];
}

export type TrainerExit = HelperExit;
export interface TrainerProcess extends HelperProcess<ToTrainer, FromTrainer> {}

export type LaunchTrainer = LaunchHelper<ToTrainer, FromTrainer>;

/**
 * A trainer from the request on. Messages wait until its process runs. A launch that fails or is
 * killed counts as an exit.
 */
export interface Trainer extends TrainerProcess {
  /** Resolves to true when the process runs, to false when it never will. */
  readonly launched: Promise<boolean>;
  /** Only of a trainer on another machine, which outlasts this process. */
  readonly remote?: RemoteTraining;
}

export interface RemoteTraining {
  /** Lets go of the run: its training goes on, and is taken in later. */
  leave(): void;
}

/** A program that trains on another machine. Request a trainer for each of its runs, then call go(). */
export interface RemoteProgram {
  at(seat: number): StartTrainer;
  go(): void;
}

/** Where runs train that do not train on this machine. */
export interface RemotePlace {
  /** For people: the name of a fleet. */
  readonly name: string;
  program(size: number): RemoteProgram;
}

/** Requests a trainer; returns at once. */
export type StartTrainer = () => Trainer;
