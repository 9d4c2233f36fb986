/** A closed store with a finished run of two metrics, 1,000 steps and two evaluations, made without training. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { storeFileName } from "../../src/main/store/database.ts";
import { anEnvironment, aRun, freshFolder, openStore, rowsOf } from "./storeFixtures.ts";

export function storedRun(steps = 1_000): { folder: string; file: string; run: string } {
  const folder = freshFolder();
  const store = openStore(folder);
  const run = aRun({ name: "stored" });
  store.createRun(run);
  store.beginSeries(run.id, ["loss", "stepTime"], anEnvironment);
  store.appendRows(run.id, rowsOf([0, 1].map((column) => Array.from({ length: steps }, (_, i) => Math.sin(i + column)))));
  for (const step of [steps / 2, steps]) store.addEvaluation(run.id, { step, epoch: 1, trainLoss: 1 / 3, testLoss: 0.5, testError: 10 });
  store.addEvent(run.id, { at: 1, step: 0, kind: "started", message: "" });
  store.saveRun({ ...run, status: "finished", steps, startedAt: 1, finishedAt: 2 });
  store.closeNow();
  return { folder, file: join(folder, storeFileName), run: run.id };
}

/** Changes a closed store with SQL, as another program would. */
export function editStore(file: string, sql: string): void {
  const db = new Database(file);
  db.exec(sql);
  db.close();
}
