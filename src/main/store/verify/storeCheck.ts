/** Checks a store's database: the file, its log, and every run. Only reads. */
import { statSync } from "node:fs";
import type { Database } from "better-sqlite3";
import { messageOf } from "../../../shared/errors.ts";
import { StoreError } from "../errors.ts";
import { applicationId } from "../layout.ts";
import { openToRead } from "../readOnly.ts";
import { damageAdvice, type Finding, type VerifiedRun, type VerifyReport } from "./findings.ts";
import { RunCheck } from "./runCheck.ts";
import { inspectLog } from "./writeAheadLog.ts";

export interface StoreCheckOptions {
  /** Only these runs, without the file as a whole. */
  readonly runs?: readonly string[] | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Layout version that brought checksums. */
const checksumsSince = 9;

/** Page size of every store; used where the file no longer says. */
const usualPageSize = 4_096;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** @throws StoreError where there is no database at `path` */
export async function checkStoreRows(path: string, { runs, onProgress }: StoreCheckOptions = {}): Promise<VerifyReport> {
  const findings: Finding[] = [];
  const verified: VerifiedRun[] = [];
  const report = (): VerifyReport => ({ path, checkedAt: Date.now(), runs: verified, findings });
  const inFile = (part: "file" | "log", where: string, problem: string, meaning: string, severity: Finding["severity"] = "damage") =>
    findings.push({ part, severity, run: null, study: null, where, problem, meaning, advice: damageAdvice });
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) throw new StoreError(path, `There is no store ${path}. Name the folder of a store with --store.`);
  if (!runs) await checkLog(path, inFile);
  let db: Database;
  try {
    db = openToRead(path);
  } catch (error) {
    inFile("file", path, messageOf(error), "The store cannot be opened.");
    return report();
  }
  try {
    const version = db.pragma("user_version", { simple: true }) as number;
    if (!runs && db.pragma("application_id", { simple: true }) !== applicationId) inFile("file", path, "its header does not say that it is a Hypertower store", "Hypertower refuses to open it.");
    if (!runs) checkFile(db, path, inFile);
    if (version < checksumsSince) {
      inFile("file", path, `an earlier Hypertower wrote it (layout ${version}): it has no checksums yet`, "Changed values cannot be noticed. Hypertower adds checksums after it has opened the store.", "warning");
      return report();
    }
    await checkRows(db, findings, verified, { runs, onProgress });
    if (!runs) checkBelonging(db, path, inFile);
  } catch (error) {
    inFile("file", path, messageOf(error), "Some of the store cannot be read.");
  } finally {
    db.close();
  }
  return report();
}

type InFile = (part: "file" | "log", where: string, problem: string, meaning: string, severity?: Finding["severity"]) => void;

async function checkRows(db: Database, findings: Finding[], verified: VerifiedRun[], { runs, onProgress }: StoreCheckOptions): Promise<void> {
  const check = new RunCheck(db, (finding) => findings.push(finding), nextTurn);
  const ids = runs ?? db.prepare<[], string>("SELECT id FROM runs UNION SELECT run FROM run_checksums").pluck().all();
  for (const [index, id] of ids.entries()) {
    verified.push(await check.check(id));
    onProgress?.(index + 1, ids.length);
  }
  if (runs) return;
  for (const study of db.prepare<[], string>("SELECT id FROM studies UNION SELECT study FROM study_checksums").pluck().all()) check.study(study);
}

/** A log is written while it is read: what seems damaged is read again. */
async function checkLog(path: string, report: InFile): Promise<void> {
  const log = `${path}-wal`;
  const isSound = () => {
    const state = inspectLog(log, usualPageSize);
    return !state || (state.ignored === 0 && !state.torn) ? undefined : state;
  };
  if (!isSound()) return;
  await new Promise((resolve) => setTimeout(resolve, 300));
  const state = isSound();
  if (!state) return;
  if (state.ignored > 0) report("log", log, `page ${state.readable + 1} of ${state.frames} does not match its checksum`, `SQLite ignores it and the ${state.ignored} pages after it: the latest commits are missing from what is shown.`);
  else report("log", log, "its end is damaged or incomplete", "The last commit may be missing, as after a power cut.", "warning");
}

/** At most this many problems are listed. */
const maxProblems = 20;

function checkFile(db: Database, path: string, report: InFile): void {
  const meaning = "Some runs may not be readable, or may miss values.";
  try {
    const problems = db.prepare<[], string>(`PRAGMA integrity_check(${maxProblems})`).pluck().all();
    for (const problem of problems) if (problem !== "ok") report("file", path, problem.replace(/^\*\*\*.*\*\*\*\s*/, ""), meaning);
  } catch (error) {
    report("file", path, messageOf(error), meaning);
  }
}

/** Rows that belong to no run: the row that they belong to is gone. */
function checkBelonging(db: Database, path: string, report: InFile): void {
  for (const { table, parent, count } of db
    .prepare<[], { table: string; parent: string; count: number }>('SELECT "table", parent, count(*) AS count FROM pragma_foreign_key_check GROUP BY "table", parent')
    .all()) {
    report("file", path, `${count} rows of ${table} belong to no row of ${parent}`, `Rows of ${parent} are missing.`);
  }
  // Values of erased runs are deleted in parts.
  const isErasing = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'erasing'").get() ? "AND metric NOT IN (SELECT metric FROM erasing)" : "";
  const lost = db
    .prepare<[], number>(
      `WITH RECURSIVE logged (metric) AS (
         SELECT min(metric) FROM series_values
         UNION ALL SELECT (SELECT min(metric) FROM series_values WHERE metric > logged.metric) FROM logged WHERE metric IS NOT NULL)
       SELECT count(*) FROM logged WHERE metric IS NOT NULL AND metric NOT IN (SELECT id FROM metrics) ${isErasing}`,
    )
    .pluck()
    .get();
  if (lost) report("file", path, `the values of ${lost} series belong to no run`, "Rows of metrics are missing.");
}
