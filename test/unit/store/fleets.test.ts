/** What the store remembers of units of work at fleets. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { storeFileName } from "../../../src/main/store/database.ts";
import { migrate, migrations } from "../../../src/main/store/migrations.ts";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";

const unit = (id: string, runs: readonly string[]) => ({ id, study: "s", estimate: 1_000, unit: "{}", runs });

describe("units of work in the store", () => {
  it("outlast the process that submitted them, with what was taken in", () => {
    const folder = freshFolder();
    const store = openStore(folder);
    store.fleets.submit("slurm:gpu", [unit("u1", ["a", "b"]), unit("u2", ["c"])]);
    store.fleets.news([{ id: "u1", state: "running", reason: null, job: "12_1", place: "node1", attempts: 2 }]);
    store.fleets.takenIn([{ unit: "u1", attempt: 2, sequence: 3, started: [{ run: "a", started: '{"x":1}' }] }]);
    // What comes late changes nothing.
    store.fleets.takenIn([{ unit: "u1", attempt: 1, sequence: 9, started: [] }]);
    store.fleets.ask("b", "pause");
    store.closeNow();
    const { fleets } = openStore(folder);
    expect(fleets.units("slurm:gpu")).toMatchObject([{ id: "u1", state: "running", job: "12_1", place: "node1", attempts: 2, runs: 2 }, { id: "u2", state: "submitting", runs: 1 }]);
    expect(fleets.units("queue")).toEqual([]);
    expect(fleets.unit("u1")).toMatchObject({ attempt: 2, sequence: 3, unit: "{}" });
    expect(fleets.runsOf("u1")).toEqual([{ run: "a", unit: "u1", started: '{"x":1}', asked: null }, { run: "b", unit: "u1", started: null, asked: "pause" }]);
  });

  it("belong to one submission: a run that is submitted again leaves its unit", () => {
    const { fleets } = openStore();
    fleets.submit("queue", [unit("u1", ["a", "b"])]);
    fleets.submit("queue", [unit("u2", ["a"])]);
    expect(fleets.run("a")?.unit).toBe("u2");
    expect(fleets.empty("queue")).toEqual([]);
    fleets.release(["b", "nobody"]);
    expect(fleets.empty("queue")).toEqual(["u1"]);
    fleets.remove(["u1", "u2"]);
    expect(fleets.units()).toEqual([]);
    expect(fleets.run("a")).toBeUndefined();
  });

  it("are new to stores of the layout before", () => {
    const folder = freshFolder();
    const db = new Database(join(folder, storeFileName));
    migrate(db, "store", migrations.slice(0, 14));
    db.close();
    const { fleets } = openStore(folder);
    expect(fleets.units()).toEqual([]);
    expect(fleets.left()).toEqual([]);
    expect(fleets.ofStudy("s")).toBeUndefined();
  });
});
