/** Deletes and thins metrics in small transactions with pauses between them: others wait only briefly. The next host continues what one leaves undone. */
import { setTimeout as pause } from "node:timers/promises";

export class Parts {
  readonly #next: () => number | undefined;
  readonly #part: (metric: number) => void;
  #working: Promise<boolean> | undefined;
  #closed = false;

  /**
   * @param next a metric for which something is left to do
   * @param part does some of it, in one transaction
   */
  constructor(next: () => number | undefined, part: (metric: number) => void) {
    this.#next = next;
    this.#part = part;
  }

  /** Resolves when nothing is left, to whether there was anything. */
  rest(): Promise<boolean> {
    return (this.#working ??= this.#rest().finally(() => {
      this.#working = undefined;
    }));
  }

  /** Stops after the current part. */
  close(): void {
    this.#closed = true;
  }

  async #rest(): Promise<boolean> {
    let worked = false;
    while (!this.#closed) {
      const metric = this.#next();
      if (metric === undefined) break;
      worked = true;
      this.#part(metric);
      await pause(5);
    }
    return worked;
  }
}
