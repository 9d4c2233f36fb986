/** Rows that cannot be committed when the store is closed go to a spill file, which the next open takes in. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { StoreOptions } from "../../../src/main/store/storeOptions.ts";
import { aRun, anEnvironment, freshFolder, openStore, recordedLog, rowsOf } from "../../support/storeFixtures.ts";

const values = Array.from({ length: 100 }, (_, i) => (i === 7 ? NaN : i / 3));

/** A store that was closed while another process held its lock, with 100 pending steps of a run. */
function spilled(options: StoreOptions = {}) {
  const folder = freshFolder();
  const store = openStore(folder, { busyTimeout: 0, ...options });
  const run = aRun();
  store.createRun(run);
  store.beginSeries(run.id, ["loss", "stepTime"], anEnvironment);
  store.appendRows(run.id, rowsOf([[1, 2], [3, 4]]));
  store.flush();
  const other = new Database(store.path);
  other.exec("BEGIN IMMEDIATE");
  store.appendRows(run.id, rowsOf([values, values], 2));
  store.addEvaluation(run.id, { step: 50, epoch: 1, trainLoss: 0.5, testLoss: 0.25, testError: 3 });
  store.addEvent(run.id, { at: 1, step: 102, kind: "stopped", message: "by hand" });
  store.saveRun({ ...run, status: "stopped", reason: "by hand", steps: 102 });
  let message = "";
  try {
    store.closeNow();
  } catch (error) {
    message = String(error);
  }
  other.close();
  const files = readdirSync(folder).filter((name) => name.endsWith(".spill"));
  return { folder, run: run.id, message, file: join(folder, files[0] ?? "none"), files };
}

const steps = (store: ReturnType<typeof openStore>, run: string) => [...store.readSteps(run)].map((step) => step.values[0]);

describe("a spill file", () => {
  it("is named by the error, taken in once, and removed", () => {
    const { folder, run, message, files, file } = spilled();
    expect(files).toHaveLength(1);
    expect(message).toContain("is locked by another process");
    expect(message).toContain(`What was not written (100 steps of 1 run) is in ${file}`);
    const store = openStore(folder);
    expect(steps(store, run)).toEqual([1, 2, ...values]);
    const detail = store.getRun(run)!;
    expect(detail).toMatchObject({ status: "stopped", reason: "by hand", steps: 102 });
    expect(detail.evaluations).toEqual([expect.objectContaining({ step: 50, testError: 3 })]);
    expect(detail.events.map(({ kind }) => kind)).toEqual(["stopped", "recovered"]);
    const { series } = store.readSeries({ run, metrics: ["loss"], after: -1, width: 32, maxBuckets: 16 });
    expect(series[0]!.buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(102);
    expect(readdirSync(folder).filter((name) => name.includes(".spill"))).toEqual([]);
  });

  it("that was taken in already changes nothing when it is found again", () => {
    const { folder, run, file } = spilled();
    const bytes = readFileSync(file);
    openStore(folder).closeNow();
    writeFileSync(file, bytes);
    const store = openStore(folder);
    expect(steps(store, run)).toHaveLength(102);
    expect(store.getRun(run)!.events).toHaveLength(2);
    expect(readdirSync(folder).filter((name) => name.includes(".spill"))).toEqual([]);
  });

  it("of a run that was resumed since is kept and named", () => {
    const { folder, run, file } = spilled();
    const db = new Database(join(folder, "hypertower.sqlite"));
    db.exec("UPDATE runs SET lease = lease + 1");
    db.close();
    const log = recordedLog();
    const store = openStore(folder, { log });
    expect(steps(store, run)).toEqual([1, 2]);
    expect(log.warnings.join()).toContain(`they are kept in ${file}.refused: run ${run}: it has been resumed since`);
    expect(readdirSync(folder).filter((name) => name.endsWith(".spill.refused"))).toHaveLength(1);
  });

  it("that would leave a gap is kept and named", () => {
    const { folder, run } = spilled();
    const db = new Database(join(folder, "hypertower.sqlite"));
    db.exec("DELETE FROM series_values WHERE step = 1; UPDATE metrics SET count = 1, last_step = 0");
    db.close();
    const log = recordedLog();
    expect(steps(openStore(folder, { log }), run)).toEqual([1]);
    expect(log.warnings.join()).toContain("its log ends before step 1, and the rows begin at step 2");
  });

  it("is taken in up to a damaged record, and kept", () => {
    const { folder, run, file } = spilled();
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/"values":"(....)/, '"values":"BBBB'));
    const log = recordedLog();
    const store = openStore(folder, { log });
    expect(steps(store, run)).toEqual([1, 2]);
    // What is logged, not more.
    expect(store.getRun(run)).toMatchObject({ status: "stopped", steps: 2, evaluations: [] });
    expect(log.warnings.join()).toContain("line 3 is damaged (its checksum differs)");
  });

  it("goes to the next folder where the store's cannot hold it, and is found there", () => {
    const elsewhere = freshFolder();
    const nowhere = join(elsewhere, "file");
    writeFileSync(nowhere, "");
    const spillFolders = [join(nowhere, "below"), join(elsewhere, "state")];
    const { folder, run, message, files } = spilled({ spillFolders });
    expect(files).toEqual([]);
    expect(message).toContain(` is in ${spillFolders[1]}`);
    // A store of another path is not given these rows.
    openStore(freshFolder(), { spillFolders }).closeNow();
    expect(readdirSync(spillFolders[1]!)).toHaveLength(1);
    expect(steps(openStore(folder, { spillFolders }), run)).toHaveLength(102);
    expect(readdirSync(spillFolders[1]!)).toEqual([]);
  });

  it("that no folder can hold is admitted", () => {
    expect(spilled({ spillFolders: ["/dev/null/no"] }).message).toContain("What was not written (100 steps of 1 run) is lost, for no folder could hold it");
  });
});
