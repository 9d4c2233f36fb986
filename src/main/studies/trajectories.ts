/** A logged series of every run of a study, thinned out for one chart. */
import { drawnPoints } from "../../shared/series.ts";
import type { StudyTrajectories } from "../../shared/study/result.ts";
import type { Store } from "../store/store.ts";
import type { CellState } from "../store/studies.ts";

/** Reading many runs takes a while; everybody else has a turn this often (milliseconds). */
const turnEvery = 20;

/** Runs that do not log the metric are left out. */
export async function trajectoriesOf(store: Pick<Store, "readSeries">, runs: readonly CellState[], metric: string, maxPoints: number): Promise<StudyTrajectories> {
  const found: StudyTrajectories = [];
  let turn = performance.now();
  for (const { cell, run } of runs) {
    // A bucket gives at most two points, its extremes.
    const { series } = store.readSeries({ run, metrics: [metric], after: -1, width: 1, maxBuckets: maxPoints >> 1 });
    const points = drawnPoints(series[0]!.buckets);
    if (points.length > 0) found.push({ key: cell, run, steps: points.map(([step]) => step), values: points.map(([, value]) => value) });
    if (performance.now() - turn < turnEvery) continue;
    await new Promise((resolve) => setImmediate(resolve));
    turn = performance.now();
  }
  return found;
}
