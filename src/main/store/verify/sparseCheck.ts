/** Checks a series of an imported run, which has gaps: its one checksum, its counts and its buckets. */
import type { Database } from "better-sqlite3";
import type { Bucket } from "../../../shared/series.ts";
import { PyramidBuilder, type FinishedBucket } from "../pyramid.ts";
import { toBucket, type BucketColumns } from "../seriesRows.ts";
import { addSparse, emptySparseChecksum } from "../sparseSeries.ts";
import type { Report } from "./findings.ts";

/** Values per read. */
const valuesAtOnce = 8_192;

/** Returns the number of values that were compared. */
export async function checkSparse(db: Database, run: string, id: number, report: Report, pause: () => Promise<void>): Promise<number> {
  const row = db.prepare<[number], { name: string; count: number; lastStep: number; crc: number | null }>("SELECT name, count, last_step AS lastStep, open_crc AS crc FROM metrics WHERE id = ?").get(id);
  if (!row) return 0;
  const read = db.prepare<[number, number, number, number], [number, number | null]>("SELECT step, value FROM series_values WHERE metric = ? AND step > ? AND step <= ? ORDER BY step LIMIT ?").raw();
  const pyramid = new PyramidBuilder();
  const finished: FinishedBucket[] = [];
  let [crc, count, last] = [emptySparseChecksum(run, row.name), 0, -1];
  for (;;) {
    const rows = read.all(id, last, row.lastStep, valuesAtOnce);
    const steps = rows.map(([step]) => step);
    const values = rows.map(([, value]) => value ?? NaN);
    crc = addSparse(crc, steps, values);
    steps.forEach((step, i) => pyramid.add(step, values[i]!, finished));
    count += rows.length;
    last = steps.at(-1) ?? last;
    if (rows.length < valuesAtOnce) break;
    await pause();
  }
  if (count !== row.count || last !== row.lastStep) report("series", row.name, `${count} values up to step ${last} are stored instead of ${row.count} up to step ${row.lastStep}`, "Values are missing or were added by another program. Import the run again.");
  else if (crc !== row.crc) report("series", row.name, "it does not match its checksum", "One or more of its values are not what was imported. Import the run again.");
  else {
    const bucket = db.prepare<[number, number, number], BucketColumns>("SELECT start, count, non_finite, min, min_step, max, max_step, sum FROM buckets WHERE metric = ? AND width = ? AND start = ?").raw();
    const stored = db.prepare<[number], number>("SELECT count(*) FROM buckets WHERE metric = ?").pluck().get(id);
    const differs = finished.find(({ width, bucket: wanted }) => {
      const found = bucket.get(id, width, wanted.start);
      return !found || !isSame(wanted, toBucket(found));
    });
    if (differs || stored !== finished.length) report("pyramid", row.name, "its summaries differ from its values", "Charts may show wrong values; the values are sound. Import the run again.");
  }
  return count;
}

const isSame = (a: Bucket, b: Bucket) => JSON.stringify(Object.values({ ...a, sum: 0 })) === JSON.stringify(Object.values({ ...b, sum: 0 }));
