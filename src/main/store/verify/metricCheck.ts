/** Checks the series of one metric, some thousand values at a time. */
import type { Database, Statement } from "better-sqlite3";
import { messageOf } from "../../../shared/errors.ts";
import type { Bucket } from "../../../shared/series.ts";
import { addToChecksum, checksumName, checksumSpan, emptyChecksum } from "../checksums.ts";
import { PyramidBuilder, pyramidWidths, type FinishedBucket } from "../pyramid.ts";
import { toBucket, type BucketColumns } from "../seriesRows.ts";
import type { Report } from "./findings.ts";

/** Values per read, which takes some milliseconds. */
const valuesAtOnce = 32 * checksumSpan;

interface MetricRow {
  readonly name: string;
  readonly count: number;
  readonly lastStep: number;
  readonly open: number | null;
}

interface Metric {
  readonly run: string;
  readonly id: number;
  /** Whether checksums cover the whole run. */
  readonly isProtected: boolean;
}

export interface MetricStatements {
  readonly metric: Statement<[number], MetricRow>;
  readonly values: Statement<[number, number, number], [number, number | null]>;
  readonly spans: Statement<[number, number, number], [number, number]>;
  readonly bucket: Statement<[number, number, number], BucketColumns>;
  readonly buckets: Statement<[number], number>;
  readonly beyond: Statement<[number, number], number>;
}

export function prepareMetricCheck(db: Database): MetricStatements {
  return {
    metric: db.prepare("SELECT name, count, last_step AS lastStep, open_crc AS open FROM metrics WHERE id = ?"),
    values: db.prepare<[number, number, number], [number, number | null]>("SELECT step, value FROM series_values WHERE metric = ? AND step >= ? AND step < ? ORDER BY step").raw(),
    spans: db.prepare<[number, number, number], [number, number]>("SELECT start, crc FROM series_checksums WHERE metric = ? AND start >= ? AND start < ?").raw(),
    bucket: db
      .prepare<[number, number, number], BucketColumns>("SELECT start, count, non_finite, min, min_step, max, max_step, sum FROM buckets WHERE metric = ? AND width = ? AND start = ?")
      .raw(),
    buckets: db.prepare<[number], number>("SELECT count(*) FROM buckets WHERE metric = ?").pluck(),
    beyond: db.prepare<[number, number], number>("SELECT count(*) FROM series_values WHERE metric = ? AND (step < 0 OR step > ?)").pluck(),
  };
}

/** Returns the number of values whose checksums were compared. */
export async function checkMetric(db: Database, statements: MetricStatements, metric: Metric, report: Report, pause: () => Promise<void>): Promise<number> {
  const check = new MetricCheck(statements, metric, report);
  // Each read sees one commit; what is logged meanwhile is not checked.
  const read = db.transaction(() => check.next());
  try {
    while (read()) await pause();
  } catch (error) {
    report("series", `${check.name}, from step ${check.at}`, messageOf(error), "The values from there on cannot be read.");
  }
  return check.compared;
}

class MetricCheck {
  readonly #statements: MetricStatements;
  readonly #metric: Metric;
  readonly #report: Report;
  /** Undefined after damage, which the pyramid cannot be compared with. */
  #pyramid: PyramidBuilder | undefined = new PyramidBuilder();
  name = "a series";
  at = 0;
  compared = 0;

  constructor(statements: MetricStatements, metric: Metric, report: Report) {
    this.#statements = statements;
    this.#metric = metric;
    this.#report = report;
  }

  /** Checks the next values. Returns whether there are more. */
  next(): boolean {
    const { id, run, isProtected } = this.#metric;
    const row = this.#statements.metric.get(id);
    if (!row) return false;
    this.name = row.name;
    const end = Math.min(this.at + valuesAtOnce, row.lastStep + 1);
    const rows = this.#statements.values.all(id, this.at, end);
    const spans = new Map(this.#statements.spans.all(id, this.at, end));
    for (let start = this.at, from = 0; start < end; start += checksumSpan) {
      const stop = Math.min(start + checksumSpan, end);
      let to = from;
      while (to < rows.length && rows[to]![0] < stop) to++;
      const wanted = start + checksumSpan <= end ? spans.get(start) : row.open;
      this.#span(checksumName(run, row.name), start, stop, rows.slice(from, to), wanted ?? null, isProtected);
      from = to;
    }
    this.at = end;
    if (end <= row.lastStep) return true;
    this.#ends(row);
    return false;
  }

  #span(metric: string, start: number, stop: number, rows: readonly [number, number | null][], wanted: number | null, isProtected: boolean): void {
    const where = `${this.name}, steps ${start} to ${stop - 1}`;
    const isWhole = rows.length === stop - start && rows.every(([step, value], i) => step === start + i && (value === null || typeof value === "number"));
    if (!isWhole) {
      this.#pyramid = undefined;
      return this.#report("series", where, `${rows.length} values are stored instead of ${stop - start}`, "Values are missing.");
    }
    const values = Float64Array.from(rows, ([, value]) => value ?? NaN);
    if (wanted === null && isProtected) this.#report("series", where, "their checksum is missing", "Changed values would not be noticed.");
    if (wanted !== null) {
      this.compared += values.length;
      if (addToChecksum(emptyChecksum(metric, start), values) !== wanted) {
        this.#pyramid = undefined;
        return this.#report("series", where, "they do not match their checksum", "One or more of these values are not what was logged.");
      }
    }
    this.#compare(start, values);
  }

  /** Compares the stored buckets that these values finish. */
  #compare(start: number, values: Float64Array): void {
    const finished: FinishedBucket[] = [];
    values.forEach((value, i) => this.#pyramid?.add(start + i, value, finished));
    for (const { width, bucket } of finished) {
      const stored = this.#statements.bucket.get(this.#metric.id, width, bucket.start);
      if (stored && sameBucket(bucket, toBucket(stored))) continue;
      this.#pyramid = undefined;
      this.#report("pyramid", `${this.name}, summary of steps ${bucket.start} to ${bucket.start + width - 1}`, stored ? "it differs from the values" : "it is missing", "Charts may show wrong values there; the logged values are sound.");
      return;
    }
  }

  #ends({ count, lastStep, open }: MetricRow): void {
    const { id, isProtected } = this.#metric;
    if (count !== lastStep + 1) this.#report("series", this.name, `its count is ${count}, its last step ${lastStep}`, "The series may show a wrong length.");
    const beyond = this.#statements.beyond.get(id, lastStep) ?? 0;
    if (beyond > 0) this.#report("series", `${this.name}, after step ${lastStep}`, `${beyond} values lie outside the series`, "They were not logged by this run.");
    if (isProtected && lastStep >= 0 && open === null) this.#report("series", this.name, "its last checksum is missing", "Changed values at its end would not be noticed.");
    const buckets = this.#statements.buckets.get(id) ?? 0;
    const expected = pyramidWidths.reduce((sum, width) => sum + Math.floor((lastStep + 1) / width), 0);
    if (buckets !== expected && this.#pyramid) this.#report("pyramid", this.name, `${buckets} summaries are stored instead of ${expected}`, "Charts may show wrong values; the logged values are sound.");
  }
}

/** Whether two buckets show the same values; sums may differ in their last digits. */
function sameBucket(a: Bucket, b: Bucket): boolean {
  const isNear = Math.abs(a.sum - b.sum) <= 1e-9 * Math.max(Math.abs(a.sum), Math.abs(b.sum), Number.MIN_VALUE) + 1e-300;
  const { sum: _a, ...left } = a;
  const { sum: _b, ...right } = b;
  return isNear && Object.entries(left).every(([name, value]) => Object.is(right[name as keyof typeof right], value) || right[name as keyof typeof right] === value);
}
