import { describe, expect, it } from "vitest";
import { study } from "../../../src/shared/study/study.ts";
import type { StoredStudy } from "../../../src/main/store/studies.ts";
import { aRun, anEnvironment, freshFolder, openStore, rowsOf } from "../../support/storeFixtures.ts";

function aStudy(changes: Partial<StoredStudy> = {}): StoredStudy {
  return {
    id: "s1", name: "A study", status: "running", reason: null, study: study.parse({ name: "A study" }), createdAt: 1, startedAt: 2, finishedAt: null,
    deletedAt: null, total: 3, workers: 2, trained: null, runningSince: null, ...changes,
  };
}

describe("studies in the store", () => {
  it("are written, read, renamed, moved to the bin and restored", () => {
    const { studies } = openStore();
    studies.create(aStudy());
    studies.create(aStudy({ id: "s2", createdAt: 5, status: "finished", finishedAt: 9 }));
    expect(studies.list(false).map(({ id }) => id)).toEqual(["s2", "s1"]);
    expect(studies.get("s1")).toEqual(aStudy());
    studies.rename("s1", "Another name");
    studies.save(aStudy({ status: "paused", reason: "why", name: "not this" }));
    expect(studies.get("s1")).toEqual(aStudy({ status: "paused", reason: "why", name: "Another name" }));
    studies.moveToBin(["s2"], 7, false);
    expect([studies.list(false), studies.list(true)].map((list) => list.map(({ id }) => id))).toEqual([["s1"], ["s2"]]);
    studies.restore(["s2"]);
    expect(studies.list(true)).toEqual([]);
    expect(studies.get("s3")).toBeUndefined();
  });

  it("return the latest run of every cell and its results", () => {
    const store = openStore();
    store.studies.create(aStudy());
    const failed = aRun({}, { id: "r1", study: "s1", status: "failed", reason: "broken" });
    const again = aRun({}, { id: "r2", study: "s1", status: "running" });
    const other = aRun({}, { id: "r3", study: "s1", status: "stopped" });
    const single = aRun({}, { id: "r4", status: "finished" });
    store.createRun(failed, "a");
    store.createRun(other, "b");
    store.createRun(again, "a");
    store.createRun(single);
    store.beginSeries("r2", ["loss", "stepTime"], anEnvironment);
    const times = Array.from({ length: 300 }, (_, i) => (i < 256 ? 2 : 100));
    store.appendRows("r2", rowsOf([times.map(() => 1), times]));
    store.saveRun({ ...again, steps: 300, status: "finished" });
    const evaluation = { step: 300, epoch: 1, trainLoss: 1, testLoss: 2, testError: 3 };
    store.addEvaluation("r2", evaluation);
    store.flush();
    store.studies.markPruned("r3", true);
    store.setDeleted(["r2"], 5);

    expect(store.studies.states("s1")).toEqual([
      { cell: "a", run: "r2", status: "finished", pruned: false, deleted: true, attempts: 2 },
      { cell: "b", run: "r3", status: "stopped", pruned: true, deleted: false, attempts: 1 },
    ]);
    const [a, b] = store.studies.runs("s1");
    expect(a).toMatchObject({ run: "r2", steps: 300, evaluations: [evaluation], stepTime: 2 });
    expect(b).toMatchObject({ run: "r3", evaluations: [], stepTime: null });
    const ids = (of?: string | null) => store.listRuns(false, of).map(({ id }) => id).sort();
    expect([ids(), ids("s1"), ids(null)]).toEqual([["r1", "r3", "r4"], ["r1", "r3"], ["r4"]]);
    store.studies.save(aStudy({ status: "stopped" }));
    store.studies.moveToBin(["s1"], 9, true);
    expect(ids()).toEqual(["r4"]);
    // What was in the bin before stays there.
    store.studies.restore(["s1"]);
    expect(ids()).toEqual(["r1", "r3", "r4"]);
  });

  it("are marked as interrupted only when their process has ended", () => {
    const folder = freshFolder();
    const first = openStore(folder);
    first.studies.create(aStudy());
    first.studies.create(aStudy({ id: "s2", status: "finished" }));
    expect(openStore(folder).studies.get("s1")?.status).toBe("running");
    first.closeNow();
    const { status, reason } = openStore(folder).studies.get("s1")!;
    expect([status, reason]).toEqual(["interrupted", `The process that trained it (pid ${process.pid}) ended before the study did.`]);
    expect(openStore(folder).studies.get("s2")?.status).toBe("finished");
  });
});
