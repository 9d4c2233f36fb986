/** Does work in the order in which it came. What the store cannot take at present is tried again, and holds up what follows. */

/** Milliseconds until work is tried again. */
const retryAfter = 250;

export class WaitingWork {
  readonly #waiting: (() => void)[] = [];
  readonly #triesAgain: (error: unknown) => boolean;
  #working = false;
  #retry: NodeJS.Timeout | undefined;

  /** @param triesAgain handles an error of some work; whether that is to be tried again */
  constructor(triesAgain: (error: unknown) => boolean) {
    this.#triesAgain = triesAgain;
  }

  /** Does the work now, or after what waits. */
  add(work: () => void): void {
    this.#waiting.push(work);
    if (this.#waiting.length === 1) this.#work();
  }

  /** Tries again at once. */
  hurry(): void {
    clearTimeout(this.#retry);
    this.#work();
  }

  #work(): void {
    if (this.#working) return;
    this.#working = true;
    for (let work = this.#waiting[0]; work; work = this.#waiting[0]) {
      try {
        work();
      } catch (error) {
        if (this.#triesAgain(error)) {
          this.#retry = setTimeout(() => this.#work(), retryAfter);
          break;
        }
      }
      this.#waiting.shift();
    }
    this.#working = false;
  }
}
