/**
 * How a study is best trained here: threads of a run times runs at a time, chosen by training
 * a few dozen steps of its own program in processes of their own, as many at once as would
 * train then. What was measured is kept for the program and the machine.
 */
import { totalmem } from "node:os";
import { z } from "zod";
import { evaluationCount, totalSteps, type Experiment } from "../../shared/experiment.ts";
import { maxOf } from "../../shared/extent.ts";
import { cohortsOf } from "../../shared/study/cohorts.ts";
import type { StudyCell } from "../../shared/study/expand.ts";
import type { Measurement } from "../../core/training/measure.ts";
import { exitInWords } from "./crash.ts";
import type { Measurements } from "./measurements.ts";
import type { StartTrainer } from "./process.ts";
import { programOf } from "../../core/training/programOf.ts";

/** Programs trained at the same time, threads of each, and runs that are one program. */
export interface Allocation {
  readonly workers: number;
  readonly threads: number;
  readonly cohort: number;
}

export interface CalibrationOptions {
  readonly startTrainer: StartTrainer;
  readonly measurements: Measurements;
  readonly cores: number;
  /** A trainer that has not measured by then (milliseconds) is given up. */
  readonly within?: number;
}

const measurement: z.ZodType<Measurement> = z.object({ step: z.number(), evaluation: z.number(), begin: z.number() });

/** A trainer with MNIST and an MLP takes half of it. */
const memoryOfTrainer = 512 * 2 ** 20;

/** Measurements are taken anew after this long (milliseconds): the machine may have been busy with something else. */
const validFor = 7 * 24 * 3_600_000;

/** Cohorts are tried for a study that takes longer (milliseconds), up to this size. */
const worthCohorts = 60_000;
const largestCohort = 256;

/** Programs of one study that are measured; those between them are taken for alike. */
const mostPrograms = 6;

export class Calibration {
  readonly #options: CalibrationOptions;
  /** One measurement at a time: two would measure one another. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CalibrationOptions) {
    this.#options = options;
  }

  /**
   * The fastest places for a study: on the processor one thread for each run and a run on every core,
   * or fewer runs with more threads; on a device one run or more. A base that asks for threads keeps them.
   * @throws Error when its program cannot be trained
   */
  async choose(cells: readonly StudyCell[], cohort: number | "auto"): Promise<Allocation> {
    const { experiment } = middle(cells);
    const most = maxOf(cohortsOf(cells, [...new Set(cells.map(({ seed }) => seed))], largestCohort).map(({ length }) => length));
    let best: { places: Allocation; perRun: number } | undefined;
    const consider = async (places: Allocation): Promise<boolean> => {
      const perRun = timeOfRun(experiment, await this.#measured(experiment, places)) / (places.workers * places.cohort);
      // Another choice has to be worth it: a busy machine makes small differences by itself.
      const better = !best || perRun < 0.9 * best.perRun;
      if (better) best = { places, perRun };
      return better;
    };
    for (const places of this.#candidates(experiment)) await consider({ ...places, cohort: cohort === "auto" ? 1 : Math.min(cohort, most) });
    const { places, perRun } = best!;
    if (cohort === "auto" && perRun * cells.length > worthCohorts) await growCohort(places, most, consider);
    return best!.places;
  }

  /**
   * Milliseconds that all cells take in these places.
   * @throws Error when a program cannot be trained
   */
  async duration(cells: readonly StudyCell[], places: Allocation): Promise<number> {
    const programs = new Map<string, StudyCell[]>();
    for (const cell of cells) {
      const program = programOf(cell.experiment);
      const of = programs.get(program);
      if (of) of.push(cell);
      else programs.set(program, [cell]);
    }
    const groups = [...programs.values()];
    const known: { group: number; measured: Measurement }[] = [];
    for (const group of spread(groups.length, mostPrograms)) known.push({ group, measured: await this.#measured(middle(groups[group]!).experiment, places) });
    let sum = 0;
    let longest = 0;
    groups.forEach((of, group) => {
      const { measured } = known.reduce((a, b) => (Math.abs(b.group - group) < Math.abs(a.group - group) ? b : a));
      for (const { experiment } of of) {
        const time = timeOfRun(experiment, measured);
        sum += time;
        longest = Math.max(longest, time);
      }
    });
    const { workers, cohort } = places;
    return Math.max(longest, sum / Math.min(workers * cohort, cells.length));
  }

  /**
   * What a single run takes, trained alone.
   * @throws Error when its program cannot be trained
   */
  measure(experiment: Experiment): Promise<Measurement> {
    return this.#measured(experiment, { workers: 1, cohort: 1, threads: experiment.engine.threads });
  }

  #candidates({ engine }: Experiment): Omit<Allocation, "cohort">[] {
    const { cores } = this.#options;
    const most = Math.max(1, Math.floor((0.75 * totalmem()) / memoryOfTrainer));
    const workersFor = (threads: number) => Math.max(1, Math.min(most, Math.floor(cores / threads)));
    const doubling = Array.from({ length: Math.floor(Math.log2(cores)) + 1 }, (_, i) => 2 ** i);
    // Threads are a choice for ONNX Runtime on the processor alone; a device may be best with one run at a time.
    if (engine.kind !== "onnx-cpu") return doubling.map((workers) => ({ threads: engine.threads, workers: Math.min(workers, workersFor(1)) }));
    if (engine.threads > 1) return [{ threads: engine.threads, workers: workersFor(engine.threads) }];
    return doubling.map((threads) => ({ threads, workers: workersFor(threads) }));
  }

  async #measured(experiment: Experiment, places: Allocation): Promise<Measurement> {
    const program = `${programOf(experiment)} ${places.workers} x ${places.threads}${places.cohort > 1 ? `, cohorts of ${places.cohort}` : ""}`;
    const known = await this.#options.measurements.read(program, measurement, validFor);
    if (known) return known;
    const measuring = this.#last.then(() => this.#measure(experiment, places));
    this.#last = measuring.catch(() => undefined);
    const measured = await measuring;
    await this.#options.measurements.save(program, measured);
    return measured;
  }

  /** The mean over trainers that measure at the same time. */
  async #measure(experiment: Experiment, { workers, threads, cohort }: Allocation): Promise<Measurement> {
    const task = { ...experiment, engine: { ...experiment.engine, threads } };
    const all = await Promise.all(Array.from({ length: workers }, () => this.#ask(task, cohort)));
    const mean = (of: (one: Measurement) => number) => all.reduce((sum, one) => sum + of(one), 0) / all.length;
    return { step: mean(({ step }) => step), evaluation: mean(({ evaluation }) => evaluation), begin: mean(({ begin }) => begin) };
  }

  #ask(experiment: Experiment, cohort: number): Promise<Measurement> {
    const { startTrainer, within = 60_000 } = this.#options;
    return new Promise((resolve, reject) => {
      const trainer = startTrainer();
      let timer: NodeJS.Timeout | undefined;
      void trainer.launched.then((launched) => {
        if (!launched) return;
        timer = setTimeout(() => {
          reject(new Error(`a few steps took longer than ${within / 1000} s`));
          trainer.kill();
        }, within);
      });
      trainer.onMessage((message) => {
        if (message.type === "measured") resolve(message.measurement);
        if (message.type === "failed") reject(new Error(message.message));
      });
      trainer.onExit((exit) => {
        clearTimeout(timer);
        reject(new Error(exitInWords(exit)));
      });
      trainer.send({ type: "measure", experiment, cohort });
    });
  }
}

/** Milliseconds that a run trains. */
function timeOfRun(experiment: Experiment, { begin, step, evaluation }: Measurement): number {
  return begin + totalSteps(experiment) * step + evaluationCount(experiment) * evaluation;
}

/** Larger and larger cohorts, as long as they train faster and fit the device's memory. */
async function growCohort(places: Allocation, most: number, consider: (places: Allocation) => Promise<boolean>): Promise<void> {
  for (const size of [16, 64, 256]) {
    const cohort = Math.min(size, most);
    if (cohort < 2) return;
    try {
      if (!(await consider({ ...places, cohort })) || cohort === most) return;
    } catch {
      // What cannot be trained at once here, too large for its memory for instance, is no choice.
      return;
    }
  }
}

/** The middle of the axes: values at their ends may diverge at once. */
function middle(cells: readonly StudyCell[]): StudyCell {
  return cells[cells.length >> 1]!;
}

/** At most `most` of the numbers below `count`, evenly, both ends among them. */
function spread(count: number, most: number): number[] {
  if (count <= most) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round((i * (count - 1)) / (most - 1)));
}
