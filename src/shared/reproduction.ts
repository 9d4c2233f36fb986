/** Compares two runs of one experiment step by step. */
import type { Environment } from "./run.ts";

export interface LoggedRun {
  readonly metrics: readonly string[];
  /** In order; values in the order of the metrics, NaN when non-finite. */
  readonly steps: Iterable<{ readonly step: number; readonly values: readonly number[] }>;
}

export type Comparison =
  | { readonly identical: true; readonly steps: number; readonly metrics: number }
  | { readonly identical: false; readonly steps: number; readonly step: number; readonly metric: string; readonly original: number | null; readonly repeated: number | null };

/** Depends on the machine's load, not on the experiment. */
const ignored = ["stepTime"];

const same = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));

/**
 * The first value that differs, bit for bit. A step that only one run has differs in `step`; a
 * metric that
 * only one logs differs at step 0. Neither run is held in memory.
 *
 * @param until maximum number of steps to compare
 */
export function compareRuns(original: LoggedRun, repeated: LoggedRun, until = Infinity): Comparison {
  const metrics = original.metrics.filter((metric) => !ignored.includes(metric));
  const lone = [...metrics, ...repeated.metrics.filter((metric) => !ignored.includes(metric))].find((metric) => original.metrics.includes(metric) !== repeated.metrics.includes(metric));
  if (lone !== undefined) return { identical: false, steps: 0, step: 0, metric: lone, original: null, repeated: null };
  const places = metrics.map((metric) => ({ metric, a: original.metrics.indexOf(metric), b: repeated.metrics.indexOf(metric) }));
  const [left, right] = [original.steps[Symbol.iterator](), repeated.steps[Symbol.iterator]()];
  let steps = 0;
  try {
    for (;;) {
      if (steps >= until) return { identical: true, steps, metrics: metrics.length };
      const [a, b] = [left.next(), right.next()];
      if (a.done === true && b.done === true) return { identical: true, steps, metrics: metrics.length };
      if (a.done === true || b.done === true || a.value.step !== b.value.step) {
        const [was, is] = [a.done === true ? null : a.value.step, b.done === true ? null : b.value.step];
        return { identical: false, steps, step: Math.min(was ?? Infinity, is ?? Infinity), metric: "step", original: was, repeated: is };
      }
      for (const { metric, a: at, b: also } of places) {
        const [was, is] = [a.value.values[at]!, b.value.values[also]!];
        if (!same(was, is)) return { identical: false, steps, step: a.value.step, metric, original: was, repeated: is };
      }
      steps++;
    }
  } finally {
    left.return?.();
    right.return?.();
  }
}

/** Differences between two environments; empty when there are none. */
export function environmentDifferences(a: Environment, b: Environment): string[] {
  const entries = ({ libraries, ...rest }: Environment): [string, string][] => [...Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]), ...Object.entries(libraries)];
  const [before, now] = [new Map(entries(a)), new Map(entries(b))];
  return [...new Set([...before.keys(), ...now.keys()])].filter((name) => before.get(name) !== now.get(name)).map((name) => `${name} was ${before.get(name) ?? "not there"}, now ${now.get(name) ?? "not there"}`);
}
