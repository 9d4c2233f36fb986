/** Stores with runs and studies, their archives, and everything that a store holds of a run. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { encodeCheckpoint } from "../../src/core/checkpoint/file.ts";
import { encodeWeights } from "../../src/core/weights/file.ts";
import type { ArchiveRequest } from "../../src/shared/archives.ts";
import { expandStudy } from "../../src/shared/study/expand.ts";
import { study as studySchema } from "../../src/shared/study/study.ts";
import type { RunSummary } from "../../src/shared/run.ts";
import { CheckpointFolder } from "../../src/main/hosting/checkpoint/folder.ts";
import { WeightsFolder } from "../../src/main/hosting/weights/folder.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { Archives } from "../../src/main/services/archives.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import type { Store } from "../../src/main/store/store.ts";
import { anEnvironment, aRun, rowsOf } from "./storeFixtures.ts";

/** Values that are hard to keep: infinities, NaN, the smallest and largest numbers. */
const special = [NaN, Infinity, -Infinity, 5e-324, -Number.MAX_VALUE, 1 / 3];

/** Adds an ended run with odd values, evaluations, events, a checkpoint and weights. */
export function addRun(store: Store, folder: string, { steps = 300, cell = null, ...changes }: Partial<RunSummary> & { cell?: string | null } = {}): RunSummary {
  const made = aRun({ seed: 4 }, changes);
  const run: RunSummary = { ...made, status: "stopped", reason: "Stopped.", device: "cpu", startedAt: 1_000, finishedAt: 9_000, steps, trained: { milliseconds: 8_000, from: "clock" }, ...changes };
  store.createRun({ ...run, status: "queued" }, cell);
  store.beginSeries(run.id, ["loss", "stepTime", "L0.alpha"], anEnvironment);
  const column = (scale: number) => Array.from({ length: steps }, (_, i) => (i % 97 === 5 ? special[(i / 97 | 0) % special.length]! : Math.sin(i * scale) * 10 ** (i % 300 - 150)));
  store.appendRows(run.id, rowsOf([column(0.1), column(0.7), column(1.3)]));
  for (const step of [1, Math.ceil(steps / 2), steps]) store.addEvaluation(run.id, { step, epoch: step / steps, trainLoss: NaN, testLoss: 0.25, testError: 100 / 3, validationLoss: 1e-300 });
  store.addEvent(run.id, { at: 2_000, step: 0, kind: "started", message: "begun\nwith \"quotes\" and ünïcode" });
  store.saveRun(run);
  store.flush();
  const checkpoints = new CheckpointFolder(folder);
  const weights = new WeightsFolder(folder);
  checkpoints.prepare();
  weights.prepare();
  const { experiment } = run;
  const position = { step: steps, begun: true, epoch: 1, lossSum: 0.1, examples: 3, evaluated: null, shuffling: [1, 2] };
  writeFileSync(checkpoints.fileOf(run.id), encodeCheckpoint({ run: run.id, experiment, engine: "onnx", savedAt: 5, position, guard: null, state: { w: Float64Array.from(special), b: new Float64Array(5_000) } }));
  const evaluation = { step: steps, epoch: 1, trainLoss: 1, testLoss: 0.25, testError: 3 };
  writeFileSync(weights.fileOf(run.id, "best"), encodeWeights({ run: run.id, experiment, savedAt: 6, evaluation, arrays: [{ name: "w", shape: [2, 3], values: Float64Array.from([1, 2, 3, 4, 5, 6]) }] }));
  return run;
}

/** Adds a stopped study with a run for each of its first cells. */
export function addStudy(store: Store, folder: string, runs = 2): { id: string; runs: RunSummary[] } {
  const study = studySchema.parse({ name: "grid", seeds: [0, 1, 2] });
  const expansion = expandStudy(study);
  if (!expansion.ok) throw new Error("the study is not valid");
  const { id } = aRun();
  store.studies.create({ id, name: "grid", status: "running", reason: null, study, createdAt: 1, startedAt: 2, finishedAt: null, trained: null, runningSince: null, deletedAt: null, total: expansion.cells.length, workers: 1 });
  const made = expansion.cells.slice(0, runs).map(({ key, experiment }) => addRun(store, folder, { ...newRun(experiment, new Date(), id), status: "finished", reason: null, steps: 100, cell: key }));
  store.studies.save({ ...store.studies.get(id)!, status: "stopped", finishedAt: 3 });
  return { id, runs: made };
}

/** Writes an archive; returns its path and what was remarked. */
export async function writeArchive(store: Store, folder: string, of: Partial<ArchiveRequest>, path = join(folder, "test.hypertower")): Promise<{ path: string; remarks: string[] }> {
  const remarks: string[] = [];
  const file = new Archives({ store, folder, version: "1.2.3" }).file({ runs: [], studies: [], ...of }, (remark) => remarks.push(remark));
  const pieces: Uint8Array[] = [];
  for await (const piece of file.pieces) pieces.push(Buffer.from(piece));
  writeFileSync(path, Buffer.concat(pieces));
  return { path, remarks };
}

/** Columns that belong to the process that trained a run, not to the run. */
const ofHosts = new Set(["owner_pid", "owner_host", "owner_token", "heartbeat_at", "lease", "changed"]);

const strip = (row: object) => Object.fromEntries(Object.entries(row).filter(([name]) => !ofHosts.has(name)));

/** Every row and file of a run, without its id. */
export function everythingOf(folder: string, run: string): unknown {
  const db = new Database(join(folder, storeFileName), { readonly: true });
  try {
    const metrics = db.prepare("SELECT id, name, position, count, last_step FROM metrics WHERE run = ? ORDER BY position").all(run) as { id: number; name: string }[];
    const of = (sql: string, ...parameters: unknown[]) => db.prepare(sql).all(...parameters).map((row) => strip(row as object));
    const hashOf = (sql: string, id: number) => createHash("sha256").update(db.prepare(sql).raw().all(id).join(";")).digest("hex");
    const file = (path: string) => (existsSync(path) ? createHash("sha256").update(readFileSync(path)).digest("hex") : null);
    const { id: _id, ...row } = of("SELECT * FROM runs WHERE id = ?", run)[0] ?? {};
    return {
      row,
      metrics: metrics.map(({ id, ...metric }) => ({
        ...metric,
        values: hashOf("SELECT step, value, typeof(value) AS type FROM series_values WHERE metric = ? ORDER BY step", id),
        buckets: hashOf("SELECT width, start, count, non_finite, min, min_step, max, max_step, sum FROM buckets WHERE metric = ? ORDER BY width, start", id),
      })),
      evaluations: of("SELECT * FROM evaluations WHERE run = ? ORDER BY step", run).map(({ run: _run, crc: _crc, ...rest }) => rest),
      events: of("SELECT at, step, kind, message FROM run_events WHERE run = ? ORDER BY id", run),
      files: [file(new CheckpointFolder(folder).fileOf(run)), file(new WeightsFolder(folder).fileOf(run, "best")), file(new WeightsFolder(folder).fileOf(run, "last"))],
    };
  } finally {
    db.close();
  }
}

/** Hash of a store: all rows of its tables and all files beside it. */
export function stateOf(folder: string): string {
  const hash = createHash("sha256");
  const db = new Database(join(folder, storeFileName), { readonly: true });
  try {
    const tables = db.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'hosts' ORDER BY name").pluck().all();
    for (const table of tables) hash.update(table).update(JSON.stringify(db.prepare(`SELECT * FROM ${table}`).raw().all()));
  } finally {
    db.close();
  }
  for (const name of ["checkpoints", "weights"]) {
    const at = join(folder, name);
    if (existsSync(at)) for (const file of readdirSync(at).sort()) hash.update(file).update(readFileSync(join(at, file)));
  }
  return hash.digest("hex");
}
