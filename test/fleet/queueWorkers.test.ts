/**
 * Real workers of a queue as processes: what they hand in while one is killed and PostgreSQL is restarted equals what they
 * hand in undisturbed.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { it } from "vitest";
import { FleetError } from "../../src/main/fleet/fleet.ts";
import { QueueFleet } from "../../src/main/fleet/queue/queueFleet.ts";
import { decodeSegment, type Segment } from "../../src/main/fleet/segment.ts";
import type { Unit } from "../../src/shared/fleet/unit.ts";
import { factsOf, makeUnit, messagesOf, tiny, type RunFacts } from "../support/fleet/units.ts";
import { queueServerProblem, startQueueServer, type QueueServer } from "../support/queueServer.ts";

const root = join(import.meta.dirname, "../..");
const [units, workers, epochs] = [6, 4, 40];

const unitsOf = (prefix: string): Unit[] => Array.from({ length: units }, (_, seed) => makeUnit(`${prefix}-${seed}`, [[[`${prefix}-run-${seed}`, tiny(seed, epochs)]]]));

class WorkerProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  said = "";

  constructor(server: QueueServer, temporary: string) {
    this.child = spawn(process.execPath, [join(root, "src/main/headless/entry.ts"), "worker", "--queue", "--places", "1"], {
      env: { ...process.env, HYPERTOWER_QUEUE: server.worker, TMPDIR: temporary },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.exited = once(this.child, "exit");
    this.child.stderr!.on("data", (text: Buffer) => (this.said += text.toString()));
  }
}

/** Takes in until all units ended. */
async function takeIn(fleet: QueueFleet, ids: readonly string[], onSegment: (count: number) => void): Promise<Map<string, Segment[]>> {
  const taken = new Map<string, Segment[]>(ids.map((id) => [id, []]));
  let count = 0;
  for (;;) {
    try {
      const news = await fleet.look(ids, 100);
      for (const ref of news.segments) {
        taken.get(ref.unit)!.push(decodeSegment(await fleet.read(ref), ref));
        await fleet.taken([ref]);
        onSegment(++count);
      }
      const failed = news.units.find(({ state }) => state === "failed" || state === "canceled");
      assert.equal(failed, undefined, JSON.stringify(failed));
      if (news.segments.length === 0 && news.units.every(({ state }) => state === "ended")) return taken;
    } catch (error) {
      if (!(error instanceof FleetError) || !error.retry) throw error;
    }
    await pause(100);
  }
}

const facts = (taken: ReadonlyMap<string, Segment[]>, prefix: string): RunFacts[] => Array.from({ length: units }, (_, seed) => factsOf(messagesOf(taken.get(`${prefix}-${seed}`)!, `${prefix}-run-${seed}`)));

it.skipIf(queueServerProblem !== null)("real workers hand in the same when one is killed and PostgreSQL is restarted", async () => {
  const server = await startQueueServer();
  const temporary = await mkdtemp(join(tmpdir(), "hypertower-workers-"));
  const running: WorkerProcess[] = [];
  try {
    const fleet = await QueueFleet.open(server.coordinator, { heartbeat: 15, retryDelay: 0 });
    for (let count = 0; count < workers; count++) running.push(new WorkerProcess(server, temporary));
    const submit = (all: readonly Unit[]) => fleet.submit(all.map((unit) => ({ unit, files: [] })));

    await submit(unitsOf("calm"));
    const calm = facts(await takeIn(fleet, unitsOf("calm").map(({ id }) => id), () => undefined), "calm");

    await submit(unitsOf("rough"));
    let [killed, restarted] = [false, false];
    const rough = await takeIn(fleet, unitsOf("rough").map(({ id }) => id), (count) => {
      if (!killed && count >= 3) {
        killed = true;
        // Takes its trainers along, as the death of a machine does.
        running[0]!.child.kill("SIGKILL");
      }
      if (!restarted && count >= 5) {
        restarted = true;
        void server.restart("immediate");
      }
    });
    const disturbed = facts(rough, "rough");
    assert.ok(killed && restarted);
    for (const [seed, run] of disturbed.entries()) {
      assert.deepEqual(run.different, [], "what came again is the same");
      assert.deepEqual(run, calm[seed], `run ${seed} equals the undisturbed one`);
    }
    const steps = disturbed.reduce((sum, { rows }) => sum + rows.size, 0);
    const attempts = (await fleet.look([...rough.keys()], 0)).units.map((news) => news.attempts);
    console.log(`real workers: ${units} runs of ${steps / units} steps by ${workers} workers, one killed, PostgreSQL restarted without warning: all ${steps} rows there and equal to the undisturbed ones; attempts ${attempts.join(" ")}`);
    for (const { child } of running) child.kill("SIGTERM");
    await Promise.all(running.map(({ exited }) => exited));
    assert.deepEqual(await fleet.workers().then((all) => all.filter(({ id }) => !id.includes(`-${running[0]!.child.pid}-`))), [], "workers that end say so");
    assert.ok(!running.some(({ said }) => said.includes(new URL(server.worker).password)), "no worker says the password");
    await fleet.close();
  } catch (error) {
    for (const { said } of running) console.error(said);
    throw error;
  } finally {
    for (const { child } of running) child.kill("SIGKILL");
    await server.remove();
    await rm(temporary, { recursive: true, force: true });
  }
});
