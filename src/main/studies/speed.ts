/** How fast a study trains, over all its workers: steps while it was not paused. */
export class Speed {
  readonly #expected: number | null;
  #since = performance.now();
  #done = 0;
  /** Steps of the whole study when it was first asked. */
  #whole: number | undefined;

  /** @param expected milliseconds for all steps, until enough are trained to tell; null when nobody knows */
  constructor(expected: number | null) {
    this.#expected = expected;
  }

  /** What was trained before does not count: other runs, another machine load, a pause. */
  restart(): void {
    this.#since = performance.now();
    this.#done = 0;
  }

  add(steps: number): void {
    this.#done += steps;
  }

  /** Milliseconds for so many steps at the present speed; null when nothing is known yet. */
  timeFor(steps: number): number | null {
    this.#whole ??= steps;
    if (steps === 0) return 0;
    const elapsed = performance.now() - this.#since;
    if (this.#done > 0 && elapsed > 3_000) return (steps * elapsed) / this.#done;
    return this.#expected === null || this.#whole === 0 ? null : (steps * this.#expected) / this.#whole;
  }
}
