/** Whether two runs, or two studies, have the same content, whatever they are called. */
import { isDeepStrictEqual } from "node:util";
import type { PortableSource } from "../store/portable.ts";

/** What was trained and what came of it: without names, places in studies and bins, and the log of events. */
function contentOf({ run }: PortableSource): unknown {
  const { experiment, status, startedAt, finishedAt, steps, totalSteps, evaluation, hyperparameters, metrics, logged } = run;
  const { name: _name, ...trained } = experiment;
  return plain({ trained, status, startedAt, finishedAt, steps, totalSteps, evaluation, hyperparameters, metrics, logged });
}

/** Without undefined values. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** A run and its thinned form are the same: what was erased on purpose is not brought back as another run. */
export function isSameRun(a: PortableSource, b: PortableSource): boolean {
  const isThinned = (source: PortableSource) => source.run.thinned !== undefined;
  return (
    isDeepStrictEqual(contentOf(a), contentOf(b)) &&
    equal(a.evaluations(), b.evaluations(), (one, other) => isDeepStrictEqual(plain(one), plain(other))) &&
    (isThinned(a) ||
      isThinned(b) ||
      equal(a.steps(), b.steps(), (one, other) => one.count === other.count && one.values.every((value, i) => Object.is(value, other.values[i]))))
  );
}

function equal<T>(a: Iterable<T>, b: Iterable<T>, same: (a: T, b: T) => boolean): boolean {
  const others = b[Symbol.iterator]();
  for (const value of a) {
    const other = others.next();
    if (other.done || !same(value, other.value)) return false;
  }
  return others.next().done === true;
}
