/** Writes series: every value, each finished bucket of the pyramid, and the checksums of the values. */
import type { Database, Statement } from "better-sqlite3";
import { ChecksumBuilder, checksumName, checksumSpan, type SpanChecksum } from "./checksums.ts";
import { PyramidBuilder, type FinishedBucket } from "./pyramid.ts";
import { bucketsFrom, toBucket, valuesFrom, type BucketColumns } from "./seriesRows.ts";

/** Consecutive logged steps, row-major: `values[row * columns + column]`. */
export interface StepRows {
  readonly firstStep: number;
  readonly count: number;
  readonly values: Float64Array;
}

interface Column {
  readonly metric: number;
  readonly pyramid: PyramidBuilder;
  readonly checksum: ChecksumBuilder;
  finished: FinishedBucket[];
  spans: SpanChecksum[];
}

type NewColumn = Omit<Column, "finished" | "spans">;

/** Rows of a run that wait for the next commit. */
export class SeriesBuffer {
  readonly #columns: readonly Column[];
  #rows: StepRows[] = [];
  #nextStep = 0;
  #pendingValues = 0;

  /** @param columns one for each metric; their builders have taken the first `nextStep` values */
  constructor(columns: readonly NewColumn[], nextStep = 0) {
    this.#columns = columns.map((column) => ({ ...column, finished: [], spans: [] }));
    this.#nextStep = nextStep;
  }

  get nextStep(): number {
    return this.#nextStep;
  }

  /** Number of pending values. */
  get pendingValues(): number {
    return this.#pendingValues;
  }

  get columns(): readonly Column[] {
    return this.#columns;
  }

  get rows(): readonly StepRows[] {
    return this.#rows;
  }

  /** @throws RangeError unless the rows continue the series and have a value for every metric. */
  append(rows: StepRows): void {
    const width = this.#columns.length;
    if (rows.firstStep !== this.#nextStep) {
      throw new RangeError(`rows start at step ${rows.firstStep}; the next step to log is ${this.#nextStep}`);
    }
    if (rows.values.length !== rows.count * width) {
      throw new RangeError(`${rows.count} rows of ${width} metrics need ${rows.count * width} values, not ${rows.values.length}`);
    }
    const values = new Float64Array(rows.count);
    this.#columns.forEach(({ pyramid, checksum, finished, spans }, column) => {
      for (let row = 0; row < rows.count; row++) {
        const value = rows.values[row * width + column] as number;
        pyramid.add(rows.firstStep + row, value, finished);
        values[row] = value;
      }
      checksum.add(values, spans);
    });
    this.#rows.push(rows);
    this.#nextStep += rows.count;
    this.#pendingValues += rows.values.length;
  }

  /** Clears the pending rows after their commit. */
  clear(): void {
    this.#rows = [];
    this.#pendingValues = 0;
    for (const column of this.#columns) {
      column.finished = [];
      column.spans = [];
    }
  }
}

/** Rows per INSERT, largest first: batches take about half the time of single rows. */
const insertSizes = [128, 32, 8, 1] as const;

type BucketParameters = [number, number, number, number, number, number | null, number | null, number | null, number | null, number];

/** Stores a SeriesBuffer. Call inside a transaction. */
export class SeriesWriter {
  readonly #inserts: readonly { size: number; statement: Statement<number[]> }[];
  readonly #bucket: Statement<BucketParameters>;
  readonly #span: Statement<[number, number, number]>;
  readonly #advance: Statement<[number, number, number, number]>;
  readonly #define: Statement<[string, string, number], number>;
  readonly #known: Statement<[string], { id: number; name: string; lastStep: number; open: number | null }>;
  readonly #buckets: Statement<[number, number, number], BucketColumns>;
  readonly #values: Statement<[number, number], [number, number | null]>;

  constructor(db: Database) {
    this.#inserts = insertSizes.map((size) => ({
      size,
      statement: db.prepare(`INSERT INTO series_values (metric, step, value) VALUES ${Array<string>(size).fill("(?, ?, ?)").join(", ")}`),
    }));
    this.#bucket = db.prepare(
      `INSERT INTO buckets (metric, width, start, count, non_finite, min, min_step, max, max_step, sum)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#span = db.prepare("INSERT OR REPLACE INTO series_checksums (metric, start, crc) VALUES (?, ?, ?)");
    this.#advance = db.prepare("UPDATE metrics SET count = count + ?, last_step = ?, open_crc = ? WHERE id = ?");
    this.#define = db
      .prepare<[string, string, number], number>("INSERT INTO metrics (run, name, position) VALUES (?, ?, ?) RETURNING id")
      .pluck();
    this.#known = db.prepare("SELECT id, name, last_step AS lastStep, open_crc AS open FROM metrics WHERE run = ? ORDER BY position");
    this.#buckets = db.prepare<[number, number, number], BucketColumns>(bucketsFrom).raw();
    this.#values = db.prepare<[number, number], [number, number | null]>(valuesFrom).raw();
  }

  /** Creates the metrics of a run, in the order of its columns. */
  begin(run: string, metrics: readonly string[]): SeriesBuffer {
    return new SeriesBuffer(
      metrics.map((name, position) => ({
        metric: this.#define.get(run, name, position) as number,
        pyramid: new PyramidBuilder(),
        checksum: new ChecksumBuilder(checksumName(run, name)),
      })),
    );
  }

  /**
   * A buffer that continues a run's stored series; undefined if it has none.
   * @throws RangeError when the run logged other metrics
   */
  resume(run: string, metrics: readonly string[]): SeriesBuffer | undefined {
    const known = this.#known.all(run);
    if (known.length === 0) return undefined;
    const names = known.map(({ name }) => name);
    if (names.join() !== metrics.join()) {
      throw new RangeError(`the run logged ${names.join(", ")}; this version would log ${metrics.join(", ")}`);
    }
    const next = known[0]!.lastStep + 1;
    const pyramidOf = (metric: number) =>
      PyramidBuilder.resume(
        next,
        (from) => this.#values.all(metric, from).map(([step, value]) => ({ step, value: value ?? NaN })),
        (width, from) => this.#buckets.all(metric, width, from).map(toBucket),
      );
    return new SeriesBuffer(
      known.map(({ id, name, open }) => ({ metric: id, pyramid: pyramidOf(id), checksum: this.#checksum(checksumName(run, name), id, next, open) })),
      next,
    );
  }

  /** @param open stored checksum of the open span; null for a series that an earlier version logged */
  #checksum(name: string, metric: number, next: number, open: number | null): ChecksumBuilder {
    if (open !== null) return new ChecksumBuilder(name, next, open);
    const start = next - (next % checksumSpan);
    const builder = new ChecksumBuilder(name, start);
    builder.add(Float64Array.from(this.#values.all(metric, start), ([, value]) => value ?? NaN), []);
    return builder;
  }

  write(buffer: SeriesBuffer): void {
    const { rows, columns } = buffer;
    if (rows.length === 0) return;
    const count = rows.reduce((sum, batch) => sum + batch.count, 0);
    columns.forEach(({ metric, checksum, finished, spans }, column) => {
      this.#writeValues(metric, column, columns.length, rows);
      this.#advance.run(count, buffer.nextStep - 1, checksum.open, metric);
      for (const { start, crc } of spans) this.#span.run(metric, start, crc);
      for (const { width, bucket: b } of finished) {
        this.#bucket.run(metric, width, b.start, b.count, b.nonFinite, b.min, b.minStep, b.max, b.maxStep, b.sum);
      }
    });
  }

  #writeValues(metric: number, column: number, width: number, batches: readonly StepRows[]): void {
    const parameters: number[] = [];
    for (const { firstStep, count, values } of batches) {
      for (let row = 0; row < count; row++) {
        parameters.push(metric, firstStep + row, values[row * width + column] as number);
      }
    }
    let at = 0;
    for (const { size, statement } of this.#inserts) {
      for (; at + 3 * size <= parameters.length; at += 3 * size) statement.run(...parameters.slice(at, at + 3 * size));
    }
  }
}
