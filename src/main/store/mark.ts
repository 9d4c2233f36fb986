/**
 * The high-water mark, in `mark.json` beside the store: how many runs and steps its file has held.
 * A file that holds fewer has lost some, for example because its write-ahead log was deleted.
 * The mark is written after commits, so it may lag behind the store but never leads it.
 */
import { readFileSync, renameSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { plural } from "../../shared/text.ts";
import { replaceFile } from "../../core/durable/files.ts";
import type { Log } from "./log.ts";

const count = z.number().int().nonnegative();
const totals = { runs: count, steps: count };

const markSchema = z.object({
  /** Id of the store's file. */
  store: z.string(),
  /** Runs and logged steps, including erased ones. */
  ...totals,
  at: z.number(),
  /** Loss that was found when the store was opened; kept until a person acknowledges it. */
  missing: z.object({ at: z.number(), ...totals }).nullable().default(null),
});
export type Mark = z.infer<typeof markSchema>;
export type Missing = NonNullable<Mark["missing"]>;
export type Held = Pick<Mark, "store" | "runs" | "steps">;

export const markFileOf = (storeFile: string) => join(dirname(storeFile), "mark.json");

/** Undefined for a store without a readable mark, such as one of an earlier version. */
export function readMark(storeFile: string): Mark | undefined {
  try {
    return markSchema.parse(JSON.parse(readFileSync(markFileOf(storeFile), "utf8")));
  } catch {
    return undefined;
  }
}

/** Replaces the mark durably. @throws a file system error */
export function writeMark(storeFile: string, mark: Mark): void {
  replaceFile(markFileOf(storeFile), textOf(mark));
}

const textOf = (mark: Mark) => `${JSON.stringify(mark)}\n`;

/** What the store's file holds now. @throws SqliteError, also for a layout without identity */
export function heldBy(db: Database): Held {
  return db
    .prepare<[], Held>(
      `SELECT id AS store, erased_runs + (SELECT count(*) FROM runs) AS runs,
         erased_steps + (SELECT total(count) FROM metrics WHERE position = 0) AS steps FROM identity`,
    )
    .get()!;
}

/** What a file lacks of what its mark says; null when nothing is missing. */
export function missingFrom(held: Held, mark: Mark | undefined, now: number): Missing | null {
  if (!mark) return null;
  const found = { at: now, runs: Math.max(0, mark.runs - held.runs), steps: Math.max(0, mark.steps - held.steps) };
  if (found.runs === 0 && found.steps === 0) return mark.missing;
  return mark.missing ? { at: now, runs: found.runs + mark.missing.runs, steps: found.steps + mark.missing.steps } : found;
}

/** Message to the user about lost runs or steps. */
export function missingMessage(storeFile: string, { runs, steps }: Pick<Missing, "runs" | "steps">): string {
  const parts = [...(runs > 0 ? [plural(runs, "run")] : []), ...(steps > 0 ? [plural(steps, "logged step")] : [])].join(" and ");
  return (
    `${storeFile} has lost ${parts} that it held before: an older copy has replaced it, or its write-ahead log was deleted. ` +
    "What is left can be used. If you have the missing files, close Hypertower and put them back; \"hypertower doctor\" lists backups and what else can be done."
  );
}

/** Keeps the mark of an open store current. */
export class MarkKeeper {
  readonly #path: string;
  readonly #db: Database;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  readonly #isHere: () => boolean;
  #mark: Mark | undefined;
  #closed = false;
  #writing = false;
  #warned = false;

  /**
   * Compares the file with its mark; a loss is logged and stays noted.
   * @param isHere whether the open file still has its name: the mark beside another file must not tell of this one
   */
  constructor(path: string, db: Database, log: Log, isHere: () => boolean = () => true, writeEvery = 2_000) {
    this.#path = path;
    this.#db = db;
    this.#log = log;
    this.#isHere = isHere;
    this.#mark = readMark(path);
    const held = heldBy(db);
    const missing = missingFrom(held, this.#mark, Date.now());
    if (missing) log.warn(missingMessage(path, missing));
    this.#attempt(() => this.#write({ ...held, at: Date.now(), missing }));
    this.#timer = setInterval(() => void this.update(), writeEvery);
    this.#timer.unref();
  }

  /** Message to the user about lost runs and steps; null when none are known. */
  get loss(): string | null {
    const missing = this.#mark?.missing;
    return missing ? missingMessage(this.#path, missing) : null;
  }

  /** Ends the warning about lost runs and steps. @throws a file system error */
  acknowledge(): void {
    this.#write({ ...heldBy(this.#db), at: Date.now(), missing: null });
  }

  /** Writes the mark if the store has grown. Does not block on the disk. */
  async update(): Promise<void> {
    if (this.#writing || this.#closed) return;
    this.#writing = true;
    try {
      const held = heldBy(this.#db);
      if (!this.#isNew(held) || !this.#isHere()) return;
      const file = markFileOf(this.#path);
      const written = this.#nextFile;
      const mark = { ...held, at: Date.now(), missing: this.#mark?.missing ?? null };
      const handle = await open(written, "w", 0o600);
      try {
        await handle.writeFile(textOf(mark));
        await handle.sync();
      } finally {
        await handle.close();
      }
      // close() and acknowledge() have written a newer one.
      if (this.#closed || mark.missing !== (this.#mark?.missing ?? null)) return this.#removeNext();
      renameSync(written, file);
      this.#mark = mark;
    } catch (error) {
      this.#warn(error);
    } finally {
      this.#writing = false;
    }
  }

  /** Writes the last mark. Call before the connection is closed. */
  close(): void {
    clearInterval(this.#timer);
    this.#closed = true;
    if (this.#writing) this.#removeNext();
    this.#attempt(() => {
      const held = heldBy(this.#db);
      if (this.#isNew(held) && this.#isHere()) this.#write({ ...held, at: Date.now(), missing: this.#mark?.missing ?? null });
    });
  }

  get #nextFile(): string {
    return `${markFileOf(this.#path)}.${process.pid}.next`;
  }

  /** Removes what update() has begun: the process may end before it goes on. */
  #removeNext(): void {
    try {
      rmSync(this.#nextFile, { force: true });
    } catch {
      // Windows keeps open files; update() removes it.
    }
  }

  #isNew({ store, runs, steps }: Held): boolean {
    return store !== this.#mark?.store || runs !== this.#mark.runs || steps !== this.#mark.steps;
  }

  #write(mark: Mark): void {
    writeMark(this.#path, mark);
    this.#mark = mark;
  }

  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#log.warn(`store: the record of what ${this.#path} holds could not be written: ${messageOf(error)}`);
  }
}
