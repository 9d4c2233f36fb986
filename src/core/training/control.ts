/** Reports that a run may be ahead of what its host has stored. Rows of a tenth of a second are one. */
const maxReports = 64;

/** Pauses, resumes and stops a run, and holds it back while its host stores what it reported. May be called before the run starts. */
export class RunControl {
  #paused = false;
  #stopped = false;
  /** Time (performance.now()) at which an evaluation is abandoned. */
  #evaluateUntil = Infinity;
  /** Reports that are not stored yet. */
  #reports = 0;
  #wake: (() => void) | null = null;

  get pauseRequested(): boolean {
    return this.#paused && !this.#stopped;
  }

  get stopRequested(): boolean {
    return this.#stopped;
  }

  /** Whether so many reports wait for the host that more would only pile up. */
  get ahead(): boolean {
    return this.#reports >= maxReports && !this.#paused && !this.#stopped;
  }

  /** Something was reported that the host will store. */
  reported(): void {
    this.#reports++;
  }

  /** The host has stored reports. */
  stored(reports: number): void {
    this.#reports = Math.max(0, this.#reports - reports);
    this.#wake?.();
  }

  pause(): void {
    this.#paused = true;
    this.#wake?.();
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
    while (this.pauseRequested) await this.#change();
  }

  /** Resolves when the host has stored enough, at a request, or after `longest` milliseconds. */
  async whileAhead(longest: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (this.ahead) await Promise.race([this.#change(), new Promise((resolve) => (timer = setTimeout(resolve, longest)))]);
    clearTimeout(timer);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}
