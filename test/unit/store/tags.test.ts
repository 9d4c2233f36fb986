import Database from "better-sqlite3";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { mergeInto } from "../../../src/main/archives/merge.ts";
import { closeConnections, openConnections } from "../../../src/main/store/database.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { TooManyTags } from "../../../src/main/store/tagRows.ts";
import { checkStoreRows } from "../../../src/main/store/verify/storeCheck.ts";
import { changedTags, tag, tagsInUse } from "../../../src/shared/tags.ts";
import { aRun, freshFolder, openStore } from "../../support/storeFixtures.ts";

const ended = (name: string) => aRun({ name }, { status: "finished" });
const findings = async (folder: string) => (await checkStoreRows(join(folder, "hypertower.sqlite"))).findings;

describe("tags in the store", () => {
  it("are added and removed, listed in order, and missing where there are none", async () => {
    const folder = freshFolder();
    const store = openStore(folder);
    const [a, b] = [ended("a"), ended("b")];
    for (const run of [a, b]) store.createRun(run);
    store.tagRuns([a.id, b.id], ["paper", "baseline"], []);
    store.tagRuns([b.id], [], ["paper", "baseline"]);
    expect(store.getRun(a.id)?.tags).toEqual(["baseline", "paper"]);
    expect(store.listRuns().map(({ name, tags }) => [name, tags])).toEqual(expect.arrayContaining([["a", ["baseline", "paper"]], ["b", undefined]]));
    expect(store.runSummaries([b.id])[0]).not.toHaveProperty("tags");
    store.closeNow();
    // The checksum of the row covers its tags.
    expect(await findings(folder)).toEqual([]);
    const db = new Database(join(folder, "hypertower.sqlite"));
    db.exec("DROP TRIGGER runs_checksum_tagged");
    db.prepare("UPDATE runs SET tags = '[\"forged\"]' WHERE id = ?").run(a.id);
    db.close();
    expect(await findings(folder)).toMatchObject([{ run: a.id, problem: "it does not match its checksum" }]);
  });

  it("are refused for all runs where one would have too many", () => {
    const store = openStore();
    const [full, empty] = [ended("full"), ended("empty")];
    for (const run of [full, empty]) store.createRun(run);
    store.tagRuns([full.id], Array.from({ length: 20 }, (_, i) => `t${i}`), []);
    expect(() => store.tagRuns([empty.id, full.id], ["more"], [])).toThrow(TooManyTags);
    expect(store.getRun(empty.id)?.tags).toBeUndefined();
  });

  it("reach other processes as a change of the run", async () => {
    const folder = freshFolder();
    const run = ended("a");
    openStore(folder).createRun(run);
    const seen: unknown[] = [];
    openStore(folder, { pollEvery: 5, onForeignChange: ({ runs }) => seen.push(...runs.map(({ tags }) => tags)) });
    openStore(folder).tagRuns([run.id], ["seen"], []);
    await expect.poll(() => seen).toContainEqual(["seen"]);
  });

  it("go with a run to another store", async () => {
    const [from, to] = [freshFolder(), freshFolder()];
    const store = openStore(from);
    const run = ended("a");
    store.createRun(run);
    store.tagRuns([run.id], ["travels"], []);
    store.closeNow();
    openStore(to).closeNow();
    await mergeInto(from, to);
    expect(openStore(to).getRun(run.id)?.tags).toEqual(["travels"]);
  });

  it("can be given in a store of the layout before, whose checksums stay valid", async () => {
    const folder = freshFolder();
    const old = openConnections(folder, migrations.slice(0, 12));
    closeConnections(old);
    const store = openStore(folder);
    const run = ended("a");
    store.createRun(run);
    expect(store.getRun(run.id)).not.toHaveProperty("tags");
    store.tagRuns([run.id], ["new"], []);
    store.closeNow();
    expect(await findings(folder)).toEqual([]);
    expect(openStore(folder).getRun(run.id)?.tags).toEqual(["new"]);
  });
});

describe("tags", () => {
  it("consist of letters, digits and a few marks", () => {
    for (const good of ["paper", "Über", "v1.2", "lr:0.1", "a/b", "x+y"]) expect(tag.safeParse(good).success, good).toBe(true);
    for (const bad of ["", "-x", "two words", "a,b", "x".repeat(41), "a\u001bb"]) expect(tag.safeParse(bad).success, bad).toBe(false);
  });

  it("are kept sorted, each once, and counted over a list", () => {
    expect(changedTags(["b"], ["a", "b", "c"], ["c"])).toEqual(["a", "b"]);
    expect(tagsInUse([{ tags: ["x"] }, {}, { tags: ["a", "x"] }])).toEqual(["x", "a"]);
  });
});
