/** Estimates a study's remaining time from the steps of all its workers since the latest start. */
export class Speed {
  readonly #expected: number | null;
  #since = performance.now();
  #done = 0;
  /** Steps left at the first call of timeFor(). */
  #whole: number | undefined;

  /** @param expected milliseconds for all steps, used until enough are measured; null if unknown */
  constructor(expected: number | null) {
    this.#expected = expected;
  }

  /** Forgets earlier steps: they ran with other runs, another load, or before a pause. */
  restart(): void {
    this.#since = performance.now();
    this.#done = 0;
  }

  add(steps: number): void {
    this.#done += steps;
  }

  /** Milliseconds for this number of steps at the current speed; null while unknown. */
  timeFor(steps: number): number | null {
    this.#whole ??= steps;
    if (steps === 0) return 0;
    const elapsed = performance.now() - this.#since;
    if (this.#done > 0 && elapsed > 3_000) return (steps * elapsed) / this.#done;
    return this.#expected === null || this.#whole === 0 ? null : (steps * this.#expected) / this.#whole;
  }
}
