/** Merging stores, and moving one. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { followMoves, userFolder } from "../../../src/core/folders/folder.ts";
import { mergeInto } from "../../../src/main/archives/merge.ts";
import { moveStore } from "../../../src/main/archives/move.ts";
import { closeConnections, openConnections } from "../../../src/main/store/database.ts";
import { migrations } from "../../../src/main/store/migrations.ts";
import { addRun, addStudy, everythingOf, stateOf } from "../../support/archives.ts";
import { everything } from "../../support/edition.ts";
import { runCommand } from "../../support/commandLine.ts";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";

it("a merge copies what is missing, once, renames what differs, and only reads the other store", async () => {
  const [from, to] = [freshFolder(), freshFolder()];
  const other = openStore(from);
  const store = openStore(to);
  const run = addRun(other, from);
  const { id, runs } = addStudy(other, from);
  const clash = addRun(other, from, { steps: 40 });
  addRun(store, to, { id: clash.id, steps: 41 });
  const training = addRun(other, from, { steps: 10, status: "running" });
  const before = stateOf(from);
  const remarks: string[] = [];
  const report = await mergeInto(from, to, (remark) => remarks.push(remark));
  expect(stateOf(from)).toBe(before);
  expect(report.studies.map(({ as }) => as)).toEqual([id]);
  expect(report.runs.map(({ id: run_ }) => run_)).toEqual([...runs.map((each) => each.id), run.id, clash.id]);
  const renamed = report.runs.at(-1)!.as!;
  expect(renamed).not.toBe(clash.id);
  for (const each of [run, ...runs]) expect(everythingOf(to, each.id)).toEqual(everythingOf(from, each.id));
  expect(store.getRun(renamed)).toMatchObject({ steps: 40 });
  expect(remarks).toEqual([`Run ${training.id} is running in ${from}; it was left out. Stop it and merge again.`]);
  // What got another id is not recognized by it; everything else is.
  const again = await mergeInto(from, to);
  expect([...again.studies, ...again.runs].filter(({ as }) => as !== null).map(({ id: each }) => each)).toEqual([clash.id]);
});

it("a merge reads a store of an earlier layout through a copy, and refuses what is no store", async () => {
  const [from, to] = [freshFolder(), freshFolder()];
  closeConnections(openConnections(from, migrations.slice(0, 6)));
  const before = readFileSync(join(from, "hypertower.sqlite"));
  expect(await mergeInto(from, to)).toEqual({ studies: [], runs: [] });
  expect(readFileSync(join(from, "hypertower.sqlite"))).toEqual(before);
  expect(readdirSync(to).filter((name) => name.startsWith("merge-"))).toEqual([]);
  await expect(mergeInto(freshFolder(), to)).rejects.toThrow("There is no store in");
  await expect(mergeInto(to, to)).rejects.toThrow("is the store to merge into");
});

it("a moved store is found in its new folder, and refused where that is missing", () => {
  const [old, place] = [freshFolder(), freshFolder()];
  const store = openStore(old);
  const run = addRun(store, old);
  mkdirSync(join(old, "datasets", "own"), { recursive: true });
  writeFileSync(join(old, "datasets", "own", "data.bin"), "data");
  const to = join(place, "new");
  expect(() => moveStore(old, to, false)).toThrow("is open in another process. Close every workbench and command that uses it, then try again.");
  expect([existsSync(to), followMoves(old)]).toEqual([false, old]);
  store.closeNow();
  const before = everythingOf(old, run.id);
  expect(() => moveStore(old, join(old, "inside"), false)).toThrow("lie within each other");
  writeFileSync(join(place, "taken"), "");
  expect(() => moveStore(old, place, false)).toThrow("is not an empty folder");
  expect(moveStore(old, to, true)).toMatchObject({ folder: to });
  expect(readdirSync(old)).toEqual(["moved.json"]);
  expect(everythingOf(to, run.id)).toEqual(before);
  expect(readFileSync(join(to, "datasets", "own", "data.bin"), "utf8")).toBe("data");
  expect(userFolder({ HYPERTOWER_HOME: old })).toBe(to);
  // Moved once more, the first folder still leads there.
  const further = join(place, "further");
  moveStore(to, further, false);
  expect(followMoves(old)).toBe(further);
  openStore(further).closeNow();
  moveStore(further, join(place, "last"), true);
  writeFileSync(join(further, "moved.json"), JSON.stringify({ folder: join(place, "nowhere") }));
  expect(() => followMoves(old)).toThrow(`The store was moved to ${join(place, "nowhere")}, which is not there.`);
});

it.runIf(everything)("the command line moves a store, goes on using it, merges and imports", async () => {
  const [old, place] = [freshFolder(), freshFolder()];
  const store = openStore(old);
  const { id } = addRun(store, old);
  store.closeNow();
  const hypertower = (args: readonly string[]) => runCommand(old, args);
  expect(await hypertower(["move", join(place, "new")])).toMatchObject({ code: 0, stdout: expect.stringContaining(`The store is in ${join(place, "new")} now`) as string });
  expect((await hypertower(["runs"])).stdout).toContain(id);
  expect(await hypertower(["archive", id, "--out", join(place, "one.hypertower")])).toMatchObject({ code: 0 });
  expect((await hypertower(["import", join(place, "one.hypertower"), "--store", join(place, "third")])).stdout).toContain("Imported 1 run.");
  expect((await hypertower(["merge", join(place, "third")])).stdout).toBe("1 run was here already and was skipped.\n");
  expect(await hypertower(["import", join(old, "hypertower.sqlite")])).toMatchObject({ code: 1, stderr: expect.stringContaining("it is no archive of Hypertower") as string });
}, 120_000);
