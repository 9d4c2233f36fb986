/** What a run is asked from outside: to pause, to go on, to stop. May be asked before the run has begun. */
export class RunControl {
  #paused = false;
  #stopped = false;
  /** When an evaluation is given up (performance.now()). */
  #evaluateUntil = Infinity;
  #wake: (() => void) | null = null;

  get pauseRequested(): boolean {
    return this.#paused && !this.#stopped;
  }

  get stopRequested(): boolean {
    return this.#stopped;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  /** @param evaluateWithin milliseconds that an evaluation, or the last one, may take from now on */
  stop(evaluateWithin = Infinity): void {
    this.#stopped = true;
    this.#evaluateUntil = Math.min(this.#evaluateUntil, performance.now() + evaluateWithin);
    this.#wake?.();
  }

  /** A stop without a last evaluation. */
  leave(): void {
    this.stop(0);
  }

  /** Whether a stop leaves no time to evaluate any more. */
  get evaluationGivenUp(): boolean {
    return performance.now() >= this.#evaluateUntil;
  }

  /** Resolves when the pause is over or a stop is asked. */
  async whilePaused(): Promise<void> {
    while (this.pauseRequested) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = null;
  }
}
