/**
 * Chooses threads per run and concurrent runs for a study. Measures a few dozen steps of the
 * study's program in trainer processes, as many at once as would train. Results are stored per
 * program and machine.
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

/** Programs trained at the same time, threads per program, and runs per program. */
export interface Allocation {
  readonly workers: number;
  readonly threads: number;
  readonly cohort: number;
}

export interface CalibrationOptions {
  readonly startTrainer: StartTrainer;
  readonly measurements: Measurements;
  readonly cores: number;
  /** A measurement that takes longer (milliseconds) is canceled. */
  readonly within?: number;
}

const measurement: z.ZodType<Measurement> = z.object({ step: z.number(), evaluation: z.number(), begin: z.number() });

/** Bytes assumed per trainer; one with MNIST and an MLP needs half. */
const memoryOfTrainer = 512 * 2 ** 20;

/** Measurements expire after this time (milliseconds): the machine may have been busy. */
const validFor = 7 * 24 * 3_600_000;

/** Studies that take longer (milliseconds) try cohorts, up to `largestCohort` runs. */
const worthCohorts = 60_000;
const largestCohort = 256;

/** Max programs of a study to measure; the others use the nearest measurement. */
const maxPrograms = 6;

export class Calibration {
  readonly #options: CalibrationOptions;
  /** One measurement at a time: concurrent ones would distort each other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: CalibrationOptions) {
    this.#options = options;
  }

  /**
   * Fastest allocation for a study. On the processor: one single-threaded run per core, or fewer
   * runs with more threads. On a device: one or more runs. A base experiment with more than one
   * thread keeps its number of threads.
   * @throws Error when its program cannot be trained
   */
  async choose(cells: readonly StudyCell[], cohort: number | "auto"): Promise<Allocation> {
    const { experiment } = middle(cells);
    const maxCohort = maxOf(cohortsOf(cells, [...new Set(cells.map(({ seed }) => seed))], largestCohort).map(({ length }) => length));
    let best: { allocation: Allocation; perRun: number } | undefined;
    const consider = async (allocation: Allocation): Promise<boolean> => {
      const perRun = timeOfRun(experiment, await this.#measured(experiment, allocation)) / (allocation.workers * allocation.cohort);
      // Small differences are noise of a busy machine.
      const better = !best || perRun < 0.9 * best.perRun;
      if (better) best = { allocation, perRun };
      return better;
    };
    for (const candidate of this.#candidates(experiment)) await consider({ ...candidate, cohort: cohort === "auto" ? 1 : Math.min(cohort, maxCohort) });
    const { allocation, perRun } = best!;
    if (cohort === "auto" && perRun * cells.length > worthCohorts) await growCohort(allocation, maxCohort, consider);
    return best!.allocation;
  }

  /**
   * Milliseconds to train all cells with this allocation.
   * @throws Error when a program cannot be trained
   */
  async duration(cells: readonly StudyCell[], allocation: Allocation): Promise<number> {
    const programs = new Map<string, StudyCell[]>();
    for (const cell of cells) {
      const program = programOf(cell.experiment);
      const group = programs.get(program);
      if (group) group.push(cell);
      else programs.set(program, [cell]);
    }
    const groups = [...programs.values()];
    const known: { group: number; measured: Measurement }[] = [];
    for (const group of spread(groups.length, maxPrograms)) known.push({ group, measured: await this.#measured(middle(groups[group]!).experiment, allocation) });
    let sum = 0;
    let longest = 0;
    groups.forEach((members, group) => {
      const { measured } = known.reduce((a, b) => (Math.abs(b.group - group) < Math.abs(a.group - group) ? b : a));
      for (const { experiment } of members) {
        const time = timeOfRun(experiment, measured);
        sum += time;
        longest = Math.max(longest, time);
      }
    });
    const { workers, cohort } = allocation;
    return Math.max(longest, sum / Math.min(workers * cohort, cells.length));
  }

  /**
   * Cost of a single run that trains alone.
   * @throws Error when its program cannot be trained
   */
  measure(experiment: Experiment): Promise<Measurement> {
    return this.#measured(experiment, { workers: 1, cohort: 1, threads: experiment.engine.threads });
  }

  #candidates({ engine }: Experiment): Omit<Allocation, "cohort">[] {
    const { cores } = this.#options;
    const maxWorkers = Math.max(1, Math.floor((0.75 * totalmem()) / memoryOfTrainer));
    const workersFor = (threads: number) => Math.max(1, Math.min(maxWorkers, Math.floor(cores / threads)));
    const doubling = Array.from({ length: Math.floor(Math.log2(cores)) + 1 }, (_, i) => 2 ** i);
    // Only ONNX Runtime on the processor uses threads. A device may be fastest with one run at a time.
    if (engine.kind !== "onnx-cpu") return doubling.map((workers) => ({ threads: engine.threads, workers: Math.min(workers, workersFor(1)) }));
    if (engine.threads > 1) return [{ threads: engine.threads, workers: workersFor(engine.threads) }];
    return doubling.map((threads) => ({ threads, workers: workersFor(threads) }));
  }

  async #measured(experiment: Experiment, allocation: Allocation): Promise<Measurement> {
    const { workers, threads, cohort } = allocation;
    const program = `${programOf(experiment)} ${workers} x ${threads}${cohort > 1 ? `, cohorts of ${cohort}` : ""}`;
    const known = await this.#options.measurements.read(program, measurement, validFor);
    if (known) return known;
    const measuring = this.#last.then(() => this.#measure(experiment, allocation));
    this.#last = measuring.catch(() => undefined);
    const measured = await measuring;
    await this.#options.measurements.save(program, measured);
    return measured;
  }

  /** Mean over trainers that measure at the same time. */
  async #measure(experiment: Experiment, { workers, threads, cohort }: Allocation): Promise<Measurement> {
    const task = { ...experiment, engine: { ...experiment.engine, threads } };
    const all = await Promise.all(Array.from({ length: workers }, () => this.#ask(task, cohort)));
    const mean = (field: (measured: Measurement) => number) => all.reduce((sum, measured) => sum + field(measured), 0) / all.length;
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

/** Training time of a run, in milliseconds. */
function timeOfRun(experiment: Experiment, { begin, step, evaluation }: Measurement): number {
  return begin + totalSteps(experiment) * step + evaluationCount(experiment) * evaluation;
}

/** Grows the cohort while runs train faster and fit into the device's memory. */
async function growCohort(allocation: Allocation, maxCohort: number, consider: (allocation: Allocation) => Promise<boolean>): Promise<void> {
  for (const size of [16, 64, 256]) {
    const cohort = Math.min(size, maxCohort);
    if (cohort < 2) return;
    try {
      if (!(await consider({ ...allocation, cohort })) || cohort === maxCohort) return;
    } catch {
      // This size cannot be trained here, for example for want of memory.
      return;
    }
  }
}

/** A cell in the middle of the axes: values at their ends may diverge at once. */
function middle(cells: readonly StudyCell[]): StudyCell {
  return cells[cells.length >> 1]!;
}

/** At most `max` evenly spaced integers from 0 to `count` - 1, including both ends. */
function spread(count: number, max: number): number[] {
  if (count <= max) return Array.from({ length: count }, (_, i) => i);
  return Array.from({ length: max }, (_, i) => Math.round((i * (count - 1)) / (max - 1)));
}
