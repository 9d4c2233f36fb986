/** How long a run has trained: without pauses, and without the time it lay stopped. */
import type { TrainedTime } from "../../shared/trainedTime.ts";

export class TrainedClock {
  readonly #from: TrainedTime["from"];
  /** Milliseconds up to the latest start. */
  #before: number;
  /** When it last began to train; undefined while it does not. Not the time of day, which jumps when a machine sleeps. */
  #since: number | undefined;
  #started: boolean;

  /** @param before what the run trained up to now; null for one that has not started */
  constructor(before: TrainedTime | null) {
    this.#before = before?.milliseconds ?? 0;
    this.#from = before?.from ?? "clock";
    this.#started = before !== null;
  }

  start(): void {
    this.#started = true;
    this.#since ??= performance.now();
  }

  stop(): void {
    this.#before = this.#milliseconds();
    this.#since = undefined;
  }

  /** Null for a run that has not started. */
  read(): TrainedTime | null {
    return this.#started ? { milliseconds: Math.round(this.#milliseconds()), from: this.#from } : null;
  }

  #milliseconds(): number {
    return this.#before + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }
}
