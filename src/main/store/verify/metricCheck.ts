/** Checks the series of one metric, some thousand values at a time. */
import type { Database, Statement } from "better-sqlite3";
import { messageOf } from "../../../shared/errors.ts";
import type { Bucket } from "../../../shared/series.ts";
import { keptFrom, thinWidth } from "../../../shared/thinning.ts";
import { addToChecksum, checksumName, checksumSpan, emptyChecksum } from "../checksums.ts";
import { bucketGroups, bucketsChecksum, firstValueChecksum, firstValueWidth, KeptBuckets, type BucketGroup } from "../keptBuckets.ts";
import { PyramidBuilder, pyramidWidths, type FinishedBucket } from "../pyramid.ts";
import { toBucket, type BucketColumns } from "../seriesRows.ts";
import type { Report } from "./findings.ts";

/** Values per read, which takes some milliseconds. */
const valuesAtOnce = 32 * checksumSpan;

/** Groups of kept buckets per read. */
const groupsAtOnce = 64;

interface MetricRow {
  readonly name: string;
  readonly count: number;
  readonly lastStep: number;
  readonly open: number | null;
  /** Steps per kept bucket of a thinned run; null for any other. It may be thinned while it is checked. */
  readonly thinnedTo: number | null;
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
  readonly between: Statement<[number, number], number>;
  readonly isThinning: Statement<[number], unknown> | undefined;
  readonly kept: KeptBuckets | undefined;
}

export function prepareMetricCheck(db: Database): MetricStatements {
  // Not in stores of earlier layouts.
  const canThin = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'kept_checksums'").get() !== undefined;
  return {
    metric: db.prepare(`SELECT name, count, last_step AS lastStep, open_crc AS open, ${canThin ? "(SELECT thinned_width FROM runs WHERE id = run)" : "NULL"} AS thinnedTo FROM metrics WHERE id = ?`),
    values: db.prepare<[number, number, number], [number, number | null]>("SELECT step, value FROM series_values WHERE metric = ? AND step >= ? AND step < ? ORDER BY step").raw(),
    spans: db.prepare<[number, number, number], [number, number]>("SELECT start, crc FROM series_checksums WHERE metric = ? AND start >= ? AND start < ?").raw(),
    bucket: db
      .prepare<[number, number, number], BucketColumns>("SELECT start, count, non_finite, min, min_step, max, max_step, sum FROM buckets WHERE metric = ? AND width = ? AND start = ?")
      .raw(),
    buckets: db.prepare<[number], number>("SELECT count(*) FROM buckets WHERE metric = ?").pluck(),
    beyond: db.prepare<[number, number], number>("SELECT count(*) FROM series_values WHERE metric = ? AND (step < 0 OR step > ?)").pluck(),
    between: db.prepare<[number, number], number>("SELECT count(*) FROM series_values WHERE metric = ? AND step > 0 AND step < ?").pluck(),
    isThinning: canThin ? db.prepare<[number]>("SELECT 1 FROM thinning WHERE metric = ?") : undefined,
    kept: canThin ? new KeptBuckets(db) : undefined,
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
  /** Whether what a thinned run keeps instead of its values was checked. */
  #keptChecked = false;
  #groups: Iterator<BucketGroup> | undefined;
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
    const { data: thinnedTo } = thinWidth.safeParse(row.thinnedTo);
    if (thinnedTo !== undefined && !this.#keptChecked) return this.#checkKept(row, thinnedTo);
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

  /** Checks the next summaries that stand for erased values. Returns true: the values that are left come afterwards. */
  #checkKept({ name, lastStep }: MetricRow, width: number): boolean {
    const { id, run } = this.#metric;
    const { kept, values, between, isThinning } = this.#statements;
    const label = checksumName(run, name);
    if (!this.#groups) {
      this.#groups = bucketGroups(lastStep, width);
      // The buckets are not compared with values.
      this.#pyramid = undefined;
      const [first] = values.all(id, 0, 1);
      if (!first || kept?.checksum(id, { width: firstValueWidth, start: 0 }) !== firstValueChecksum(label, first[1] ?? NaN)) this.#report("series", `${name}, step 0`, first ? "it does not match its checksum" : "it is missing", "The first value is not what was logged.");
      else this.compared++;
      const rest = isThinning?.get(id) === undefined ? (between.get(id, keptFrom(lastStep, width)) ?? 0) : 0;
      if (rest > 0) this.#report("series", `${name}, steps 1 to ${keptFrom(lastStep, width) - 1}`, `${rest} values are stored, but were erased when the run was thinned`, "They were not logged by this run.");
    }
    for (let count = 0; count < groupsAtOnce; count++) {
      const { value: group, done } = this.#groups.next() as IteratorResult<BucketGroup, undefined>;
      if (done) {
        this.#keptChecked = true;
        this.at = keptFrom(lastStep, width);
        return true;
      }
      const buckets = kept?.read(id, group) ?? [];
      const where = `${name}, summaries of ${group.width} steps from step ${group.start} to ${group.start + group.count * group.width - 1}`;
      const meaning = "The values were erased when the run was thinned; charts may show wrong values there.";
      if (!KeptBuckets.isWhole(group, buckets)) this.#report("series", where, "some are missing or are not what a run holds", meaning);
      else if (kept?.checksum(id, group) !== bucketsChecksum(label, group, buckets)) this.#report("series", where, "they do not match their checksum", meaning);
      else if (group.width === width) this.compared += group.count;
    }
    return true;
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
