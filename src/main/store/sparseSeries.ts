/**
 * Series of imported runs: the values at the steps that were recorded, with gaps. Rows, buckets and counts are those of any
 * series; one checksum covers all steps and values and stands in `metrics.open_crc`.
 */
import type { Database, Statement } from "better-sqlite3";
import { crc32 } from "node:zlib";
import { checksumName } from "./checksums.ts";
import { PyramidBuilder, type FinishedBucket } from "./pyramid.ts";

/** Values of one series in increasing order of step, each step once. */
export interface SparsePoints {
  readonly steps: Float64Array;
  readonly values: Float64Array;
}

export const emptySparseChecksum = (run: string, metric: string): number => crc32(checksumName(run, metric));

/** Continues a checksum by steps and values, in the form in which they are stored: any NaN is one, -0 is 0. */
export function addSparse(crc: number, steps: ArrayLike<number>, values: ArrayLike<number>): number {
  const pairs = new Float64Array(2 * steps.length);
  for (let i = 0; i < steps.length; i++) {
    pairs[2 * i] = steps[i]!;
    pairs[2 * i + 1] = Number.isNaN(values[i]!) ? NaN : values[i]! + 0;
  }
  return crc32(new Uint8Array(pairs.buffer), crc);
}

/** Puts `later` into `earlier`; at a step that both have, the later value stays. */
export function mergePoints(earlier: SparsePoints, later: SparsePoints): SparsePoints {
  const steps: number[] = [];
  const values: number[] = [];
  for (let a = 0, b = 0; a < earlier.steps.length || b < later.steps.length; ) {
    const [left, right] = [earlier.steps[a] ?? Infinity, later.steps[b] ?? Infinity];
    steps.push(Math.min(left, right));
    values.push(right <= left ? later.values[b]! : earlier.values[a]!);
    if (left <= right) a++;
    if (right <= left) b++;
  }
  return { steps: Float64Array.from(steps), values: Float64Array.from(values) };
}

interface Open {
  readonly id: number;
  lastStep: number;
  crc: number;
  pyramid: PyramidBuilder;
}

/** Writes the series of one imported run while it is read. Call within transactions. */
export class SparseSeries {
  readonly #run: string;
  readonly #open = new Map<string, Open>();
  readonly #define: Statement<[string, string, string], number>;
  readonly #insert: Statement<[number, number, number]>;
  readonly #bucket: Statement<(number | null)[]>;
  readonly #advance: Statement<[number, number, number, number]>;
  readonly #stored: Statement<[number], [number, number | null]>;
  readonly #clear: readonly Statement<[number]>[];
  readonly #known: Statement<[string], { id: number; name: string }>;

  constructor(db: Database, run: string) {
    this.#run = run;
    this.#define = db.prepare<[string, string, string], number>("INSERT INTO metrics (run, name, position) VALUES (?, ?, (SELECT coalesce(max(position), -1) + 1 FROM metrics WHERE run = ?)) RETURNING id").pluck();
    this.#insert = db.prepare("INSERT INTO series_values (metric, step, value) VALUES (?, ?, ?)");
    this.#bucket = db.prepare("INSERT INTO buckets (metric, width, start, count, non_finite, min, min_step, max, max_step, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#advance = db.prepare("UPDATE metrics SET count = count + ?, last_step = ?, open_crc = ? WHERE id = ?");
    this.#stored = db.prepare<[number], [number, number | null]>("SELECT step, value FROM series_values WHERE metric = ? ORDER BY step").raw();
    this.#clear = ["DELETE FROM series_values WHERE metric = ?", "DELETE FROM buckets WHERE metric = ?", "UPDATE metrics SET count = 0, last_step = -1, open_crc = NULL WHERE id = ?"].map((sql) => db.prepare<[number]>(sql));
    this.#known = db.prepare("SELECT id, name FROM metrics WHERE run = ?");
  }

  /** Removes every value of the run and the series that it does not have any more. */
  clear(db: Database, keep: ReadonlySet<string>): void {
    // Removed on purpose: the store's mark must not take it for a loss.
    db.prepare("UPDATE identity SET erased_steps = erased_steps + (SELECT total(count) FROM metrics WHERE run = ? AND position = 0)").run(this.#run);
    for (const { id, name } of this.#known.all(this.#run)) {
      for (const statement of this.#clear) statement.run(id);
      if (keep.has(name)) this.#open.set(name, this.#fresh(id, name));
      else {
        this.#open.delete(name);
        db.prepare("DELETE FROM metrics WHERE id = ?").run(id);
      }
    }
  }

  /** Adds points. Points at or before the last step are put where they belong; a step recorded again keeps its later value. */
  add(name: string, points: SparsePoints): void {
    if (points.steps.length === 0) return;
    let open = this.#open.get(name);
    if (!open) this.#open.set(name, (open = this.#fresh(this.#define.get(this.#run, name, this.#run)!, name)));
    if (points.steps[0]! > open.lastStep) return this.#append(open, points);
    const stored = this.#stored.all(open.id);
    for (const statement of this.#clear) statement.run(open.id);
    const earlier = { steps: Float64Array.from(stored, ([step]) => step), values: Float64Array.from(stored, ([, value]) => value ?? NaN) };
    const fresh = this.#fresh(open.id, name);
    this.#open.set(name, fresh);
    this.#append(fresh, mergePoints(earlier, points));
  }

  #fresh(id: number, name: string): Open {
    return { id, lastStep: -1, crc: emptySparseChecksum(this.#run, name), pyramid: new PyramidBuilder() };
  }

  #append(open: Open, { steps, values }: SparsePoints): void {
    const finished: FinishedBucket[] = [];
    for (let i = 0; i < steps.length; i++) {
      open.pyramid.add(steps[i]!, values[i]!, finished);
      this.#insert.run(open.id, steps[i]!, values[i]!);
    }
    for (const { width, bucket: b } of finished) this.#bucket.run(open.id, width, b.start, b.count, b.nonFinite, b.min, b.minStep, b.max, b.maxStep, b.sum);
    open.lastStep = steps.at(-1)!;
    open.crc = addSparse(open.crc, steps, values);
    this.#advance.run(steps.length, open.lastStep, open.crc, open.id);
  }
}
