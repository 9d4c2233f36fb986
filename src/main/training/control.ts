/** What a run is asked from outside: to pause, to go on, to stop. May be asked before the run has begun. */
export class RunControl {
  #paused = false;
  #stopped = false;
  #left = false;
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

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /** A stop without a last evaluation. */
  leave(): void {
    this.#left = true;
    this.stop();
  }

  get leaveRequested(): boolean {
    return this.#left;
  }

  /** Resolves when the pause is over or a stop is asked. */
  async whilePaused(): Promise<void> {
    while (this.pauseRequested) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = null;
  }
}
