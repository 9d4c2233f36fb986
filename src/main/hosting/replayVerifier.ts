/**
 * What a resumed run trains a second time: the steps between its checkpoint and the end of its
 * log. They are in the log already and should come out the same; this checks that they do.
 */
import type { Evaluation } from "../../shared/run.ts";
import type { StoredStep } from "../store/runReader.ts";
import { measureNames } from "../store/runRows.ts";
import type { Rows } from "../trainer/messages.ts";

export interface ReplayVerifierOptions {
  /** Columns of the rows. */
  readonly metrics: readonly string[];
  /** The first step that is not in the log yet. */
  readonly logged: number;
  /** Evaluations beyond the checkpoint, taken out of the log: they are made again. */
  readonly evaluations: readonly Evaluation[];
  /** Logged steps from `from` to before `to`. */
  readonly steps: (from: number, to: number) => Iterable<StoredStep>;
  /** Something came out otherwise, in words; told once. */
  readonly onDifference: (step: number, message: string) => void;
  /** All that was in the log has come out the same. */
  readonly onEqual: (first: number, last: number) => void;
}

/** Wall time is no part of a trajectory. */
const untold = new Set(["stepTime"]);

/** The store keeps no sign of 0. */
const same = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));

export class ReplayVerifier {
  readonly #options: ReplayVerifierOptions;
  readonly #evaluations: Map<number, Evaluation>;
  #first: number | undefined;
  #differs = false;

  constructor(options: ReplayVerifierOptions) {
    this.#options = options;
    this.#evaluations = new Map(options.evaluations.map((one) => [one.step, one]));
  }

  /** Compares the rows that are logged already; the rest, null where there is none. */
  rows({ firstStep, count, values }: Rows): Rows | null {
    const { logged, metrics } = this.#options;
    if (firstStep >= logged) return { firstStep, count, values };
    this.#first ??= firstStep;
    const end = Math.min(firstStep + count, logged);
    for (const step of this.#options.steps(firstStep, end)) {
      const at = (step.step - firstStep) * metrics.length;
      metrics.forEach((metric, column) => {
        const [before, now] = [step.values[column]!, values[at + column]!];
        if (!untold.has(metric) && !same(before, now)) this.#difference(step.step, `${metric} is ${now} now and was ${before}`);
      });
    }
    if (end === logged && !this.#differs) this.#options.onEqual(this.#first, logged - 1);
    const known = end - firstStep;
    return known === count ? null : { firstStep: end, count: count - known, values: values.subarray(known * metrics.length) };
  }

  /** @param now as the store would keep it */
  evaluation(now: Evaluation): void {
    const before = this.#evaluations.get(now.step);
    if (!before) return;
    for (const field of measureNames) {
      if ((before[field] ?? null) !== (now[field] ?? null)) this.#difference(now.step, `${field} is ${String(now[field])} now and was ${String(before[field])}`);
    }
  }

  #difference(step: number, what: string): void {
    if (this.#differs) return;
    this.#differs = true;
    this.#options.onDifference(step, `at step ${step} ${what} when it was first trained; the log keeps the first up to step ${this.#options.logged - 1}`);
  }
}
