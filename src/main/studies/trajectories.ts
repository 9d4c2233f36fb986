/** Reads a logged series of every run of a study, downsampled for a chart. */
import { drawnPoints } from "../../shared/series.ts";
import type { StudyTrajectories } from "../../shared/study/result.ts";
import type { Store } from "../store/store.ts";
import type { CellState } from "../store/studies.ts";

/** Yields to other work this often (milliseconds): many runs take a while to read. */
const yieldEvery = 20;

/** Skips runs that do not log the metric. */
export async function trajectoriesOf(store: Pick<Store, "readSeries">, runs: readonly CellState[], metric: string, maxPoints: number): Promise<StudyTrajectories> {
  const found: StudyTrajectories = [];
  let yielded = performance.now();
  for (const { cell, run } of runs) {
    // A bucket yields at most two points, its extremes.
    const { series } = store.readSeries({ run, metrics: [metric], after: -1, width: 1, maxBuckets: maxPoints >> 1 });
    const points = drawnPoints(series[0]!.buckets);
    if (points.length > 0) found.push({ key: cell, run, steps: points.map(([step]) => step), values: points.map(([, value]) => value) });
    if (performance.now() - yielded < yieldEvery) continue;
    await new Promise((resolve) => setImmediate(resolve));
    yielded = performance.now();
  }
  return found;
}
