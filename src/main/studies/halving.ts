/**
 * Successive halving (Jamieson and Talwalkar 2016), all runs of a rung before the next: which
 * runs go on follows from their evaluations alone, not from the order in which they came.
 */
import type { Experiment } from "../../shared/experiment.ts";
import { scores } from "../../shared/kept.ts";
import type { Evaluation } from "../../shared/run.ts";
import type { Study } from "../../shared/study/study.ts";

export interface Contender {
  readonly key: string;
  readonly evaluations: readonly Evaluation[];
  /** Diverged or failed for good: it goes no further. */
  readonly out: boolean;
}

export interface Rungs {
  /** Epoch at which runs stop to be compared; null when those that are left train to their end. */
  readonly until: number | null;
  /** Those that train on. */
  readonly alive: ReadonlySet<string>;
  /** Those that lost at a rung. */
  readonly pruned: ReadonlySet<string>;
}

/** The evaluation of a run at a rung; undefined when it has not come so far. */
export function atRung(evaluations: readonly Evaluation[], rung: number): Evaluation | undefined {
  return evaluations.find(({ epoch }) => epoch >= rung);
}

/** Runs are judged as their best weights are: on what `base` holds out for validation, for want of it on the test set. */
export function rungsOf({ rungs, keep }: NonNullable<Study["halving"]>, contenders: readonly Contender[], base: Pick<Experiment, "dataset">): Rungs {
  const pruned = new Set<string>();
  let left = contenders;
  for (const rung of rungs) {
    // What diverged later was compared here all the same.
    left = left.filter(({ out, evaluations }) => !out || atRung(evaluations, rung));
    const arrived = left.flatMap((one) => {
      const evaluation = atRung(one.evaluations, rung);
      return evaluation ? [{ one, value: scores(evaluation, base)[0] }] : [];
    });
    if (arrived.length < left.length) return { until: rung, alive: new Set(left.map(({ key }) => key)), pruned };
    // Equal ones stay in the order of the study.
    const best = [...arrived].sort((a, b) => a.value - b.value || arrived.indexOf(a) - arrived.indexOf(b)).slice(0, Math.ceil(keep * left.length));
    const kept = new Set(best.map(({ one }) => one));
    for (const one of left) if (!kept.has(one)) pruned.add(one.key);
    left = left.filter((one) => kept.has(one));
  }
  return { until: null, alive: new Set(left.map(({ key }) => key)), pruned };
}
