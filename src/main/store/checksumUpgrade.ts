/** Makes the checksums of runs that earlier versions logged, a little at a time. They protect what is stored from then on. */
import type { Database, Statement } from "better-sqlite3";
import { messageOf } from "../../shared/errors.ts";
import { activeStatuses } from "../../shared/run.ts";
import { addToChecksum, checksumName, checksumSpan, emptyChecksum, type SpanChecksum } from "./checksums.ts";
import type { Log } from "./log.ts";
import { Seals } from "./seals.ts";
import type { Writer } from "./writer.ts";

/** Spans per call, which takes some milliseconds. */
const spansAtOnce = 64;

interface OldMetric {
  readonly id: number;
  readonly name: string;
  readonly lastStep: number;
}

/** The run at work: its metrics that are not done, and where the first of them stands. */
interface Work {
  readonly run: string;
  readonly metrics: OldMetric[];
  start: number;
}

export class ChecksumUpgrade {
  readonly #due: Statement<[string], string>;
  readonly #metrics: Statement<[string], OldMetric>;
  readonly #values: Statement<[number, number, number], [number, number | null]>;
  readonly #span: Statement<[number, number, number]>;
  readonly #open: Statement<[number, number, number]>;
  readonly #active: Statement<[string], unknown>;
  readonly #seals: Seals;
  readonly #writer: Pick<Writer, "change">;
  readonly #log: Log;
  #work: Work | undefined;
  #after = "";

  constructor({ reader, writer }: { reader: Database; writer: Database }, change: Pick<Writer, "change">, log: Log) {
    this.#log = log;
    const active = activeStatuses.map((status) => `'${status}'`).join(", ");
    this.#due = reader
      .prepare<[string], string>(`SELECT run FROM run_checksums JOIN runs ON runs.id = run WHERE since IS NULL AND run > ? AND status NOT IN (${active}) ORDER BY run LIMIT 1`)
      .pluck();
    this.#metrics = reader.prepare("SELECT id, name, last_step AS lastStep FROM metrics WHERE run = ? ORDER BY position");
    this.#values = reader
      .prepare<[number, number, number], [number, number | null]>("SELECT step, value FROM series_values WHERE metric = ? AND step >= ? AND step < ? ORDER BY step")
      .raw();
    this.#span = writer.prepare("INSERT OR IGNORE INTO series_checksums (metric, start, crc) VALUES (?, ?, ?)");
    // A series that was continued meanwhile has its open checksum already.
    this.#open = writer.prepare("UPDATE metrics SET open_crc = ? WHERE id = ? AND last_step = ? AND open_crc IS NULL");
    this.#active = writer.prepare(`SELECT 1 FROM runs WHERE id = ? AND status IN (${active})`);
    this.#seals = new Seals(writer);
    this.#writer = change;
  }

  /** Makes the next checksums. Returns whether there may be more. A run that cannot be read is logged and skipped. */
  next(): boolean {
    const work = (this.#work ??= this.#begin());
    if (!work) return false;
    try {
      const [metric] = work.metrics;
      if (metric) this.#advance(work, metric);
      else this.#finish(work.run);
    } catch (error) {
      this.#work = undefined;
      this.#log.warn(`store: the checksums of run ${work.run} could not be made and are tried again at the next start: ${messageOf(error)}`);
    }
    return true;
  }

  #begin(): Work | undefined {
    const run = this.#due.get(this.#after);
    if (run === undefined) return undefined;
    this.#after = run;
    return { run, metrics: this.#metrics.all(run), start: 0 };
  }

  #advance(work: Work, { id, name, lastStep }: OldMetric): void {
    const end = Math.min(work.start + spansAtOnce * checksumSpan, lastStep + 1);
    const rows = this.#values.all(id, work.start, end);
    const spans: SpanChecksum[] = [];
    let open = emptyChecksum(checksumName(work.run, name), work.start);
    for (let at = work.start; at < end; at += checksumSpan) {
      const values = Float64Array.from(rows.slice(at - work.start, Math.min(at + checksumSpan, end) - work.start), ([, value]) => value ?? NaN);
      const crc = addToChecksum(emptyChecksum(checksumName(work.run, name), at), values);
      if (at + checksumSpan <= end) spans.push({ start: at, crc });
      open = at + checksumSpan <= end ? emptyChecksum(checksumName(work.run, name), at + checksumSpan) : crc;
    }
    this.#writer.change("make checksums", () => {
      for (const { start, crc } of spans) this.#span.run(id, start, crc);
      if (end === lastStep + 1 && lastStep >= 0) this.#open.run(open, id, lastStep);
    });
    work.start = end;
    if (end < lastStep + 1) return;
    work.metrics.shift();
    work.start = 0;
  }

  #finish(run: string): void {
    this.#writer.change("make checksums", () => {
      // A run that was resumed meanwhile is due again at the next start.
      if (this.#active.get(run) === undefined) this.#seals.protect(run, Date.now());
    });
    this.#work = undefined;
  }
}
