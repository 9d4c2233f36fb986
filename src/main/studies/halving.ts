/**
 * Successive halving (Jamieson and Talwalkar 2016). Synchronous: every run reaches a rung before
 * any passes it, so the result depends only on evaluations, not on their order.
 */
import type { Experiment } from "../../shared/experiment.ts";
import { scores } from "../../shared/kept.ts";
import type { Evaluation } from "../../shared/run.ts";
import type { Study } from "../../shared/study/study.ts";

export interface Contender {
  readonly key: string;
  readonly evaluations: readonly Evaluation[];
  /** Whether it diverged or failed for good, and cannot train on. */
  readonly out: boolean;
}

export interface Rungs {
  /** Epoch at which runs stop for comparison; null when the remaining runs train to their end. */
  readonly until: number | null;
  /** Keys of runs that train on. */
  readonly alive: ReadonlySet<string>;
  /** Keys of runs that were eliminated at a rung. */
  readonly pruned: ReadonlySet<string>;
}

/** A run's evaluation at a rung; undefined before it gets there. */
export function atRung(evaluations: readonly Evaluation[], rung: number): Evaluation | undefined {
  return evaluations.find(({ epoch }) => epoch >= rung);
}

/** Compares runs as `isBetter` compares weights: on the validation set of `base` if it has one, else on the test set. */
export function rungsOf({ rungs, keep }: NonNullable<Study["halving"]>, contenders: readonly Contender[], base: Pick<Experiment, "dataset">): Rungs {
  const pruned = new Set<string>();
  let left = contenders;
  for (const rung of rungs) {
    // A run that diverged after this rung still takes part in it.
    left = left.filter(({ out, evaluations }) => !out || atRung(evaluations, rung));
    const arrived = left.flatMap((contender) => {
      const evaluation = atRung(contender.evaluations, rung);
      return evaluation ? [{ contender, value: scores(evaluation, base)[0] }] : [];
    });
    if (arrived.length < left.length) return { until: rung, alive: new Set(left.map(({ key }) => key)), pruned };
    // Ties keep the order of the study.
    const best = [...arrived].sort((a, b) => a.value - b.value || arrived.indexOf(a) - arrived.indexOf(b)).slice(0, Math.ceil(keep * left.length));
    const kept = new Set(best.map(({ contender }) => contender));
    for (const contender of left) if (!kept.has(contender)) pruned.add(contender.key);
    left = left.filter((contender) => kept.has(contender));
  }
  return { until: null, alive: new Set(left.map(({ key }) => key)), pruned };
}
