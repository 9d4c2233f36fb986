/** Checks what a worker hands in of one run: it is hostile until then. */
import type { LoggedMessage } from "../segment.ts";

/** What was handed in cannot be what a trainer says. */
export class HostileError extends Error {}

interface Begun {
  readonly metrics: readonly string[];
  readonly totalSteps: number;
  /** Number of the next step; null until rows come, where the beginning was taken in by an earlier host. */
  next: number | null;
}

export class RunCheck {
  readonly #run: string;
  /** As of all attempts. */
  #metrics: readonly string[] | undefined;
  #begun: Begun | undefined;
  #over = false;
  #repeated = false;

  constructor(run: string) {
    this.#run = run;
  }

  /** Whether its end was handed in. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Whether an earlier attempt handed in its end, so that what this one says of it counts for nothing: a worker that dies
   * between handing in the end and noting that the run has ended leaves it to be trained again.
   */
  get repeated(): boolean {
    return this.#repeated;
  }

  /** Steps trained, as far as that is known. */
  get step(): number {
    return this.#begun?.next ?? 0;
  }

  /** Another attempt begins. */
  attempt(): void {
    this.#begun = undefined;
    this.#repeated = this.#over;
  }

  /** Goes on after what an earlier host has taken in. */
  attach({ metrics, totalSteps }: Extract<LoggedMessage, { type: "started" }>): void {
    this.#metrics = metrics;
    this.#begun = { metrics, totalSteps, next: null };
  }

  /** @throws HostileError */
  check(message: LoggedMessage): void {
    if (this.#over) this.#fail("something after its end");
    if (message.type === "started") return this.#started(message);
    if (message.type === "failed" || (message.type === "ended" && message.outcome === "stopped" && !this.#begun)) {
      this.#over = true;
      return;
    }
    if (message.type === "paused" || message.type === "resumed") return;
    const begun = this.#begun;
    if (!begun) return this.#fail(`${message.type} before its beginning`);
    const { metrics, next, totalSteps } = begun;
    switch (message.type) {
      case "rows": {
        const { firstStep, count, values } = message.rows;
        if (values.length !== count * metrics.length) this.#fail(`${values.length} values for ${count} steps of ${metrics.length} metrics`);
        if (next !== null && firstStep !== next) this.#fail(`step ${firstStep} where step ${next} was to come`);
        if (firstStep + count > totalSteps) this.#fail(`step ${firstStep + count} of a run of ${totalSteps} steps`);
        begun.next = firstStep + count;
        return;
      }
      case "evaluation":
        if (next !== null && message.evaluation.step > next) this.#fail(`an evaluation after step ${message.evaluation.step}, where ${next} steps were trained`);
        return;
      case "rolledBack":
        if (next !== null && message.step > next) this.#fail(`a rollback after step ${message.step}, where ${next} steps were trained`);
        return;
      case "ended":
        if (message.outcome === "finished" && next !== null && next !== totalSteps) this.#fail(`its end after ${next} of ${totalSteps} steps`);
        this.#over = true;
        return;
      default:
    }
  }

  #started(message: Extract<LoggedMessage, { type: "started" }>): void {
    const { metrics, totalSteps, from } = message;
    if (this.#begun) this.#fail("its beginning twice");
    if (new Set(metrics).size < metrics.length) this.#fail("a metric twice");
    if (this.#metrics && this.#metrics.join("\n") !== metrics.join("\n")) this.#fail("other metrics than before");
    if ((from?.step ?? 0) > totalSteps) this.#fail(`a beginning at step ${from?.step} of ${totalSteps}`);
    this.#metrics = metrics;
    this.#begun = { metrics, totalSteps, next: from?.step ?? 0 };
  }

  #fail(what: string): never {
    throw new HostileError(`its worker handed in ${what} for run ${this.#run}`);
  }
}
