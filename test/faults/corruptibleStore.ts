/** A filled store with every kind of file, whose log is not folded in, to be damaged; and what it says. */
import { copyFileSync, cpSync, mkdirSync } from "node:fs";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { experiment } from "../../src/shared/experiment.ts";
import { study } from "../../src/shared/study/study.ts";
import type { RunSummary } from "../../src/shared/run.ts";
import { encodeCheckpoint } from "../../src/core/checkpoint/file.ts";
import { writeOwn } from "../../src/core/datasets/own.ts";
import { encodeWeights } from "../../src/core/weights/file.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { sealedEvaluationColumns, sealedEventColumns, sealedRunColumns } from "../../src/main/store/checksums.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import { Store } from "../../src/main/store/store.ts";
import { writeFileSync } from "node:fs";

const metrics = ["loss", "stepTime", "L0.alpha", "L0.alpha.hypergradient"];
const quiet = { warn: () => undefined, error: () => undefined };
const environment = { hypertower: "0", node: "24", platform: "test", cpu: "test", libraries: {}, gitCommit: null };

function values(seed: number, from: number, count: number): Float64Array {
  return Float64Array.from({ length: count * metrics.length }, (_, i) => (i % 97 === 0 ? NaN : Math.sin(seed + from * metrics.length + i) / (1 + (i % 7))));
}

function log(store: Store, run: RunSummary, seed: number, from: number, to: number): void {
  for (let step = from; step < to; step += 100) store.appendRows(run.id, { firstStep: step, count: 100, values: values(seed, step, 100) });
  for (let step = from + 100; step <= to; step += 100) store.addEvaluation(run.id, { step, epoch: step / 100, trainLoss: 1 / step, testLoss: Math.sqrt(step), testError: step / 30 });
  store.addEvent(run.id, { at: from, step: from, kind: "started", message: `from step ${from}` });
}

/** Fills `folder` with a store of six runs and a study, and `data` with a dataset. The last commits are in the log only. */
export async function fillStore(folder: string, data: string, steps = 1_500): Promise<void> {
  const made = join(folder, "made");
  const options = { log: quiet, commitAfter: 3_600_000 };
  let store = new Store(made, options);
  const definition = study.parse({ base: {} });
  const saved = { id: "study-1", name: "a study", status: "finished" as const, reason: null, study: definition, createdAt: 1, startedAt: 1, finishedAt: 2, deletedAt: null, total: 2, workers: 1, trained: null, runningSince: null };
  store.studies.create(saved);
  const runs = Array.from({ length: 6 }, (_, i): RunSummary => ({ ...newRun(experiment.parse({ name: `run ${i}`, seed: i })), study: i < 2 ? "study-1" : null }));
  for (const [i, run] of runs.entries()) {
    store.createRun(run, i < 2 ? `s${i}` : null);
    store.beginSeries(run.id, metrics, environment);
    log(store, run, i, 0, steps - 500);
    store.saveRun({ ...run, status: "stopped", steps: steps - 500, startedAt: 1, finishedAt: 2 });
    store.flush();
  }
  store.close();
  store = new Store(made, options);
  for (const [i, run] of runs.slice(0, 4).entries()) {
    store.requeueRun({ ...run, status: "queued", steps: steps - 500 });
    store.resumeSeries(run.id, metrics, steps - 500, environment);
    log(store, run, i, steps - 500, steps);
    store.saveRun({ ...run, status: "finished", steps, startedAt: 1, finishedAt: 3 });
    store.flush();
  }
  store.renameRun(runs[5]!.id, "renamed");
  for (const name of [storeFileName, `${storeFileName}-wal`]) copyFileSync(join(made, name), join(folder, name));
  store.close();
  mkdirSync(join(folder, "checkpoints"));
  mkdirSync(join(folder, "weights"));
  const array = (seed: number) => Float64Array.from({ length: 300 }, (_, i) => Math.cos(seed + i));
  for (const [i, { id, experiment: of }] of runs.entries()) {
    const position = { step: steps - 500, begun: true, epoch: 1, lossSum: 0, examples: 0, evaluated: null, shuffling: [1, 2] };
    writeFileSync(join(folder, "checkpoints", `${id}.checkpoint`), encodeCheckpoint({ run: id, experiment: of, engine: "reference", savedAt: 1, position, guard: null, state: { w: array(i) } }));
    const evaluation = { step: 100, epoch: 1, trainLoss: 1, testLoss: 1, testError: 1 };
    writeFileSync(join(folder, "weights", `${id}.best.weights`), encodeWeights({ run: id, experiment: of, savedAt: 1, evaluation, arrays: [{ name: "w", shape: [300], values: array(i) }] }));
  }
  const meta = { version: 1 as const, id: "own/mine-000000", title: "mine", task: "classification" as const, source: "x.csv", createdAt: 1, count: 200, exampleShape: [4], classNames: ["a", "b"], featureNames: ["w", "x", "y", "z"], features: "float32" as const, vocabulary: [] };
  await writeOwn(meta, { features: Float32Array.from({ length: 800 }, (_, i) => Math.sin(i)), labels: Uint8Array.from({ length: 200 }, (_, i) => i % 2) }, data);
}

/** Files of a folder that hold something, relative to it. */
export const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((name) => !name.startsWith("made") && !name.endsWith("-shm"))
    .sort();

export function copyStore(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of filesIn(from)) {
    mkdirSync(join(to, name, ".."), { recursive: true });
    cpSync(join(from, name), join(to, name));
  }
}

/** Everything that is logged of a run, as text by where it is. */
export type Logged = Map<string, string>;

/** What plain SQL reads of each run; null for one that it cannot read. @throws when there is no reading the store */
export function readLogged(folder: string): Map<string, Logged | null> {
  const db = new Database(join(folder, storeFileName), { readonly: true });
  try {
    const read = new Map<string, Logged | null>();
    for (const id of db.prepare<[], string>("SELECT id FROM runs ORDER BY id").pluck().all()) {
      try {
        read.set(id, loggedOf(db, id));
      } catch {
        read.set(id, null);
      }
    }
    return read;
  } finally {
    db.close();
  }
}

function loggedOf(db: Database.Database, id: string): Logged {
  const logged: Logged = new Map();
  const rows = (sql: string, ...of: unknown[]) => db.prepare(sql).raw().all(...of) as unknown[][];
  logged.set("row", JSON.stringify(rows(`SELECT ${sealedRunColumns.join(", ")} FROM runs WHERE id = ?`, id)));
  for (const row of rows(`SELECT ${sealedEvaluationColumns.join(", ")} FROM evaluations WHERE run = ? ORDER BY step`, id)) logged.set(`evaluation ${String(row[1])}`, JSON.stringify(row));
  rows(`SELECT ${sealedEventColumns.join(", ")} FROM run_events WHERE run = ? AND kind <> 'salvaged' ORDER BY id`, id).forEach((row, i) => logged.set(`event ${i}`, JSON.stringify(row)));
  for (const [metric, name] of rows("SELECT id, name FROM metrics WHERE run = ? ORDER BY position", id)) {
    for (const [step, value] of rows("SELECT step, value FROM series_values WHERE metric = ? ORDER BY step", metric)) logged.set(`${String(name)} ${String(step)}`, String(value));
  }
  return logged;
}
