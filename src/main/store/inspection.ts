/** Looks at a store's file without changing it, whatever state it is in. */
import { statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { z } from "zod";
import { messageOf } from "../../shared/errors.ts";
import { keptWeight } from "../../shared/thinning.ts";
import { unusedNetwork } from "../../shared/storage.ts";
import { finding } from "../../shared/verification.ts";
import { checkStoreRows } from "./verify/storeCheck.ts";
import { isLocked } from "./hostLock.ts";
import { quickCheck } from "./integrity.ts";
import { applicationId } from "./layout.ts";
import { migrations, versionOf } from "./migrations.ts";
import { unusedNetworksIn } from "./networks.ts";

const inspectedRun = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  steps: z.number(),
  inBin: z.number(),
  /** Logged values of all metrics; for a thinned run, as many as take the space of what is kept. */
  values: z.number(),
  /** Steps per kept summary of a thinned run. */
  thinnedTo: z.number().nullable(),
});

export const inspection = z.object({
  /** `missing` and `empty`: no database. `foreign`: a database of another program. `unreadable`: with `problem`. */
  state: z.enum(["missing", "empty", "foreign", "newer", "damaged", "unreadable", "sound"]),
  problem: z.string().nullable(),
  bytes: z.number(),
  /** Bytes of the write-ahead log. */
  log: z.number(),
  unused: z.number(),
  layout: z.number(),
  runs: z.array(inspectedRun),
  binnedStudies: z.number(),
  /** Imported networks that no run and no study uses. */
  unusedNetworks: z.array(unusedNetwork),
  /** Hosts of this machine that have ended without closing the store. */
  endedHosts: z.number(),
  /** Metrics of erased or thinned runs whose values are still to be deleted. */
  erasing: z.number(),
  /** Damage and warnings that a check of every row has found. */
  findings: z.array(finding),
});
export type Inspection = z.infer<typeof inspection>;

const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** @param check whether every page of the file is checked, which takes minutes for a large one */
export function inspectStore(file: string, check: boolean): Inspection {
  const nothing = { problem: null, bytes: size(file), log: size(`${file}-wal`), unused: 0, layout: 0, runs: [], binnedStudies: 0, unusedNetworks: [], endedHosts: 0, erasing: 0, findings: [] };
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat) return { state: "missing", ...nothing };
  if (!stat.isFile()) return { state: "unreadable", ...nothing, problem: "it is not a file" };
  if (stat.size === 0) return { state: "empty", ...nothing };
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
    const layout = versionOf(db);
    const isEmpty = db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
    if (db.pragma("application_id", { simple: true }) !== applicationId) return { state: isEmpty ? "empty" : "foreign", ...nothing };
    if (layout > migrations.length) return { state: "newer", ...nothing, layout };
    const problem = check ? quickCheck(db) : null;
    return { state: problem === null ? "sound" : "damaged", ...nothing, problem, layout, ...contents(db, file, layout) };
  } catch (error) {
    const isDamage = error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code);
    return { state: isDamage ? "damaged" : "unreadable", ...nothing, problem: messageOf(error) };
  } finally {
    db?.close();
  }
}

/** At most this many findings are passed on; "hypertower verify" lists all. */
const maxFindings = 50;

/** Inspects a store and checks every row with its checksum. Only reads. */
export async function inspectWhole(file: string): Promise<Inspection> {
  const found = inspectStore(file, true);
  if (found.state !== "sound") return found;
  const { findings } = await checkStoreRows(file);
  return { ...found, findings: findings.slice(0, maxFindings) };
}

function contents(db: Database.Database, file: string, layout: number) {
  const pageSize = db.pragma("page_size", { simple: true }) as number;
  const has = (table: string) => db.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table) !== undefined;
  const runs = db
    .prepare<[], z.infer<typeof inspectedRun> & { readonly metrics: number }>(
      `SELECT runs.id, runs.name, runs.status, runs.steps, runs.deleted_at IS NOT NULL AS inBin, coalesce(logged.total, 0) AS "values",
         coalesce(logged.metrics, 0) AS metrics, ${has("thinning") ? "thinned_width" : "NULL"} AS thinnedTo
       FROM runs LEFT JOIN (SELECT run, sum(count) AS total, count(*) AS metrics FROM metrics GROUP BY run) AS logged ON logged.run = runs.id`,
    )
    .all()
    .map(({ metrics, ...run }) => (run.thinnedTo === null || metrics === 0 ? run : { ...run, values: metrics * keptWeight(run.values / metrics, run.thinnedTo) }));
  const hosts = layout >= 4 ? db.prepare<[string], string>("SELECT token FROM hosts WHERE host = ?").pluck().all(hostname()) : [];
  return {
    unused: (db.pragma("freelist_count", { simple: true }) as number) * pageSize,
    runs,
    binnedStudies: layout >= 2 ? (db.prepare<[], number>("SELECT count(*) FROM studies WHERE deleted_at IS NOT NULL").pluck().get() ?? 0) : 0,
    unusedNetworks: unusedNetworksIn(db),
    endedHosts: hosts.filter((token) => !isLocked(join(dirname(file), "hosts", `${token}.lock`))).length,
    erasing: ["erasing", "thinning"].reduce((sum, table) => sum + (has(table) ? (db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get() ?? 0) : 0), 0),
  };
}
