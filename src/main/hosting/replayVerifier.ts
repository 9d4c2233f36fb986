/**
 * Verifies the replay of a resumed run: the steps from its checkpoint to the end of its log are
 * trained again and must equal the logged ones.
 */
import type { Evaluation } from "../../shared/run.ts";
import type { StoredStep } from "../store/runReader.ts";
import { measureNames } from "../store/runRows.ts";
import type { Rows } from "../trainer/messages.ts";

export interface ReplayVerifierOptions {
  /** Names of the rows' columns. */
  readonly metrics: readonly string[];
  /** First step that is not logged yet. */
  readonly logged: number;
  /** Evaluations after the checkpoint that were logged. */
  readonly evaluations: readonly Evaluation[];
  /** Logged steps from `from` (inclusive) to `to` (exclusive). */
  readonly steps: (from: number, to: number) => Iterable<StoredStep>;
  /** Called for the first difference only. */
  readonly onDifference: (step: number, message: string) => void;
  /** Removes the log from a step on, so that what is trained now replaces it; without it, the log keeps the first. */
  readonly cutBack?: ((step: number, difference: string) => void) | undefined;
  /** Called when all replayed steps equal the logged ones. */
  readonly onEqual: (first: number, last: number) => void;
}

/** Times differ from replay to replay. */
const ignored = new Set(["stepTime"]);

/** `===` because the store does not keep the sign of 0. */
const same = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));

export class ReplayVerifier {
  readonly #options: ReplayVerifierOptions;
  readonly #evaluations: Map<number, Evaluation>;
  #first: number | undefined;
  /** First step that the log does not hold. */
  #logged: number;
  #differs = false;

  constructor(options: ReplayVerifierOptions) {
    this.#options = options;
    this.#logged = options.logged;
    this.#evaluations = new Map(options.evaluations.map((evaluation) => [evaluation.step, evaluation]));
  }

  /** Compares rows that are logged already. Returns the rows after them; null when there are none. */
  rows({ firstStep, count, values }: Rows): Rows | null {
    const { metrics } = this.#options;
    const logged = this.#logged;
    const from = (first: number) => ({ firstStep: first, count: firstStep + count - first, values: values.subarray((first - firstStep) * metrics.length) });
    if (firstStep >= logged) return { firstStep, count, values };
    this.#first ??= firstStep;
    const end = Math.min(firstStep + count, logged);
    for (const step of this.#options.steps(firstStep, end)) {
      const at = (step.step - firstStep) * metrics.length;
      for (const [column, metric] of metrics.entries()) {
        const [before, now] = [step.values[column]!, values[at + column]!];
        if (ignored.has(metric) || same(before, now)) continue;
        if (this.#difference(step.step, `${metric} is ${now} now and was ${before}`)) return from(step.step);
      }
    }
    if (end === logged && !this.#differs) this.#options.onEqual(this.#first, logged - 1);
    return end === firstStep + count ? null : from(end);
  }

  /**
   * Compares an evaluation that is logged already. Returns whether it is.
   * @param now in its stored form
   */
  evaluation(now: Evaluation): boolean {
    const before = this.#evaluations.get(now.step);
    if (!before) return false;
    for (const field of measureNames) {
      if ((before[field] ?? null) === (now[field] ?? null)) continue;
      if (this.#difference(now.step, `${field} is ${String(now[field])} now and was ${String(before[field])}`)) return false;
    }
    return true;
  }

  /** Returns whether the log was cut back to that step. */
  #difference(step: number, what: string): boolean {
    if (this.#differs) return false;
    this.#differs = true;
    const { cutBack, onDifference } = this.#options;
    const difference = `at step ${step} ${what} when it was first trained`;
    if (!cutBack) {
      onDifference(step, `${difference}; the log keeps the first up to step ${this.#logged - 1}`);
      return false;
    }
    cutBack(step, difference);
    this.#logged = step;
    for (const at of [...this.#evaluations.keys()]) if (at >= step) this.#evaluations.delete(at);
    return true;
  }
}
