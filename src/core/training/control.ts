/** Pauses, resumes and stops a run. May be called before the run starts. */
export class RunControl {
  #paused = false;
  #stopped = false;
  /** Time (performance.now()) at which an evaluation is abandoned. */
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

  /** @param evaluateWithin milliseconds that the current or final evaluation may still take */
  stop(evaluateWithin = Infinity): void {
    this.#stopped = true;
    this.#evaluateUntil = Math.min(this.#evaluateUntil, performance.now() + evaluateWithin);
    this.#wake?.();
  }

  /** Stops without a final evaluation. */
  leave(): void {
    this.stop(0);
  }

  /** Whether a stop leaves no time to evaluate. */
  get evaluationGivenUp(): boolean {
    return performance.now() >= this.#evaluateUntil;
  }

  /** Resolves when the pause ends or a stop is requested. */
  async whilePaused(): Promise<void> {
    while (this.pauseRequested) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = null;
  }
}
