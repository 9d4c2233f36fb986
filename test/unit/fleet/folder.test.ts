import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FleetError } from "../../../src/main/fleet/fleet.ts";
import { FolderFleet } from "../../../src/main/fleet/folder/folderFleet.ts";
import { FolderSource } from "../../../src/main/fleet/folder/source.ts";
import { UnitsFolder } from "../../../src/main/fleet/folder/unitsFolder.ts";
import { decodeSegment, encodeSegment } from "../../../src/main/fleet/segment.ts";
import { machine, makeUnit, tiny } from "../../support/fleet/units.ts";

let root: string;
let shared: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "folder-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
const fresh = async () => {
  shared = join(root, String(count++));
  return FolderFleet.open(shared);
};
const unitOf = (id: string) => ({ unit: makeUnit(id, [[["run-1", tiny(1)]]]), files: [] });
const source = async (id: string, more: Partial<ConstructorParameters<typeof FolderSource>[0]> = {}) => {
  const made = new FolderSource({ root: shared, lookEvery: 5, claimEvery: 20, untilEmpty: true, ...more });
  await made.begin({ id, machine, startedAt: 1 });
  return made;
};
const segment = (unit: string, attempt: number, sequence: number) => encodeSegment({ unit, attempt, sequence, entries: [{ type: "end", outcome: "left", reason: String(sequence) }] });

describe("the shared folder", () => {
  it("gives a unit to one of many workers, and its segments and newest checkpoints to the coordinator, in order", async () => {
    const fleet = await fresh();
    await fleet.submit([unitOf("unit-1"), unitOf("unit-2")]);
    expect((await fleet.look(["unit-1"], 10)).units).toEqual([{ unit: "unit-1", state: "waiting", attempts: 0, where: null, job: null, reason: "no worker is there: start one with hypertower worker --folder" }]);
    const workers = await Promise.all(["a", "b", "c", "d"].map((id) => source(id)));
    const claims = (await Promise.all(workers.map((worker) => worker.next(() => null)))).flatMap((claim) => claim ?? []);
    expect(claims.map(({ unit }) => unit.id).sort()).toEqual(["unit-1", "unit-2"]);
    const claim = claims.find(({ unit }) => unit.id === "unit-1")!;
    expect(claim.attempt).toBe(1);
    for (const sequence of [0, 1, 2]) await claim.putSegment(sequence, segment("unit-1", 1, sequence), sequence === 2 ? ["run-1"] : []);
    await claim.putSegment(1, segment("unit-1", 1, 1), []);
    await claim.putCheckpoint({ run: "run-1", step: 10, bytes: Buffer.from("older") }, 0);
    await claim.putCheckpoint({ run: "run-1", step: 20, bytes: Buffer.from("newer") }, 1);
    const news = await fleet.look(["unit-1", "unit-2"], 2);
    expect(news.units).toMatchObject([{ state: "running", attempts: 1 }, { state: "running" }]);
    expect(news.segments.map(({ sequence }) => sequence)).toEqual([0, 1]);
    expect(news.checkpoints).toEqual([{ unit: "unit-1", run: "run-1", attempt: 1, sequence: 1, step: 20, size: 5 }]);
    expect(Buffer.from(await fleet.readCheckpoint(news.checkpoints[0]!)).toString()).toBe("newer");
    expect(decodeSegment(await fleet.read(news.segments[1]!), news.segments[1]!).entries).toMatchObject([{ reason: "1" }]);
    await fleet.taken(news.segments);
    expect((await fleet.look(["unit-1"], 10)).segments.map(({ sequence }) => sequence)).toEqual([2]);
    expect(await claim.endedRuns()).toEqual(new Set(["run-1"]));
    await claim.end({ type: "ended" });
    expect((await fleet.look(["unit-1"], 10)).units).toMatchObject([{ state: "ended" }]);
    await fleet.forget(["unit-1"]);
    expect((await fleet.look(["unit-1"], 10)).units).toMatchObject([{ state: "unknown" }]);
    expect(readdirSync(join(shared, "units"))).toEqual(["unit-2"]);
  });

  it("gives a unit to another worker whose own is silent, and refuses what the first still hands in", async () => {
    const fleet = await fresh();
    await fleet.submit([unitOf("unit-1")]);
    const lost = await source("lost", { aliveEvery: 1e9 });
    const first = (await lost.next(() => null))!;
    await first.putSegment(0, segment("unit-1", 1, 0), []);
    await first.putCheckpoint({ run: "run-1", step: 4, bytes: Buffer.from("four") }, 0);
    const gone = new Promise((resolve) => first.onLost(resolve));
    // No time of silence is allowed: it is taken for lost at once.
    const other = await source("other", { lostAfter: -1 });
    const second = (await other.next(() => null))!;
    expect(second.attempt).toBe(2);
    expect(await second.checkpoint("run-1")).toMatchObject({ step: 4 });
    expect(await gone).toMatch(/another attempt at the unit has begun|given to another worker/);
    await expect(first.putSegment(1, segment("unit-1", 1, 1), [])).rejects.toThrow(FleetError);
    await second.end({ type: "left", reason: "the worker ends" });
    const third = (await other.next(() => null))!;
    expect(third.attempt).toBe(3);
  });

  it("sets a unit aside that every attempt fails, and tries it again when asked", async () => {
    const fleet = await fresh();
    await fleet.submit([unitOf("unit-1")]);
    for (let attempt = 1; attempt <= 5; attempt++) {
      const claim = (await (await source(`worker-${attempt}`)).next(() => null))!;
      expect(claim.attempt).toBe(attempt);
      await claim.end({ type: "failed", reason: "no memory" });
    }
    expect((await fleet.look(["unit-1"], 10)).units).toMatchObject([{ state: "failed", attempts: 5, reason: "5 attempts were lost or failed; the last because no memory" }]);
    expect(await (await source("one-more")).next(() => null)).toBeNull();
    await fleet.retry(["unit-1"]);
    expect((await (await source("again")).next(() => null))!.attempt).toBe(6);
  });

  it("lets workers take what they can train, drains them, and tells those who train of requests and of the end", async () => {
    const fleet = await fresh();
    await fleet.submit([unitOf("unit-1"), unitOf("unit-2")]);
    const worker = await source("worker-1", { untilEmpty: false });
    const claim = (await worker.next(({ id }) => (id === "unit-1" ? "it needs a GPU" : null)))!;
    expect(claim.unit.id).toBe("unit-2");
    await fleet.steer("unit-2", { type: "pause", run: "run-1" });
    await fleet.steer("unit-2", { type: "resume", run: null });
    const steerings: unknown[] = [];
    await new Promise<void>((resolve) => claim.onSteering((steering) => steerings.push(steering) === 2 && resolve()));
    expect(steerings).toEqual([{ type: "pause", run: "run-1" }, { type: "resume", run: null }]);
    const lost = new Promise((resolve) => claim.onLost(resolve));
    await fleet.cancel(["unit-2"]);
    expect(await lost).toBe("the unit was canceled");
    expect((await fleet.look(["unit-2"], 1)).units).toMatchObject([{ state: "canceled" }]);
    expect(await fleet.workers()).toMatchObject([{ id: "worker-1", draining: false, machine }]);
    await fleet.drain("worker-1", true);
    expect(await fleet.workers()).toMatchObject([{ draining: true }]);
    const next = worker.next(() => null);
    await worker.close();
    expect(await next).toBeNull();
    expect(await fleet.workers()).toEqual([]);
  });

  it("reads hostile names and files as nothing, and never looks outside", async () => {
    const fleet = await fresh();
    await fleet.submit([unitOf("unit-1")]);
    const at = (...names: string[]) => join(shared, "units", "unit-1", ...names);
    for (const name of ["..-00000001", "000001-00000000.bak", "1-2", ".part-x"]) writeFileSync(at("segments", name), "x");
    for (const name of ["run-1@000001-00000000-", "..@000001-00000000-1"]) writeFileSync(at("checkpoints", name), "x");
    writeFileSync(at("steering", "00000000.json"), "{");
    mkdirSync(at("attempts", "abc"));
    const news = await fleet.look(["unit-1"], 10);
    expect([news.segments, news.checkpoints]).toEqual([[], []]);
    await expect(fleet.look(["../../etc"], 10)).rejects.toThrow();
    const claim = (await (await source("worker-1")).next(() => null))!;
    expect(claim.attempt).toBe(1);
  });

  it("says that a folder of another version, a file in its place, or a relative path cannot be used", async () => {
    await fresh();
    writeFileSync(join(shared, "format.json"), '{"hypertowerFleet":99}');
    await expect(FolderFleet.open(shared)).rejects.toThrow(/another version of Hypertower \(format 99, this one reads 1\)/);
    const file = join(root, "file");
    writeFileSync(file, "");
    await expect(FolderFleet.open(file)).rejects.toThrow(/The shared folder .*file cannot be used/);
    await expect(new UnitsFolder("here").open()).rejects.toThrow(/must be an absolute path/);
  });

  it("keeps units that are there as they are, with their files, and none in part", async () => {
    const fleet = await fresh();
    const path = join(root, "checkpoint");
    writeFileSync(path, "bytes");
    const submitted = { ...unitOf("unit-1"), files: [{ kind: "checkpoint", name: "run-1", path } as const] };
    await fleet.submit([submitted]);
    await fleet.submit([submitted]);
    await expect(fleet.submit([{ ...unitOf("unit-2"), files: [{ kind: "checkpoint", name: "run-1", path: `${path}-missing` }] }])).rejects.toThrow(FleetError);
    expect(readdirSync(join(shared, "units"))).toEqual(["unit-1"]);
    const claim = (await (await source("worker-1")).next(() => null))!;
    expect(Buffer.from((await claim.checkpoint("run-1"))!.bytes).toString()).toBe("bytes");
    utimesSync(join(shared, "units", "unit-1", "alive"), 0, 0);
    expect(existsSync(join(shared, "taken", "unit-1@worker-1"))).toBe(true);
  });
});
