/**
 * Measures the cost of a program on this machine, for one run or a cohort, by a short training that
 * is discarded.
 */
import type { EngineDescription } from "../../shared/engines.ts";
import type { Experiment } from "../../shared/experiment.ts";
import { RunControl } from "./control.ts";
import { prepareCohort, prepareRun, type PreparedRun } from "./prepare.ts";
import { TrainingRun, type RunListener } from "./run.ts";

export interface Measurement {
  /** Median milliseconds per step, including its batch and the loop. */
  readonly step: number;
  /** Milliseconds per evaluation of the whole test set. */
  readonly evaluation: number;
  /** Milliseconds before the first step, in a process that has the data already. */
  readonly begin: number;
}

/** Warm-up steps, which are not counted. */
const warmUp = 8;
/** Minimum number of measured steps and milliseconds, if time allows; at least two steps. */
const fewest = 24;
const shortest = 400;
const usualLongest = 4_000;

export interface MeasureOptions {
  /** Number of runs trained as one program; 1 by default. */
  readonly cohort?: number;
  /** Skips the evaluation. */
  readonly stepsOnly?: boolean;
  /**
   * Milliseconds after which fewer steps suffice; the first step, in which devices compile, does
   * not count.
   */
  readonly longest?: number;
  /** Folder of imported networks. */
  readonly networks?: string | undefined;
}

/**
 * @throws Error when the experiment cannot be prepared
 */
export async function measure(experiment: Experiment, { cohort = 1, stepsOnly = false, longest = usualLongest, networks }: MeasureOptions = {}): Promise<{ measurement: Measurement; description: EngineDescription }> {
  const prepare = async (): Promise<PreparedRun[]> =>
    cohort === 1 ? [await prepareRun(experiment, networks)] : prepareCohort(Array.from({ length: cohort }, (_, seat) => ({ experiment, seat })), cohort, networks);
  const dispose = (runs: readonly PreparedRun[]) => Promise.all(runs.map(({ executable }) => executable.dispose()));
  // Load the data first, as a warm trainer has.
  if (!stepsOnly) await (await prepareRun(experiment, networks)).executable.dispose();
  const asked = performance.now();
  const prepared = await prepare();
  const begin = performance.now() - asked;
  const controls = prepared.map(() => new RunControl());
  const times: number[] = [];
  let started = performance.now();
  let last = started;
  let evaluation = 0;
  // The cohort's last run reports when all have made the step.
  const clock: RunListener = {
    step: () => {
      const now = performance.now();
      times.push(now - last);
      last = now;
      if (times.length === 1) started = now;
      else if (now - started > longest || (times.length >= warmUp + fewest && now - started > shortest)) {
        for (const control of controls) {
          if (stepsOnly) control.leave();
          else control.stop();
        }
      }
    },
    evaluation: () => {
      evaluation = performance.now() - last;
      last = performance.now();
    },
    paused: () => undefined,
    resumed: () => undefined,
    rolledBack: () => undefined,
  };
  const silent: RunListener = { ...clock, step: () => undefined, evaluation: () => undefined };
  try {
    await Promise.all(prepared.map((run, i) => new TrainingRun(run, controls[i]!, i === prepared.length - 1 ? clock : silent).train()));
  } finally {
    await dispose(prepared);
  }
  // With few slow steps, half of them are warm-up.
  const settled = times.slice(Math.min(warmUp, times.length >> 1)).sort((a, b) => a - b);
  const step = settled[settled.length >> 1] ?? 0;
  const { device, driver, memory, libraries } = prepared[0]!;
  return { measurement: { step, evaluation, begin }, description: { device, driver, memory, libraries } };
}
