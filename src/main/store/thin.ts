/**
 * Thins runs: erases their values and keeps their buckets from a width on. Checksums of these buckets are made first. Then one
 * transaction says in the run's row that it is thinned. The values are deleted afterwards in small transactions, which the next host
 * continues after a crash.
 */
import type { Database } from "better-sqlite3";
import { setTimeout as pause } from "node:timers/promises";
import { plural } from "../../shared/text.ts";
import { keptFrom, type ThinWidth } from "../../shared/thinning.ts";
import { checksumName } from "./checksums.ts";
import { StoreError } from "./errors.ts";
import { Parts } from "./parts.ts";
import { bucketGroups, bucketsChecksum, firstValueChecksum, firstValueWidth, KeptBuckets, keptValues } from "./keptBuckets.ts";

interface Write {
  change<T>(what: string, work: () => T): T;
}

interface Metric {
  readonly id: number;
  readonly name: string;
  readonly lastStep: number;
}

/** Groups of buckets whose checksums are made in one transaction, and rows deleted in one: some milliseconds. */
const groupsAtOnce = 32;
const rowsAtOnce = 4_000;

export class Thinner {
  readonly #db: Database;
  readonly #path: string;
  readonly #write: Write;
  readonly #parts: Parts;

  constructor(db: Database, path: string, write: Write) {
    this.#db = db;
    this.#path = path;
    this.#write = write;
    this.#parts = new Parts(
      () => db.prepare<[], number>("SELECT metric FROM thinning LIMIT 1").pluck().get(),
      (metric) => write.change("erase values of thinned runs", () => this.#part(metric)),
    );
  }

  /** Why a run cannot be thinned to buckets of `width` steps; null when it can. Whether it can be resumed is for the caller to know. */
  problem(run: string, width: ThinWidth): string | null {
    const row = this.#db
      .prepare<[string], { name: string; status: string; study: string | null; studyStatus: string | null; inBin: number; isImported: number; thinnedAt: number | null; since: number | null; lastStep: number | null; shortest: number | null }>(
        `SELECT runs.name, runs.status, runs.study, studies.status AS studyStatus, runs.deleted_at IS NOT NULL AS inBin, runs.imported IS NOT NULL AS isImported, thinned_at AS thinnedAt,
           (SELECT since FROM run_checksums WHERE run = runs.id) AS since,
           (SELECT max(last_step) FROM metrics WHERE run = runs.id) AS lastStep, (SELECT min(last_step) FROM metrics WHERE run = runs.id) AS shortest
         FROM runs LEFT JOIN studies ON studies.id = runs.study WHERE runs.id = ?`,
      )
      .get(run);
    if (!row) return `There is no run ${run} in ${this.#path}.`;
    const { name, status, study, studyStatus, inBin, isImported, thinnedAt, since, lastStep, shortest } = row;
    const named = `Run ${name} (${run})`;
    if (isImported) return `${named} was imported; only runs trained here can be thinned.`;
    if (["queued", "running", "paused"].includes(status)) return `${named} is ${status}. Stop it first.`;
    if (studyStatus === "running" || studyStatus === "paused") return `${named} belongs to study ${study}, which is ${studyStatus}. Stop the study first, or wait for its end.`;
    if (study !== null && status !== "finished" && status !== "diverged") return `${named} is ${status} and belongs to study ${study}, which can train it again. Only finished and diverged runs of a study can be thinned.`;
    if (inBin === 1) return `${named} is in the bin. Restore it, or erase it for good.`;
    if (thinnedAt !== null) return `${named} is thinned already.`;
    if (lastStep === null || lastStep < width) return `${named} has ${plural((lastStep ?? -1) + 1, "step")}; thinning to buckets of ${width} steps frees nothing below ${width + 1} steps.`;
    if (shortest !== lastStep) return `${named} is damaged: its series end at different steps. Check it first: hypertower verify.`;
    if (since === null) return `${named} was logged by an earlier Hypertower, and its checksums are still being made. Try again in some minutes.`;
    return null;
  }

  /**
   * Thins a run. Committed when this resolves; `rest()` deletes the values.
   * @returns the number of values that are erased
   * @throws StoreError when it cannot be thinned (any more); nothing is erased then
   */
  async thin(run: string, width: ThinWidth, at = Date.now()): Promise<number> {
    this.#require(run, width);
    const metrics = this.#metrics(run);
    for (const metric of metrics) await this.#makeChecksums(run, metric, width);
    return this.#write.change("thin a run", () => {
      this.#require(run, width);
      const now = this.#metrics(run);
      if (JSON.stringify(now) !== JSON.stringify(metrics)) throw new StoreError(this.#path, `Run ${run} was changed while it was thinned. Nothing was erased; try again.`);
      this.#db.prepare("UPDATE runs SET thinned_at = ?, thinned_width = ? WHERE id = ?").run(at, width, run);
      this.#db.prepare("INSERT OR IGNORE INTO thinning (metric) SELECT id FROM metrics WHERE run = ?").run(run);
      this.#db.prepare("INSERT INTO run_events (run, at, step, kind, message) VALUES (?, ?, ?, 'thinned', ?)").run(run, at, now[0]!.lastStep + 1, `Thinned: the values of its steps were erased; summaries of ${width} steps each are kept.`);
      return now.reduce((sum, { lastStep }) => sum + lastStep + 1 - keptValues(lastStep, width), 0);
    });
  }

  /** Number of logged steps of a run. */
  logged(run: string): number {
    return Math.max(-1, ...this.#metrics(run).map(({ lastStep }) => lastStep)) + 1;
  }

  /** Deletes the values of thinned runs in parts, with pauses. Resolves when none are left, to whether there were any. */
  rest(): Promise<boolean> {
    return this.#parts.rest();
  }

  /** Stops after the current part; the next host goes on. */
  close(): void {
    this.#parts.close();
  }

  #require(run: string, width: ThinWidth): void {
    const problem = this.problem(run, width);
    if (problem !== null) throw new StoreError(this.#path, `${problem} Nothing was erased.`);
  }

  #metrics(run: string): Metric[] {
    return this.#db.prepare<[string], Metric>("SELECT id, name, last_step AS lastStep FROM metrics WHERE run = ? ORDER BY position").all(run);
  }

  async #makeChecksums(run: string, { id, name, lastStep }: Metric, width: ThinWidth): Promise<void> {
    const kept = new KeptBuckets(this.#db);
    const label = checksumName(run, name);
    const insert = this.#db.prepare("INSERT OR REPLACE INTO kept_checksums (metric, width, start, crc) VALUES (?, ?, ?, ?)");
    this.#write.change("make checksums", () => {
      this.#db.prepare("DELETE FROM kept_checksums WHERE metric = ?").run(id);
      const first = this.#db.prepare<[number], number | null>("SELECT value FROM series_values WHERE metric = ? AND step = 0").pluck().get(id);
      if (first === undefined) throw new StoreError(this.#path, `Run ${run} is damaged: step 0 of ${name} is missing. Nothing was erased.`);
      insert.run(id, firstValueWidth, 0, firstValueChecksum(label, first ?? NaN));
    });
    const groups = [...bucketGroups(lastStep, width)];
    for (let at = 0; at < groups.length; at += groupsAtOnce) {
      this.#write.change("make checksums", () => {
        for (const group of groups.slice(at, at + groupsAtOnce)) {
          const buckets = kept.read(id, group);
          if (!KeptBuckets.isWhole(group, buckets)) throw new StoreError(this.#path, `Run ${run} is damaged: summaries of ${name} from step ${group.start} on are missing or wrong. Nothing was erased.`);
          insert.run(id, group.width, group.start, bucketsChecksum(label, group, buckets));
        }
      });
      await pause(1);
    }
  }

  #part(metric: number): void {
    const db = this.#db;
    const found = db
      .prepare<[number], { lastStep: number; width: number }>("SELECT last_step AS lastStep, thinned_width AS width FROM thinning JOIN metrics ON metrics.id = metric JOIN runs ON runs.id = run WHERE metric = ? AND thinned_width IS NOT NULL")
      .get(metric);
    if (found) {
      const kept = keptFrom(found.lastStep, found.width);
      const until = db.prepare<[number, number], number | null>(`SELECT max(step) FROM (SELECT step FROM series_values WHERE metric = ? AND step > 0 AND step < ? ORDER BY step LIMIT ${rowsAtOnce})`).pluck().get(metric, kept) ?? null;
      if (until !== null) {
        db.prepare("DELETE FROM series_values WHERE metric = ? AND step > 0 AND step <= ?").run(metric, until);
        return;
      }
      for (const [table, where, limit] of [["buckets", "width < ?", found.width], ["series_checksums", "start < ?", kept]] as const) {
        const key = table === "buckets" ? "metric, width, start" : "metric, start";
        const { changes } = db.prepare(`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE metric = ? AND ${where} LIMIT ${rowsAtOnce})`).run(metric, limit);
        if (changes > 0) return;
      }
    }
    // Only now: until then a crash leaves it to the next host.
    db.prepare("DELETE FROM thinning WHERE metric = ?").run(metric);
  }
}
