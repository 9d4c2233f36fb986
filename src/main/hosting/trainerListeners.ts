/** Listeners to a trainer's messages and exit. */
import type { FromTrainer } from "../trainer/messages.ts";
import type { TrainerExit } from "./process.ts";

export abstract class TrainerListeners {
  readonly #messages = new Set<(message: FromTrainer) => void>();
  readonly #exits = new Set<(exit: TrainerExit) => void>();
  #exit: TrainerExit | undefined;

  get gone(): boolean {
    return this.#exit !== undefined;
  }

  onMessage(listener: (message: FromTrainer) => void): () => void {
    this.#messages.add(listener);
    return () => this.#messages.delete(listener);
  }

  /** A listener added after the exit is called too. */
  onExit(listener: (exit: TrainerExit) => void): () => void {
    if (this.#exit) queueMicrotask(() => this.#exit && listener(this.#exit));
    else this.#exits.add(listener);
    return () => this.#exits.delete(listener);
  }

  receive(message: FromTrainer): void {
    if (this.#exit) return;
    for (const listener of this.#messages) listener(message);
  }

  /** Only the first exit counts. */
  exited(exit: TrainerExit): void {
    if (this.#exit) return;
    this.#exit = exit;
    for (const listener of this.#exits) listener(exit);
  }
}
