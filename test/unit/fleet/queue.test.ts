/** The queue on a real PostgreSQL of this machine: units, claims, what is handed in, and who may do what. */
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FleetError, UnitSteering } from "../../../src/main/fleet/fleet.ts";
import { parseAddress, withoutPasswords } from "../../../src/main/fleet/queue/address.ts";
import { QueueDatabase } from "../../../src/main/fleet/queue/database.ts";
import { initializeQueue } from "../../../src/main/fleet/queue/init.ts";
import { openQueue } from "../../../src/main/fleet/queue/open.ts";
import { QueueFleet } from "../../../src/main/fleet/queue/queueFleet.ts";
import { QueueSource } from "../../../src/main/fleet/queue/queueSource.ts";
import { queueStatus } from "../../../src/main/fleet/queue/status.ts";
import type { Claim } from "../../../src/main/fleet/worker/source.ts";
import { queueServerProblem, startQueueServer, type QueueServer } from "../../support/queueServer.ts";
import { machine, unitOf } from "../../support/queueUnits.ts";

const title = queueServerProblem === null ? "the queue" : `the queue (skipped: ${queueServerProblem})`;

describe.skipIf(queueServerProblem !== null)(title, () => {
  let server: QueueServer;
  let fleet: QueueFleet;
  let folder = "";
  let administrator: QueueDatabase;
  const sources: QueueSource[] = [];

  beforeAll(async () => {
    server = await startQueueServer();
    administrator = await QueueDatabase.open(parseAddress(server.administrator), "test", 2);
  });
  afterAll(async () => {
    await administrator?.close();
    await server?.remove();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "hypertower-queue-test-"));
    fleet = await QueueFleet.open(server.coordinator, { attempts: 2, retryDelay: 0 });
  });
  afterEach(async () => {
    for (const source of sources.splice(0)) {
      await source.close();
      await source.close();
    }
    await fleet.close();
    await administrator.query("DELETE FROM hypertower.units; DELETE FROM hypertower_jobs.job; DELETE FROM hypertower.workers; DELETE FROM hypertower.network_chunks");
    await rm(folder, { recursive: true });
  });

  async function worker(id: string, options: Partial<Parameters<typeof QueueSource.open>[1]> = {}): Promise<QueueSource> {
    const source = await QueueSource.open(server.worker, { networks: join(folder, "networks"), poll: 60_000, beat: 600_000, ...options });
    sources.push(source);
    await source.begin({ id, machine, startedAt: Date.now() });
    return source;
  }
  const take = async (source: QueueSource): Promise<Claim> => (await source.next(() => null))!;
  const submit = (...ids: string[]) => fleet.submit(ids.map((id) => ({ unit: unitOf(id), files: [] })));
  const state = async (id: string) => (await fleet.look([id], 0)).units[0]!;

  it("gives a unit to one worker, takes what it hands in, and forgets it", async () => {
    await submit("a");
    await submit("a");
    expect(await state("a")).toMatchObject({ state: "waiting", attempts: 0, where: null });
    const claim = await take(await worker("w1"));
    expect(claim.unit).toEqual(unitOf("a"));
    expect(claim.attempt).toBe(1);
    expect(await state("a")).toMatchObject({ state: "running", attempts: 1, where: "box (w1)" });
    await claim.putSegment(0, Buffer.from("zero"), []);
    await claim.putSegment(1, Buffer.from([0, 255, 10]), ["a-run"]);
    await claim.putSegment(1, Buffer.from("again"), ["a-run"]);
    expect(await claim.endedRuns()).toEqual(new Set(["a-run"]));
    const { segments } = await fleet.look(["a"], 10);
    expect(segments).toEqual([0, 1].map((sequence) => ({ unit: "a", attempt: 1, sequence })));
    expect((await fleet.look(["a"], 1)).segments).toHaveLength(1);
    expect([...(await fleet.read(segments[1]!))]).toEqual([0, 255, 10]);
    await fleet.taken(segments);
    await claim.putSegment(0, Buffer.from("zero"), []);
    expect((await fleet.look(["a"], 10)).segments).toEqual([]);
    await claim.end({ type: "ended" });
    await claim.end({ type: "ended" });
    expect(await state("a")).toMatchObject({ state: "ended", reason: null });
    await fleet.forget(["a"]);
    expect(await state("a")).toMatchObject({ state: "unknown" });
  });

  it("hands out each unit once, to workers that ask at the same time", async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `unit-${index}`);
    await submit(...ids);
    const workers = await Promise.all(["w1", "w2", "w3"].map((id) => worker(id, { untilEmpty: true })));
    const taken: string[] = [];
    await Promise.all(
      workers.map(async (source) => {
        for (let claim = await source.next(() => null); claim; claim = await source.next(() => null)) {
          taken.push(claim.unit.id);
          await claim.end({ type: "ended" });
        }
      }),
    );
    expect(taken.sort()).toEqual([...ids].sort());
  });

  it("wakes workers that wait, and says why a worker cannot train a unit", async () => {
    const source = await worker("w1");
    let asked = 0;
    const waiting = source.next((unit) => (asked++, unit.id === "a" ? "it needs another engine" : null));
    await submit("a");
    await expect.poll(async () => (await state("a")).reason).toBe("w1: it needs another engine");
    await submit("b");
    expect((await waiting)!.unit.id).toBe("b");
    expect(asked).toBeGreaterThan(1);
  });

  it("starts another attempt from the newest checkpoint after a worker was lost, and refuses the lost one", async () => {
    await submit("a");
    const first = await take(await worker("w1"));
    const lost = new Promise<string>((resolve) => first.onLost(resolve));
    await first.putSegment(0, Buffer.from("x"), []);
    const large = Buffer.alloc((1 << 20) + 5, 7);
    await first.putCheckpoint({ run: "a-run", step: 3, bytes: Buffer.from("older") }, 0);
    await first.putCheckpoint({ run: "a-run", step: 5, bytes: large }, 0);
    const [checkpoint] = (await fleet.look(["a"], 0)).checkpoints;
    expect(checkpoint).toEqual({ unit: "a", run: "a-run", attempt: 1, sequence: 0, step: 5, size: large.length });
    expect(Buffer.compare(await fleet.readCheckpoint(checkpoint!), large)).toBe(0);
    // Nobody is told, so that the first worker does not come back at once.
    await administrator.query("UPDATE hypertower_jobs.job SET state = 'retry'; UPDATE hypertower.units SET lost = true");
    const second = await take(await worker("w2"));
    expect(second.attempt).toBe(2);
    const resumed = await second.checkpoint("a-run");
    expect([resumed!.step, Buffer.compare(resumed!.bytes, large)]).toEqual([5, 0]);
    await expect(first.putSegment(1, Buffer.from("y"), [])).rejects.toThrow("another attempt of the unit has begun");
    expect(await lost).toContain("another attempt");
    await second.putSegment(0, Buffer.from("z"), []);
    expect((await fleet.look(["a"], 9)).segments.map(({ attempt, sequence }) => [attempt, sequence])).toEqual([[1, 0], [2, 0]]);
  });

  it("lets a worker that was silent go on where no other took its unit", async () => {
    await submit("a");
    const claim = await take(await worker("w1"));
    // As if it had given no sign of life for a day, while PostgreSQL ran all the time.
    await administrator.query("UPDATE hypertower_jobs.job SET heartbeat_seconds = -86400");
    // A unit that a sign of life has locked at this moment is left for the next time.
    await expect.poll(() => administrator.query("SELECT hypertower.expire() AS lost")).toEqual([{ lost: 1 }]);
    await administrator.query("UPDATE hypertower_jobs.job SET heartbeat_seconds = 60");
    await claim.putSegment(0, Buffer.from("x"), []);
    expect(await state("a")).toMatchObject({ state: "running", attempts: 1, reason: null });
  });

  it("sets a unit aside after its last attempt, and tries it again on request", async () => {
    await submit("a");
    const source = await worker("w1");
    for (const attempt of [1, 2]) await (await take(source)).end({ type: "failed", reason: `out of memory ${attempt}` });
    expect(await state("a")).toMatchObject({ state: "failed", attempts: 2, reason: "attempt 2 on box failed: out of memory 2" });
    await fleet.retry(["a"]);
    expect((await state("a")).state).toBe("waiting");
    // One that is left in order does not count.
    for (let times = 0; times < 3; times++) await (await take(source)).end({ type: "left", reason: "the worker ends" });
    expect(await state("a")).toMatchObject({ state: "waiting", attempts: 5, reason: "the worker ends" });
    const { counts, units, workers } = await queueStatus(server.coordinator);
    expect(counts).toMatchObject({ waiting: 1, running: 0 });
    expect(units).toMatchObject([{ unit: "a", study: "a study", runs: 1, attempts: 5 }]);
    expect(workers).toMatchObject([{ id: "w1", machine, draining: false, units: [] }]);
  });

  it("counts attempts anew once a checkpoint gets further", async () => {
    await submit("a");
    const source = await worker("w1");
    for (let step = 1; step <= 4; step++) {
      const claim = await take(source);
      await claim.putSegment(0, Buffer.from("x"), []);
      await claim.putCheckpoint({ run: "a-run", step, bytes: Buffer.from("c") }, 0);
      await claim.end({ type: "failed", reason: "it crashed" });
    }
    expect((await state("a")).state).toBe("waiting");
    await (await take(source)).end({ type: "failed", reason: "it crashed" });
    expect((await state("a")).state).toBe("failed");
  });

  it("steers, cancels and drains", async () => {
    await submit("a", "b");
    const source = await worker("w1");
    const claim = await take(source);
    await fleet.steer("a", { type: "pause", run: "a-run" });
    const steered: UnitSteering[] = [];
    claim.onSteering((steering) => steered.push(steering));
    await expect.poll(() => steered).toEqual([{ type: "pause", run: "a-run" }]);
    await fleet.steer("a", { type: "resume", run: null });
    await expect.poll(() => steered.length).toBe(2);
    const lost = new Promise<string>((resolve) => claim.onLost(resolve));
    await fleet.cancel(["a"]);
    expect(await lost).toBe("the unit was canceled");
    expect((await state("a")).state).toBe("canceled");
    await fleet.drain("w1", true);
    expect(await fleet.workers()).toMatchObject([{ id: "w1", draining: true }]);
    const next = source.next(() => null);
    await fleet.submit([{ unit: unitOf("c"), files: [] }]);
    await source.beat();
    expect((await state("b")).state).toBe("waiting");
    await fleet.drain("w1", false);
    expect((await next)!.unit.id).toBe("b");
    await expect(fleet.drain("w9", true)).rejects.toThrow("no worker named w9");
  });

  it("brings networks to workers, and notices one that is damaged", async () => {
    const network = Buffer.alloc(5 << 19, 3);
    const sha = createHash("sha256").update(network).digest("hex");
    const path = join(folder, "source");
    await writeFile(path, network);
    const files = [{ kind: "network" as const, name: sha, path }];
    await fleet.submit(["a", "b"].map((id) => ({ unit: unitOf(id, [`${id}-run`], [sha]), files })));
    const source = await worker("w1");
    const claim = await take(source);
    expect(Buffer.compare(await readFile(join(await claim.networks(), `${sha}.network`)), network)).toBe(0);
    await rm(join(folder, "networks"), { recursive: true });
    await administrator.query("UPDATE hypertower.network_chunks SET bytes = '\\x00' WHERE chunk = 1");
    await expect((await take(source)).networks()).rejects.toThrow("damaged or incomplete");
    await fleet.forget(["a"]);
    expect(await administrator.query("SELECT DISTINCT sha256 FROM hypertower.network_chunks")).toHaveLength(1);
    await fleet.forget(["b"]);
    expect(await administrator.query("SELECT FROM hypertower.network_chunks")).toHaveLength(0);
  });

  it("tells coordinators of news", async () => {
    let news = 0;
    fleet.onNews(() => news++);
    await expect.poll(() => news).toBeGreaterThan(0);
    await submit("a");
    const claim = await take(await worker("w1"));
    const before = news;
    await claim.putSegment(0, Buffer.from("x"), []);
    await expect.poll(() => news).toBeGreaterThan(before);
  });

  it("takes from a worker nothing that does not fit", async () => {
    await submit("a");
    const claim = await take(await worker("w1"));
    await expect(claim.putSegment(1, Buffer.from("x"), [])).rejects.toThrow("segment 1 came where 0 was expected");
    await expect(claim.putSegment(0, Buffer.from("x"), ["another-run"])).rejects.toThrow("none of the unit");
    await expect(claim.putCheckpoint({ run: "a-run", step: 1, bytes: Buffer.from("c") }, 0)).rejects.toThrow("does not fit");
    await claim.putSegment(0, Buffer.from("x"), []);
    await expect(claim.putCheckpoint({ run: "another-run", step: 1, bytes: Buffer.from("c") }, 0)).rejects.toThrow("none of the unit");
    expect((await fleet.look(["a"], 9)).checkpoints).toEqual([]);
  });

  describe("the role of workers", () => {
    const tables = ["units", "segments", "checkpoints", "checkpoint_chunks", "ended_runs", "workers", "steering", "network_chunks", "unit_networks", "release"];

    it("reads, changes and deletes nothing itself", async () => {
      await submit("a");
      const database = await QueueDatabase.open(parseAddress(server.worker), "test", 1);
      const denied = (text: string) => expect(database.query(text), text).rejects.toThrow("hypertower_worker may not do this");
      try {
        for (const table of tables) {
          await denied(`SELECT * FROM hypertower.${table}`);
          await denied(`DELETE FROM hypertower.${table}`);
        }
        for (const text of ["SELECT * FROM hypertower.states", "SELECT * FROM hypertower_jobs.job", "UPDATE hypertower.units SET attempt = 9", "INSERT INTO hypertower.units (unit, job, document, runs) VALUES ('x', gen_random_uuid(), '', '{}')", "DROP TABLE hypertower.units", "CREATE TABLE hypertower.mine (x int)", "SELECT hypertower.expire()", "SELECT hypertower.hold(gen_random_uuid())", "SELECT hypertower.give_back('a', gen_random_uuid(), '', false)", "SELECT hypertower_jobs.create_queue('x', '{}')", "SELECT passwd FROM pg_shadow"]) await denied(text);
      } finally {
        await database.close();
      }
      expect((await state("a")).state).toBe("waiting");
    });

    it("needs the secret of a worker, and the claim of a unit", async () => {
      await submit("a");
      const claim = await take(await worker("w1"));
      await claim.putSegment(0, Buffer.from("x"), []);
      await claim.putCheckpoint({ run: "a-run", step: 1, bytes: Buffer.from("c") }, 0);
      const database = await QueueDatabase.open(parseAddress(server.worker), "test", 1);
      const other = "00000000-0000-4000-8000-000000000000";
      try {
        for (const call of ["put_segment($1, 1, 'x', '{}')", "checkpoint_chunk($1, 'a-run', 0)", "ended_runs($1)", "finish($1, 'ended', '')"]) await expect(database.query(`SELECT hypertower.${call}`, [other]), call).rejects.toThrow("another attempt");
        for (const call of ["claim('w1', $1, 'a')", "bye('w2', $1)", "waiting('w1', $1)", "hello('w1', $1, '{}', 0)"]) await database.query(`SELECT hypertower.${call}`, [other]).then((rows) => expect(rows, call).toEqual([{ bye: "" }]), (error: unknown) => expect(String(error)).toMatch(/does not know this worker|another worker is named/));
      } finally {
        await database.close();
      }
      expect((await state("a")).state).toBe("running");
    });

    it("cannot coordinate", async () => {
      await expect(QueueFleet.open(server.worker)).rejects.toThrow("hypertower_worker may not do this");
      await expect(queueStatus(server.worker)).rejects.toThrow("hypertower_worker may not do this");
    });
  });

  it("is initialized again without harm, and says when its version is another", async () => {
    await submit("a");
    const again = await initializeQueue(server.administrator);
    expect(again.roles.map(({ url }) => url)).toEqual([null, null]);
    expect((await initializeQueue(server.coordinator)).version).toBe(again.version);
    expect((await state("a")).state).toBe("waiting");
    try {
      await administrator.query("UPDATE hypertower.release SET version = version + 1");
      await expect(QueueFleet.open(server.coordinator)).rejects.toThrow("newer version of Hypertower: update this one");
      await expect(QueueSource.open(server.worker, { networks: folder })).rejects.toThrow("newer version");
      await expect(initializeQueue(server.administrator)).rejects.toThrow("newer version");
      await administrator.query("UPDATE hypertower.release SET version = version - 2");
      await expect(QueueFleet.open(server.coordinator)).rejects.toThrow("run hypertower queue init URL again");
    } finally {
      await administrator.query("UPDATE hypertower.release SET version = $1", [again.version]);
    }
  });

  it("is initialized by who may make roles and owns the database, and by no other", async () => {
    await administrator.query("CREATE ROLE maker LOGIN CREATEROLE PASSWORD 'x'; CREATE ROLE plain LOGIN PASSWORD 'x'");
    await administrator.query("CREATE DATABASE second OWNER maker");
    const urlOf = (user: string) => {
      const url = new URL(server.administrator);
      [url.username, url.password, url.pathname] = [user, "x", "/second"];
      return url.href;
    };
    await expect(initializeQueue(urlOf("plain"))).rejects.toThrow("plain may not make roles");
    // The roles are of the server, and another administrator made them for the first database.
    await administrator.query("GRANT hypertower_coordinator TO maker WITH ADMIN OPTION");
    const { roles } = await initializeQueue(urlOf("maker"));
    expect(roles.map(({ url }) => url)).toEqual([null, null]);
    const second = new URL(server.coordinator);
    second.pathname = "/second";
    const other = await QueueFleet.open(second.href);
    expect((await other.look(["a"], 1)).units).toMatchObject([{ state: "unknown" }]);
    await other.close();
  });

  it("is opened again without the password, which a file of this user keeps", async () => {
    const context = { storeFolder: folder, version: "1", warn: () => undefined };
    const first = await openQueue(server.coordinator, context);
    await first.close();
    const { password } = new URL(server.coordinator);
    const name = server.coordinator.replace(`:${password}`, "");
    expect(first.name).toBe(`queue:${name}`);
    if (process.platform !== "win32") expect((await stat(join(folder, "queue", "urls.json"))).mode & 0o777).toBe(0o600);
    const again = await openQueue(name, context);
    expect(await again.workers()).toEqual([]);
    await again.close();
    await expect(openQueue(name, { ...context, storeFolder: join(folder, "other") })).rejects.toThrow("asks for a password");
    expect(withoutPasswords(`at ${server.coordinator} and ${name}`)).not.toContain(password);
  });

  it("says what is wrong with a connection, without its password", async () => {
    const changed = (change: (url: URL) => void, from = server.worker) => {
      const url = new URL(from);
      change(url);
      return QueueSource.open(url.href, { networks: folder }).then(() => "it works", (error: FleetError) => [error.message, error.retry] as const);
    };
    expect(await changed((url) => (url.password = "wrong-secret"))).toEqual([expect.stringMatching(/^The queue at 127.0.0.1:\d+\/postgres cannot be used. The password of hypertower_worker is wrong.$/), false]);
    expect(await changed((url) => (url.password = ""))).toEqual([expect.stringMatching(/asks for a password/), false]);
    expect(await changed((url) => (url.port = "1"))).toEqual([expect.stringMatching(/Nothing listens there/), true]);
    expect(await changed((url) => (url.hostname = "no-such-host.invalid"))).toEqual([expect.stringMatching(/name of its host/), true]);
    expect(await changed((url) => (url.pathname = "/other"))).toEqual([expect.stringMatching(/database does not exist/), false]);
    expect(await changed((url) => (url.pathname = "/template1"), server.administrator)).toEqual([expect.stringMatching(/run hypertower queue init/), false]);
    expect(await changed((url) => url.searchParams.set("sslmode", "require"))).toEqual([expect.stringMatching(/does not offer TLS/), false]);
    expect(await changed((url) => url.searchParams.set("sslrootcert", "/no/such/file"))).toEqual([expect.stringMatching(/no\/such\/file of its URL cannot be read/), false]);
  });
});
