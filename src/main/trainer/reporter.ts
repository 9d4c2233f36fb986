/** Collects steps and sends them in batches: rows cross the process boundary as one typed array. */
import type { FromTrainer, Progress } from "./messages.ts";

/** Milliseconds that a row waits at most. */
const sendEvery = 100;
/** Milliseconds over which the speed is averaged. */
const speedOver = 3_000;

export interface ReporterOptions {
  readonly columns: number;
  readonly trainExamples: number;
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  send(message: FromTrainer): void;
}

export class Reporter {
  readonly #options: ReporterOptions;
  #values: Float64Array;
  #count = 0;
  #firstStep = 0;
  #sentAt = performance.now();
  /** Marks (time, step) for measuring the speed. */
  #marks: { time: number; step: number }[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#values = new Float64Array(64 * options.columns);
  }

  add(step: number, values: readonly number[]): void {
    const { columns } = this.#options;
    if (this.#count === 0) this.#firstStep = step;
    if ((this.#count + 1) * columns > this.#values.length) {
      const larger = new Float64Array(2 * this.#values.length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values.set(values, this.#count * columns);
    this.#count++;
    if (performance.now() - this.#sentAt >= sendEvery) this.flush();
  }

  /** Sends pending rows. */
  flush(): void {
    if (this.#count === 0) return;
    const now = performance.now();
    const nextStep = this.#firstStep + this.#count;
    this.#options.send({
      type: "rows",
      rows: { firstStep: this.#firstStep, count: this.#count, values: this.#values.slice(0, this.#count * this.#options.columns) },
      progress: this.#progress(now, nextStep),
    });
    this.#count = 0;
    this.#sentAt = now;
  }

  /** Excludes a pause from the measured time. */
  restartClock(): void {
    this.#marks = [];
    this.#sentAt = performance.now();
  }

  #progress(now: number, step: number): Progress {
    const { totalSteps, stepsPerEpoch, trainExamples } = this.#options;
    this.#marks.push({ time: now, step });
    while (this.#marks.length > 2 && now - this.#marks[0]!.time > speedOver) this.#marks.shift();
    const [first] = this.#marks;
    const stepsPerSecond = first && now > first.time ? (1000 * (step - first.step)) / (now - first.time) : null;
    return {
      samplesPerSecond: stepsPerSecond === null ? null : (stepsPerSecond * trainExamples) / stepsPerEpoch,
      secondsLeft: stepsPerSecond ? (totalSteps - step) / stepsPerSecond : null,
      epoch: step / stepsPerEpoch,
    };
  }
}
