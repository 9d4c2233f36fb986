/** Measures training time, without pauses and the time between stop and resume. */
import type { TrainedTime } from "../../shared/trainedTime.ts";

export class TrainedClock {
  readonly #from: TrainedTime["from"];
  /** Milliseconds up to the latest start. */
  #before: number;
  /** Latest start on the monotonic clock; undefined while not training. The time of day would jump when the machine sleeps. */
  #since: number | undefined;
  #started: boolean;

  /** @param before training time so far; null before the first start */
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

  /** Null before the first start. */
  read(): TrainedTime | null {
    return this.#started ? { milliseconds: Math.round(this.#milliseconds()), from: this.#from } : null;
  }

  #milliseconds(): number {
    return this.#before + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }
}
