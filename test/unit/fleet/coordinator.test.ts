/** Studies at a fleet: whatever happens to workers, segments, the fleet and the host, the store holds what an undisturbed training logs. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { StudyDetail } from "../../../src/shared/study/result.ts";
import type { StudyInput } from "../../../src/shared/study/study.ts";
import { runsOf } from "../../../src/shared/fleet/unit.ts";
import { storeFileName } from "../../../src/main/store/database.ts";
import { checkStoreRows } from "../../../src/main/store/verify/storeCheck.ts";
import { createServices } from "../../../src/main/services/createServices.ts";
import type { DatasetCatalog } from "../../../src/main/services/experiments.ts";
import type { Services } from "../../../src/main/services/services.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { FleetError } from "../../../src/main/fleet/fleet.ts";
import { everything } from "../../support/edition.ts";
import { MemoryFleet, segmentsOf, trainAll } from "../../support/fleet/memoryFleet.ts";
import { freshFolder, recordedLog } from "../../support/storeFixtures.ts";

const usable: DatasetCatalog = { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) };
const launchTrainer = nodeLauncher(new URL("../../support/fakeTrainer.ts", import.meta.url));

async function open(fleet: MemoryFleet, storeDir = freshFolder()) {
  const log = recordedLog();
  const services = await createServices(
    { storeDir, host: "browser", version: "1.2.3", launchTrainer },
    {
      datasets: usable,
      log,
      openFleet: (name) => (name === fleet.name ? Promise.resolve(fleet) : Promise.reject(new FleetError(`there is no ${name} here`, { retry: false }))),
      fleet: { lookEvery: 5, moment: 20, segments: 4 },
    },
  );
  onTestFinished(() => services.close());
  return { services, storeDir, log };
}

/** Two step sizes, of which one diverges, and two seeds: 4 runs of 120 steps. */
const aStudy: StudyInput = {
  name: JSON.stringify({ steps: 120, epochSteps: 40, divergeFrom: 10 }),
  base: { tower: [{ optimizer: "sgd" }], engine: { kind: "onnx-cpu" } },
  axes: [{ values: { kind: "list", values: [0.1, 10] } }],
  heights: { values: [0] },
  seeds: [0, 1],
};

const start = (services: Services, more: { unitTime?: number; on?: string } = {}) => services.handlers["studies.start"]({ study: aStudy, workers: 4, on: "queue", ...more });
const until = (services: Services, id: string, holds: (study: StudyDetail) => boolean) =>
  vi.waitFor(
    async () => {
      const now = await services.handlers["studies.get"]({ study: id });
      expect(holds(now), `${now.status} ${now.reason ?? ""} ${now.points.map(({ status, steps, reason }) => `${status} ${steps} ${reason ?? ""}`).join("; ")}`).toBe(true);
      return now;
    },
    { timeout: 20_000, interval: 5 },
  );
const finished = ({ status }: StudyDetail) => status === "finished";

/** All that a study logged but times, from its closed store; runs by their cells. */
async function loggedIn(storeDir: string) {
  expect((await checkStoreRows(join(storeDir, storeFileName))).findings).toEqual([]);
  const db = new Database(join(storeDir, storeFileName), { readonly: true });
  const all = (sql: string) => db.prepare<[], unknown[]>(sql).raw().all();
  const logged = {
    runs: all("SELECT cell, status, reason, steps, total_steps, epoch, loss, test_error, evaluation, result_name, result, hyperparameters FROM runs ORDER BY cell"),
    values: all("SELECT cell, m.name, step, value FROM series_values JOIN metrics m ON metric = m.id JOIN runs ON m.run = runs.id WHERE m.name <> 'stepTime' ORDER BY cell, m.name, step"),
    buckets: all("SELECT cell, m.name, width, start, b.count, non_finite, min, min_step, max, max_step, sum FROM buckets b JOIN metrics m ON metric = m.id JOIN runs ON m.run = runs.id WHERE m.name <> 'stepTime' ORDER BY cell, m.name, width, start"),
    evaluations: all(`SELECT cell, step, evaluations.epoch, train_loss, test_loss, evaluations.test_error FROM evaluations JOIN runs ON run = runs.id ORDER BY cell, step`),
  };
  db.close();
  return logged;
}

let undisturbed: ReturnType<typeof loggedIn> | undefined;
/** The same study trained on this machine. */
const local = () =>
  (undisturbed ??= (async () => {
    const { services, storeDir } = await open(new MemoryFleet());
    const { id } = await start(services, { on: "local" });
    await until(services, id, finished);
    await services.close();
    return loggedIn(storeDir);
  })());

/** Runs of the units that are not over. */
const inFlight = (services: Services) => services.fleets.list().flatMap(({ units }) => units);

describe("a study at a fleet", { timeout: 60_000 }, () => {
  it("ends with the rows, evaluations and table of one that was trained on this machine, and leaves nothing at the fleet", async () => {
    const fleet = new MemoryFleet();
    const { services, storeDir } = await open(fleet);
    fleet.onSubmit = (unit) => trainAll(fleet, unit);
    const begun = await start(services);
    expect(begun).toMatchObject({ status: "running", fleet: "queue" });
    const ended = await until(services, begun.id, finished);
    expect(ended).toMatchObject({ total: 4, finished: 2, diverged: 2, fleet: "queue" });
    const { unit } = fleet.submitted[0]!;
    expect(unit.needs).toMatchObject({ hypertower: "1.2.3", engine: "onnx-cpu", threads: 1, dataset: { kind: "mnist" } });
    expect(fleet.mostInHand).toBeLessThanOrEqual(4);
    const { events, environment } = await services.handlers["runs.get"]({ run: ended.points[0]!.run! });
    expect(events.map(({ message }) => message)).toContain("on a fake device of node1");
    expect(environment).toMatchObject({ cpu: "none" });
    await services.close();
    expect(fleet.kept.size).toBe(0);
    expect(await loggedIn(storeDir)).toEqual(await local());
  });

  it("leaves nothing at the fleet of runs that ended when their host was killed before it noted that", async () => {
    const fleet = new MemoryFleet();
    fleet.onSubmit = (unit) => trainAll(fleet, unit);
    const take = fleet.taken.bind(fleet);
    // So that the host never comes to release the last runs.
    fleet.taken = async (refs) => {
      if ((await fleet.look([...fleet.kept.keys()], 1_000)).segments.length === refs.length) throw new FleetError("out of reach", { retry: true });
      await take(refs);
    };
    const first = await open(fleet);
    const { id } = await start(first.services);
    await until(first.services, id, ({ points }) => points.every(({ status }) => status === "finished" || status === "diverged"));
    await first.services.close();
    expect(fleet.kept.size).toBe(1);
    Reflect.deleteProperty(fleet, "taken");
    const { services, storeDir } = await open(fleet, first.storeDir);
    await services.fleets.attach();
    await vi.waitFor(() => expect(inFlight(services)).toEqual([]));
    expect(fleet.kept.size).toBe(0);
    await until(services, id, finished);
    await services.close();
    expect(await loggedIn(storeDir)).toEqual(await local());
  });

  it.runIf(everything)("packs runs into units by their estimated time", async () => {
    const fleet = new MemoryFleet();
    const { services } = await open(fleet);
    fleet.onSubmit = (unit) => trainAll(fleet, unit);
    await until(services, (await start(services)).id, finished);
    expect(fleet.submitted.map(({ unit }) => runsOf(unit).length)).toEqual([4]);
    await until(services, (await start(services, { unitTime: 1 })).id, finished);
    expect(fleet.submitted.slice(1).map(({ unit }) => runsOf(unit).length)).toEqual([1, 1, 1, 1]);
  });

  it("shows runs as queued until their unit begins", async () => {
    const fleet = new MemoryFleet();
    const { services } = await open(fleet);
    const { id } = await start(services);
    await vi.waitFor(() => expect(fleet.submitted).toHaveLength(1));
    await until(services, id, ({ points }) => points.every(({ status }) => status === "queued"));
    expect(services.training()).toBe(0);
    const { unit } = fleet.submitted[0]!;
    const kept = fleet.kept.get(unit.id)!;
    [kept.state, kept.attempts] = ["running", 1];
    for (const { ref, entries } of segmentsOf(unit, 1).slice(0, 3)) fleet.put(ref, entries);
    await until(services, id, ({ points }) => points.some(({ status, steps }) => status === "running" && steps === 30));
    expect(inFlight(services)).toMatchObject([{ state: "running", attempts: 1, place: "node1", job: "7_1", runs: 4, heldUpBy: null }]);
  });

  it("takes each segment in once and in order: twice, out of order, after a gap, damaged at first, and from a unit that does not count", async () => {
    const fleet = new MemoryFleet();
    const { services, storeDir } = await open(fleet);
    const { id } = await start(services);
    await vi.waitFor(() => expect(fleet.submitted).toHaveLength(1));
    const { unit } = fleet.submitted[0]!;
    const kept = fleet.kept.get(unit.id)!;
    kept.state = "running";
    const segments = segmentsOf(unit, 1);
    const put = ({ ref, entries }: (typeof segments)[number]) => fleet.put(ref, entries);
    const steps = async () => Math.max(...(await services.handlers["studies.get"]({ study: id })).points.map((point) => point.steps));
    const looks = async (count: number) => {
      const until_ = fleet.looks + count;
      await vi.waitFor(() => expect(fleet.looks).toBeGreaterThan(until_), { timeout: 10_000, interval: 2 });
    };
    // Segment 2 is missing; 3 comes before it.
    for (const each of [segments[0]!, segments[1]!, segments[3]!]) put(each);
    await looks(4);
    expect(await steps()).toBe(0);
    expect(inFlight(services)).toMatchObject([{ heldUpBy: "segment 2 of attempt 1 is missing" }]);
    put(segments[2]!);
    const damaged = kept.segments.get("1 2")!;
    const whole = damaged.bytes;
    damaged.bytes = whole.map((byte, i) => (i === 60 ? byte ^ 1 : byte));
    await looks(4);
    expect(inFlight(services)[0]!.heldUpBy).toContain("its checksum does not match");
    damaged.bytes = whole;
    await vi.waitFor(async () => expect(await steps()).toBe(60), { timeout: 10_000, interval: 5 });
    // What was committed comes again, with what another submission handed in.
    for (const each of segments.slice(0, 4)) put(each);
    fleet.disturb = (news) => ({ ...news, segments: [{ unit: "of-another", attempt: 1, sequence: 0 }, ...news.segments.toReversed().toSorted((a, b) => a.sequence - b.sequence)] });
    for (const each of segments) put(each);
    kept.state = "ended";
    await until(services, id, finished);
    await services.close();
    expect(await loggedIn(storeDir)).toEqual(await local());
  });

  it("acknowledges a segment after its commit, and goes on without a loss when the host ends between the two", async () => {
    const fleet = new MemoryFleet();
    const first = await open(fleet);
    const { id } = await start(first.services);
    await vi.waitFor(() => expect(fleet.submitted).toHaveLength(1));
    const { unit } = fleet.submitted[0]!;
    const kept = fleet.kept.get(unit.id)!;
    const segments = segmentsOf(unit, 1);
    const stepsInStore = () => {
      const db = new Database(join(first.storeDir, storeFileName), { readonly: true });
      const count = db.prepare<[], number>("SELECT count(*) FROM series_values JOIN metrics ON metric = id WHERE name = 'loss'").pluck().get()!;
      db.close();
      return count;
    };
    const committed: number[] = [];
    fleet.onTaken = () => {
      committed.push(stepsInStore());
      if (committed.at(-1)! >= 30) throw new FleetError("the host ends here", { retry: true });
    };
    kept.state = "running";
    for (const { ref, entries } of segments.slice(0, 3)) fleet.put(ref, entries);
    await vi.waitFor(() => expect(committed.at(-1)).toBe(30), { timeout: 10_000, interval: 5 });
    await first.services.close();
    const left = await open(fleet, first.storeDir);
    const interrupted = await left.services.handlers["studies.get"]({ study: id });
    expect(interrupted).toMatchObject({ status: "interrupted", reason: expect.stringContaining("queue goes on with its runs") as string });
    // Meanwhile the worker went on, and the segments that were committed are still there.
    fleet.onTaken = () => undefined;
    for (const { ref, entries } of segments.slice(3)) fleet.put(ref, entries);
    kept.state = "ended";
    await left.services.fleets.attach();
    const ended = await until(left.services, id, finished);
    expect(fleet.submitted).toHaveLength(1);
    const { events } = await left.services.handlers["runs.get"]({ run: ended.points[0]!.run! });
    expect(events.map(({ kind }) => kind)).toContain("attached");
    await left.services.close();
    expect(await loggedIn(first.storeDir)).toEqual(await local());
  });

  it.runIf(everything)("is left when the host closes before its unit is handed over, which the next host does", async () => {
    const fleet = new MemoryFleet();
    fleet.unreachable = true;
    const first = await open(fleet);
    const { id } = await start(first.services);
    await vi.waitFor(() => expect(inFlight(first.services)).toMatchObject([{ state: "submitting" }]), { timeout: 10_000 });
    await first.services.close();
    fleet.unreachable = false;
    fleet.onSubmit = (unit) => trainAll(fleet, unit);
    const { services, storeDir } = await open(fleet, first.storeDir);
    await services.handlers["studies.resume"]({ study: id });
    await until(services, id, finished);
    expect(fleet.submitted).toHaveLength(1);
    await services.close();
    expect(await loggedIn(storeDir)).toEqual(await local());
  });

  it.runIf(everything)("waits while the fleet cannot be reached, and says why", async () => {
    const fleet = new MemoryFleet();
    const { services, storeDir } = await open(fleet);
    fleet.onSubmit = (unit) => {
      for (const { ref, entries } of segmentsOf(unit, 1).slice(0, 4)) fleet.put(ref, entries);
    };
    const { id } = await start(services);
    await until(services, id, ({ points }) => points.some(({ steps }) => steps === 60));
    fleet.unreachable = true;
    await vi.waitFor(() => expect(services.fleets.list()).toMatchObject([{ name: "queue", problem: "nobody answers" }]), { timeout: 10_000 });
    const { unit } = fleet.submitted[0]!;
    for (const { ref, entries } of segmentsOf(unit, 1).slice(4)) fleet.put(ref, entries);
    fleet.kept.get(unit.id)!.state = "ended";
    fleet.unreachable = false;
    await until(services, id, finished);
    expect(services.fleets.list()).toMatchObject([{ problem: null }]);
    await services.close();
    expect(await loggedIn(storeDir)).toEqual(await local());
  });

  it("goes on with another attempt, whose rows overlap those of the lost one and equal them", async () => {
    const fleet = new MemoryFleet();
    const { services, storeDir } = await open(fleet);
    fleet.onSubmit = (unit) => {
      trainAll(fleet, unit, { lostAt: 100 });
      trainAll(fleet, unit, { host: "node2", from: 40 });
    };
    // Only runs that did not end in the first attempt are in the second.
    fleet.disturb = (news) => news;
    const { id } = await start(services, { unitTime: 1 });
    const ended = await until(services, id, ({ points }) => points.filter(({ status }) => status === "finished").length === 2);
    const { events } = await services.handlers["runs.get"]({ run: ended.points.find(({ status }) => status === "finished")!.run! });
    expect(events.map(({ kind }) => kind)).toContain("retraced");
    expect(events.map(({ kind }) => kind)).not.toContain("cutBack");
    expect(events.find(({ kind }) => kind === "resumed")?.message).toContain("of node2");
    await services.handlers["studies.stop"]({ study: id });
    await services.close();
    const [mine, expected] = [await loggedIn(storeDir), await local()];
    const of = (rows: unknown[][]) => rows.filter(([cell]) => String(cell).includes("=0.1"));
    expect(of(mine.values)).toEqual(of(expected.values));
    expect(of(mine.evaluations)).toEqual(of(expected.evaluations));
    expect(of(mine.buckets)).toEqual(of(expected.buckets));
  });

  it("is cut back where another attempt comes out otherwise, and says so", async () => {
    const [fleet, straight] = [new MemoryFleet(), new MemoryFleet()];
    const { services, storeDir } = await open(fleet);
    const only: StudyInput = { ...aStudy, axes: [{ values: { kind: "list", values: [0.1] } }] };
    fleet.onSubmit = (unit) => {
      trainAll(fleet, unit, { lostAt: 100 });
      trainAll(fleet, unit, { host: "node2", from: 40, otherFrom: 55 });
    };
    const begun = await services.handlers["studies.start"]({ study: only, workers: 2, on: "queue", unitTime: 1 });
    const ended = await until(services, begun.id, finished);
    const { events } = await services.handlers["runs.get"]({ run: ended.points[0]!.run! });
    expect(events.find(({ kind }) => kind === "cutBack")).toMatchObject({ step: 55, message: expect.stringMatching(/^at step 55 loss is .* its 45 logged steps .* a fake device of node2 trained$/) as string });
    await services.close();
    const other = await open(straight);
    straight.onSubmit = (unit) => trainAll(straight, unit, { otherFrom: 55 });
    await until(other.services, (await other.services.handlers["studies.start"]({ study: only, workers: 2, on: "queue" })).id, finished);
    await other.services.close();
    expect(await loggedIn(storeDir)).toEqual(await loggedIn(other.storeDir));
  });
});

describe("what workers hand in", { timeout: 60_000 }, () => {
  it.each([
    ["a step that was skipped", (entries: ReturnType<typeof segmentsOf>) => entries.filter((_, i) => i !== 3).map(({ ref, entries: of }, sequence) => ({ ref: { ...ref, sequence }, entries: of })), /step 60 where step 30 was to come/],
    ["a run of another unit", (entries: ReturnType<typeof segmentsOf>) => entries.map(({ ref, entries: of }) => ({ ref, entries: of.map((entry) => (entry.type === "run" ? { ...entry, run: "another" } : entry)) })), /run another, which is not of the unit/],
    ["a step after its end", (entries: ReturnType<typeof segmentsOf>) => entries.map(({ ref, entries: of }) => ({ ref, entries: [...of, ...of.filter((entry) => entry.type === "run" && entry.message.type === "ended")] })), /something after its end/],
    ["rows before its beginning", (entries: ReturnType<typeof segmentsOf>) => entries.map(({ ref, entries: of }) => ({ ref, entries: of.filter((entry) => entry.type !== "run" || entry.message.type !== "started") })), /rows before its beginning/],
  ].slice(everything ? 0 : 3) as [string, (entries: ReturnType<typeof segmentsOf>) => ReturnType<typeof segmentsOf>, RegExp][])("sets a unit aside with %s, and no other", async (_what, change, reason) => {
    const fleet = new MemoryFleet();
    const { services } = await open(fleet);
    let first: string | undefined;
    fleet.onSubmit = (unit) => {
      first ??= unit.id;
      if (unit.id !== first) return trainAll(fleet, unit);
      fleet.kept.get(unit.id)!.state = "running";
      for (const { ref, entries } of change(segmentsOf(unit, 1))) fleet.put(ref, entries);
    };
    const { id } = await start(services, { unitTime: 1 });
    // The study itself trains again what failed.
    const ended = await until(services, id, finished);
    expect(ended).toMatchObject({ finished: 2, diverged: 2, failed: 0 });
    await vi.waitFor(() => expect(inFlight(services)).toMatchObject([{ id: first, state: "failed", reason: expect.stringMatching(reason) as string }]), { timeout: 10_000 });
    expect(fleet.kept.has(first!)).toBe(false);
    await services.fleets.cancel([first!]);
    expect(inFlight(services)).toEqual([]);
  });
});

describe("a study at a fleet is controlled", { timeout: 60_000 }, () => {
  it("by requests to its workers, while it is waiting without them", async () => {
    const fleet = new MemoryFleet();
    const { services } = await open(fleet);
    const { id } = await start(services);
    await vi.waitFor(() => expect(fleet.submitted).toHaveLength(1));
    await until(services, id, ({ points }) => points.every(({ status }) => status === "queued"));
    await services.handlers["studies.stop"]({ study: id });
    await until(services, id, ({ points }) => points.every(({ status }) => status === "stopped"));
    await vi.waitFor(() => expect(fleet.kept.size).toBe(0), { timeout: 10_000 });

    await services.handlers["studies.resume"]({ study: id });
    await vi.waitFor(() => expect(fleet.submitted).toHaveLength(2));
    const { unit } = fleet.submitted[1]!;
    const kept = fleet.kept.get(unit.id)!;
    [kept.state, kept.attempts] = ["running", 1];
    const segments = segmentsOf(unit, 1, { lostAt: 60 });
    for (const { ref, entries } of segments) fleet.put(ref, entries);
    await until(services, id, ({ points }) => points.filter(({ status, steps }) => (status === "running" && steps === 60) || status === "diverged").length === 4);
    await services.handlers["studies.stop"]({ study: id });
    const running = (await services.handlers["studies.get"]({ study: id })).points.filter(({ status }) => status === "running").map(({ run }) => run!);
    await vi.waitFor(() => expect(kept.steering.map(({ type, run }) => `${type} ${run}`).sort()).toEqual(expect.arrayContaining(running.map((run) => `stop ${run}`))), { timeout: 10_000 });
    let sequence = segments.length;
    for (const run of running) fleet.put({ unit: unit.id, attempt: 1, sequence: sequence++ }, [{ type: "run", run, message: { type: "ended", outcome: "stopped", reason: null, step: 60, hyperparameters: {} } }]);
    await until(services, id, ({ points }) => points.filter(({ status }) => status === "stopped").length === 2);
  });

  it.runIf(everything)("by canceling its units, after which it can be resumed", async () => {
    const fleet = new MemoryFleet();
    const { services, storeDir } = await open(fleet);
    const { id } = await start(services);
    await vi.waitFor(() => expect(inFlight(services)).toMatchObject([{ state: "waiting" }]), { timeout: 10_000 });
    expect(await services.fleets.workers("queue")).toMatchObject([{ id: "w1", machine: { host: "node1" } }]);
    await services.fleets.cancel([inFlight(services)[0]!.id]);
    const ended = await until(services, id, finished);
    expect(ended.points.map(({ reason }) => reason)).toEqual(ended.points.map(() => "Canceled at queue."));
    fleet.onSubmit = (unit) => trainAll(fleet, unit);
    await services.handlers["studies.retry"]({ study: id });
    await until(services, id, ({ status, finished: done, diverged }) => status === "finished" && done + diverged === 4);
    await services.close();
    expect((await loggedIn(storeDir)).values).toEqual((await local()).values);
  });

  it("refuses a fleet that is not there before anything is stored", async () => {
    const { services } = await open(new MemoryFleet());
    await expect(start(services, { on: "slurm:gpu" })).rejects.toThrow("there is no slurm:gpu here");
    await expect(start(services, { on: "moon" })).rejects.toThrow(/There is no fleet “moon”. Allowed are local/);
    expect(await services.handlers["studies.list"]({ deleted: false })).toEqual([]);
  });
});

describe("a study that was left at a fleet", { timeout: 60_000 }, () => {
  it("goes on by itself only where it was training, and is ended there when it is deleted", async () => {
    const fleet = new MemoryFleet();
    const first = await open(fleet);
    const { id } = await start(first.services);
    await vi.waitFor(() => expect(fleet.submitted).toHaveLength(1));
    const { unit } = fleet.submitted[0]!;
    fleet.kept.get(unit.id)!.state = "running";
    for (const { ref, entries } of segmentsOf(unit, 1).slice(0, 3)) fleet.put(ref, entries);
    await until(first.services, id, ({ points }) => points.some(({ steps }) => steps === 30));
    await first.services.handlers["studies.pause"]({ study: id });
    await vi.waitFor(() => expect(fleet.kept.get(unit.id)!.steering.map(({ type }) => type)).toContain("pause"), { timeout: 10_000 });
    await first.services.close();
    const { services } = await open(fleet, first.storeDir);
    await services.fleets.attach();
    const left = await services.handlers["studies.get"]({ study: id });
    expect(left.status).toBe("interrupted");
    const run = left.points.find(({ steps }) => steps === 30)!.run!;
    await expect(Promise.resolve().then(() => services.handlers["runs.resume"]({ run, fromStart: false }))).rejects.toThrow("goes on at the fleet of its study; resume the study");
    expect(fleet.kept.size).toBe(1);
    await services.handlers["studies.delete"]({ studies: [id], withRuns: true });
    await vi.waitFor(() => expect([fleet.kept.size, inFlight(services)]).toEqual([0, []]), { timeout: 10_000 });
  });
});
