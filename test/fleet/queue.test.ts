/**
 * The queue under load and faults, on the PostgreSQL of this repository or on that of `HYPERTOWER_POSTGRES`, a folder of its
 * programs such as /usr/lib/postgresql/15/bin: how many segments it takes in, and that restarts of PostgreSQL and lost
 * workers lose and double nothing. Workers are simulated: each hands in what it is told, and forgets nothing that was not
 * taken.
 */
import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, it } from "vitest";
import { FleetError, type FleetNews, type SegmentRef } from "../../src/main/fleet/fleet.ts";
import { parseAddress } from "../../src/main/fleet/queue/address.ts";
import { QueueDatabase } from "../../src/main/fleet/queue/database.ts";
import { QueueFleet } from "../../src/main/fleet/queue/queueFleet.ts";
import { QueueSource } from "../../src/main/fleet/queue/queueSource.ts";
import type { Claim } from "../../src/main/fleet/worker/source.ts";
import { queueServerProblem, startQueueServer, type QueueServer } from "../support/queueServer.ts";
import { machine, unitOf } from "../support/queueUnits.ts";

const networks = "/nonexistent";

/** Repeats what fails for a while, as the real worker does. */
async function persist<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FleetError) || !error.retry) throw error;
      await pause(50);
    }
  }
}

interface SimulatedOptions {
  readonly id: string;
  readonly segments: number;
  readonly bytes: Buffer;
  /** Milliseconds between segments. */
  readonly every?: number;
  readonly signal: AbortSignal;
  readonly onClaim?: (claim: Claim, source: QueueSource) => void;
}

/** Trains units until none comes: each segment says which it is. */
async function simulate(url: string, { id, segments, bytes, every = 0, signal, onClaim }: SimulatedOptions): Promise<void> {
  const source = await QueueSource.open(url, { networks, beat: 500, poll: 1_000 });
  signal.addEventListener("abort", () => void source.close());
  await persist(() => source.begin({ id, machine: { ...machine, host: id }, startedAt: Date.now() }));
  for (let claim = await source.next(() => null); claim; claim = await source.next(() => null)) {
    const { unit } = claim;
    onClaim?.(claim, source);
    const current = claim;
    try {
      const kept = await persist(() => current.checkpoint(`${unit.id}-run`));
      for (let number = kept?.step ?? 0, sequence = 0; number < segments; number++, sequence++) {
        bytes.writeUInt32LE(number);
        const copy = Buffer.from(bytes);
        await persist(() => current.putSegment(sequence, copy, []));
        if (number % 5 === 4) await persist(() => current.putCheckpoint({ run: `${unit.id}-run`, step: number + 1, bytes: copy }, sequence));
        if (every > 0) await pause(every);
      }
      await persist(() => current.end({ type: "ended" }));
    } catch (error) {
      // Another attempt took it.
      if (!(error instanceof FleetError)) throw error;
    }
  }
  await source.close();
}

interface Simulated {
  readonly workers: readonly Promise<void>[];
  readonly end: AbortController;
}

function simulateMany(url: string, count: number, options: Omit<SimulatedOptions, "id" | "signal" | "bytes"> & { readonly size: number }): Simulated {
  const end = new AbortController();
  return { end, workers: named("worker", count).map((id) => simulate(url, { ...options, id, bytes: Buffer.alloc(options.size), signal: end.signal })) };
}

interface TakenIn {
  readonly counts: Map<string, number[]>;
  segments: number;
  bytes: number;
}

/** Takes in until all units ended; every number of a unit must come once, or again where an attempt overlaps. */
async function coordinate(fleet: QueueFleet, units: readonly string[], onLook: (news: FleetNews) => void = () => undefined): Promise<TakenIn> {
  const taken: TakenIn = { counts: new Map(units.map((unit) => [unit, []])), segments: 0, bytes: 0 };
  const seen = new Set<string>();
  for (;;) {
    const news = await persist(() => fleet.look(units, 500));
    onLook(news);
    const done: SegmentRef[] = [];
    for (const ref of news.segments) {
      const key = `${ref.unit} ${ref.attempt} ${ref.sequence}`;
      const bytes = await persist(() => fleet.read(ref));
      // Deleted by an earlier call whose answer was lost.
      if (!seen.has(key)) {
        taken.counts.get(ref.unit)!.push(Buffer.from(bytes).readUInt32LE());
        taken.segments++;
        taken.bytes += bytes.length;
      }
      seen.add(key);
      done.push(ref);
    }
    await persist(() => fleet.taken(done));
    if (news.segments.length === 0 && news.units.every(({ state }) => state === "ended" || state === "failed")) return taken;
    if (news.segments.length === 0) await pause(20);
  }
}

/** All numbers came, in order within each attempt; how often some came again. */
function requireComplete(counts: Map<string, number[]>, segments: number): number {
  let again = 0;
  for (const [unit, numbers] of counts) {
    assert.deepEqual([...new Set(numbers)].sort((a, b) => a - b), Array.from({ length: segments }, (_, index) => index), `all segments of ${unit}`);
    for (const [index, number] of numbers.entries()) if (index > 0) assert.ok(number <= numbers[index - 1]! + 1, `no gap in ${unit}`);
    again += numbers.length - segments;
  }
  return again;
}

const submit = (fleet: QueueFleet, ids: readonly string[]) => fleet.submit(ids.map((id) => ({ unit: unitOf(id), files: [] })));
const named = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

/** 64 workers hand in as fast as they can, and one coordinator takes in meanwhile. */
async function intake(server: QueueServer): Promise<void> {
  const [workers, segments, size] = [64, 60, 20_000];
  const busy = loadavg()[0]! > availableParallelism() / 2;
  const fleet = await QueueFleet.open(server.coordinator);
  const units = named("intake", workers);
  const simulated = simulateMany(server.worker, workers, { segments, size });
  while ((await fleet.workers()).length < workers) await pause(100);
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await submit(fleet, units);
  const { counts, segments: count, bytes } = await coordinate(fleet, units);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  assert.equal(requireComplete(counts, segments), 0);
  console.log(`intake: ${count} segments of ${size / 1000} kB from ${workers} workers, handed in and taken in, in ${seconds.toFixed(1)} s: ${Math.round(count / seconds)} a second, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s; ${((user + system) / 1000 / count).toFixed(2)} ms of this process's processor time each, workers included`);
  // On a machine that is busy with other things the figure says nothing.
  if (!busy) assert.ok(count / seconds > 10_000 / 60, "10,000 segments a minute");
  await finish(fleet, units, simulated);
}

/** Ends simulated workers, which wait for units. */
async function finish(fleet: QueueFleet, units: readonly string[], { workers, end }: Simulated): Promise<void> {
  end.abort();
  await Promise.all(workers);
  await fleet.forget(units);
  await fleet.close();
}

/** PostgreSQL is restarted three times, once without warning, while four workers hand in. */
async function restarts(server: QueueServer): Promise<void> {
  const [segments, units] = [60, named("restart", 8)];
  const fleet = await QueueFleet.open(server.coordinator, { heartbeat: 10, retryDelay: 0 });
  await submit(fleet, units);
  const simulated = simulateMany(server.worker, 4, { segments, size: 2_000, every: 10 });
  const coordinated = coordinate(fleet, units);
  for (const mode of ["fast", "immediate", "fast"] as const) {
    await pause(700);
    await server.restart(mode);
  }
  const { counts } = await coordinated;
  const again = requireComplete(counts, segments);
  const { units: states } = await fleet.look(units, 0);
  console.log(`restarts: 3 of PostgreSQL, ${units.length * segments} segments, lost 0, ${again} came again in another attempt, attempts ${states.map(({ attempts }) => attempts).join(" ")}`);
  assert.ok(states.every(({ attempts }) => attempts === 1), "a restart costs no attempt");
  await finish(fleet, units, simulated);
}

/** One of four workers vanishes with its unit; another unit fails wherever it is trained. */
async function lostAndPoison(server: QueueServer): Promise<void> {
  const [segments, units] = [40, named("lost", 8)];
  const fleet = await QueueFleet.open(server.coordinator, { heartbeat: 2, retryDelay: 0, attempts: 3 });
  await submit(fleet, units);
  let killed: string | null = null;
  const simulated = simulateMany(server.worker, 4, {
    segments,
    size: 2_000,
    every: 10,
    onClaim: (claim, source) => {
      if (claim.unit.id === "lost-7") void claim.end({ type: "failed", reason: "it crashes the engine" });
      else if (killed === null) {
        killed = claim.unit.id;
        // Its connections break, and it says nothing more.
        setTimeout(() => void source.abandon(), 150);
      }
    },
  });
  const { counts } = await coordinate(fleet, units);
  counts.delete("lost-7");
  const again = requireComplete(counts, segments);
  const states = new Map((await fleet.look(units, 0)).units.map((news) => [news.unit, news]));
  console.log(`lost worker: its unit ended in attempt ${states.get(killed!)!.attempts}, ${again} segments came again; the unit that always fails: ${states.get("lost-7")!.state} after ${states.get("lost-7")!.attempts} attempts, “${states.get("lost-7")!.reason}”`);
  assert.equal(states.get(killed!)!.state, "ended");
  assert.ok(states.get(killed!)!.attempts > 1);
  assert.deepEqual([states.get("lost-7")!.state, states.get("lost-7")!.attempts], ["failed", 3]);
  await finish(fleet, units, simulated);
}

describe.skipIf(queueServerProblem !== null)(queueServerProblem === null ? "the queue" : `the queue (skipped: ${queueServerProblem})`, () => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await startQueueServer();
    const database = await QueueDatabase.open(parseAddress(server.administrator), "test", 1);
    console.log((await database.query<{ version: string }>("SELECT version()"))[0]!.version.split(",")[0]);
    await database.close();
  });
  afterAll(() => server.remove());

  it("takes in what 64 workers hand in as fast as they can", () => intake(server));
  it("survives restarts of PostgreSQL without loss, doubles or a lost attempt", () => restarts(server));
  it("gives a lost worker's unit to another, and sets a unit aside that fails everywhere", () => lostAndPoison(server));
});
