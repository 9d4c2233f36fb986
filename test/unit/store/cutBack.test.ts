/** The end of a log is removed where what is trained again came out otherwise. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { storeFileName } from "../../../src/main/store/database.ts";
import { checkStoreRows } from "../../../src/main/store/verify/storeCheck.ts";
import { everything } from "../../support/edition.ts";
import { anEnvironment, aRun, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";

const metrics = ["loss", "stepTime"];
const first = (from: number, count: number) => [0, 1].map((column) => Array.from({ length: count }, (_, i) => [Math.sin(from + i), NaN, -0, Infinity][(i + column) % 4]!));
const other = (from: number, count: number) => [0, 1].map((column) => Array.from({ length: count }, (_, i) => Math.cos(from + i) + column));
const evaluation = (step: number, trainLoss = 0.1) => ({ step, epoch: step / 100, trainLoss, testLoss: 0.2, testError: NaN });

const tables = (folder: string, run: string) => {
  const db = new Database(join(folder, storeFileName), { readonly: true });
  const of = (sql: string) => db.prepare<[string], unknown[]>(sql).raw().all(run);
  const found = {
    values: of("SELECT name, step, value FROM series_values JOIN metrics ON metric = id WHERE run = ? ORDER BY name, step"),
    buckets: of("SELECT name, width, start, buckets.count, non_finite, min, min_step, max, max_step, round(sum, 6) FROM buckets JOIN metrics ON metric = id WHERE run = ? ORDER BY name, width, start"),
    metrics: of("SELECT name, count, last_step FROM metrics WHERE run = ? ORDER BY name"),
    evaluations: of("SELECT step, train_loss FROM evaluations WHERE run = ? ORDER BY step"),
  };
  db.close();
  return found;
};

describe("a log that is cut back", () => {
  it.each(everything ? [0, 1, 31, 32, 255, 256, 300, 700, 2_999, 3_000] : [0, 256, 700])("to step %i is what it would be had it been logged anew from there", async (step) => {
    const logged = async (cut: boolean) => {
      const folder = freshFolder();
      const store = openStore(folder);
      const run = aRun({}, { id: "a-run" });
      store.createRun(run);
      store.beginSeries(run.id, metrics, anEnvironment);
      store.appendRows(run.id, rowsOf(first(0, cut ? 3_000 : step), 0));
      for (const at of [100, 256, 1_000, 3_000]) if (cut || at <= step) store.addEvaluation(run.id, evaluation(at));
      for (const at of [256, 2_000]) if (cut || at < step) store.addEvent(run.id, { at: 1, step: at, kind: "guard", message: "rolled back" });
      store.saveRun({ ...run, steps: cut ? 3_000 : step, status: "running" });
      if (cut) {
        const removed = store.cutBack(run.id, metrics, step);
        expect(removed).toMatchObject({ steps: 3_000 - step, evaluations: [100, 256, 1_000, 3_000].filter((at) => at > step).length });
        expect(store.getRun(run.id)).toMatchObject({ steps: step });
        store.flush();
        expect((await checkStoreRows(join(folder, storeFileName))).findings).toEqual([]);
      }
      store.appendRows(run.id, rowsOf(other(step, 2_500), step));
      store.addEvaluation(run.id, evaluation(step + 2_000, 7));
      store.saveRun({ ...run, steps: step + 2_500, status: "finished" });
      store.closeNow();
      expect((await checkStoreRows(join(folder, storeFileName))).findings).toEqual([]);
      return { ...tables(folder, run.id), lost: openStore(folder).loss };
    };
    const [cut, straight] = [await logged(true), await logged(false)];
    expect(cut).toEqual(straight);
    expect(cut.lost).toBeNull();
  });

  it("is cut by its owner only", () => {
    const folder = freshFolder();
    const run = aRun();
    const owner = openStore(folder);
    owner.createRun(run);
    owner.beginSeries(run.id, metrics, anEnvironment);
    owner.appendRows(run.id, rowsOf(first(0, 10)));
    owner.flush();
    expect(() => openStore(folder).cutBack(run.id, metrics, 5)).toThrow("taken over by another Hypertower process");
    expect([...owner.readSteps(run.id)]).toHaveLength(10);
  });
});
