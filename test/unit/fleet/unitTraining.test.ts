import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UnitTraining, type UnitTrainingOptions } from "../../../src/main/fleet/worker/unitTraining.ts";
import { FleetError } from "../../../src/main/fleet/fleet.ts";
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import { MemoryClaim } from "../../support/fleet/memoryClaim.ts";
import { everything } from "../../support/edition.ts";
import { trainedHere } from "../../support/fleet/trainedHere.ts";
import { factsOf, machine, makeUnit, messagesOf, tiny } from "../../support/fleet/units.ts";

const launch = nodeLauncher(new URL("../../../src/main/trainer/trainer.ts", import.meta.url));
let folder: string;
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "worker-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const train = (claim: MemoryClaim, more: Partial<UnitTrainingOptions> = {}) =>
  new UnitTraining(claim, { worker: "worker-1", machine, launch, folder: join(folder, String(count++)), spool: { closeAfter: 50, retryAfter: 5 }, ...more });

const long = tiny(5, 150);

describe("a unit in training", () => {
  it("hands in exactly what local trainers report, run after run and as a cohort", async () => {
    const claim = new MemoryClaim(makeUnit("unit-1", [[["run-1", tiny(1)]], [["run-2", tiny(2)], ["run-3", tiny(3)]]]));
    expect(await train(claim).done).toEqual({ type: "ended" });
    expect(claim.outcome).toEqual({ type: "ended" });
    expect(claim.segments[0]!.entries[0]).toEqual({ type: "attempt", worker: "worker-1", machine });
    expect(claim.segments.at(-1)!.entries.at(-1)).toEqual({ type: "end", outcome: "ended", reason: null });
    expect([...claim.ended].sort()).toEqual(["run-1", "run-2", "run-3"]);
    expect(factsOf(messagesOf(claim.segments, "run-1"))).toEqual(await trainedHere(tiny(1)));
    for (const run of ["run-2", "run-3"]) expect(factsOf(messagesOf(claim.segments, run))).toMatchObject({ rows: { size: 60 }, end: { outcome: "finished", step: 60 } });
  });

  it("goes on from the newest checkpoint in the next attempt, and trains no run again that has ended", async () => {
    const unit = makeUnit("unit-2", [[["run-0", tiny(1)]], [["run-1", long]]]);
    const first = new MemoryClaim(unit);
    const training = train(first);
    await first.when(() => first.checkpoints.has("run-1"));
    training.leave("the job's time is over");
    expect(await training.done).toEqual({ type: "left", reason: "the job's time is over", asked: false });
    expect(first.segments.at(-1)!.entries.at(-1)).toMatchObject({ type: "end", outcome: "left" });
    // Nothing says that the run has ended.
    expect(factsOf(messagesOf(first.segments, "run-1")).end).toBeUndefined();

    const second = new MemoryClaim(unit, 2, first);
    const { step } = second.checkpoints.get("run-1")!;
    expect(await train(second).done).toEqual({ type: "ended" });
    expect(messagesOf(second.segments, "run-0")).toEqual([]);
    expect(messagesOf(second.segments, "run-1")[0]).toMatchObject({ type: "started", from: { step } });
    const all = factsOf([...messagesOf(first.segments, "run-1"), ...messagesOf(second.segments, "run-1")]);
    expect(all.different).toEqual([]);
    expect(all).toEqual(await trainedHere(long));
  });

  it.skipIf(!everything)("trains from the first step where the checkpoint cannot be used", async () => {
    const claim = new MemoryClaim(makeUnit("unit-3", [[["run-1", tiny(1)]]]));
    claim.checkpoints.set("run-1", { run: "run-1", step: 9, bytes: Buffer.from("no checkpoint"), sequence: 0 });
    expect(await train(claim).done).toEqual({ type: "ended" });
    expect(factsOf(messagesOf(claim.segments, "run-1"))).toMatchObject({ rows: { size: 60 }, end: { outcome: "finished" } });
  });

  it("keeps on its own disk what the shared place does not take, and hands all of it in later", async () => {
    const claim = new MemoryClaim(makeUnit("unit-4", [[["run-1", tiny(4, 40)]]]));
    claim.failure = new FleetError("its disk is full", { retry: true });
    const said: string[] = [];
    const training = train(claim, { say: (line) => said.push(line) });
    await claim.when(() => claim.refused > 8);
    expect(claim.segments).toEqual([]);
    claim.failure = null;
    expect(await training.done).toEqual({ type: "ended" });
    expect(factsOf(messagesOf(claim.segments, "run-1"))).toMatchObject({ rows: { size: 1_200 }, end: { outcome: "finished", step: 1_200 } });
    expect(said).toEqual(["handing in does not work at present and is tried again: its disk is full", "handing in works again"]);
  });

  it.skipIf(!everything)("waits once so much is not handed in, instead of filling its own disk", async () => {
    const claim = new MemoryClaim(makeUnit("unit-5", [[["run-1", tiny(4, 300)]]]));
    claim.failure = new FleetError("its disk is full", { retry: true });
    const own = join(folder, `${count}`);
    const training = train(claim, { spool: { closeAfter: 20, retryAfter: 5, maxBytes: 2_000 } });
    await claim.when(() => claim.refused > 8);
    expect(existsSync(own)).toBe(true);
    claim.failure = null;
    expect(await training.done).toEqual({ type: "ended" });
    expect(factsOf(messagesOf(claim.segments, "run-1"))).toMatchObject({ rows: { size: 9_000 }, end: { outcome: "finished" } });
    expect(existsSync(own)).toBe(false);
  });

  it("pauses, resumes and stops runs as asked, also those that have not started", async () => {
    const claim = new MemoryClaim(makeUnit("unit-6", [[["run-1", tiny(1, 100_000)]], [["run-2", tiny(2)]]]));
    const training = train(claim);
    const said = (run: string, type: string) => messagesOf(claim.segments, run).some((message) => message.type === type);
    await claim.when(() => said("run-1", "rows"));
    claim.steer({ type: "pause", run: "run-1" });
    await claim.when(() => said("run-1", "paused"));
    claim.steer({ type: "resume", run: "run-1" });
    await claim.when(() => said("run-1", "resumed"));
    claim.steer({ type: "stop", run: null });
    expect(await training.done).toEqual({ type: "ended" });
    expect(factsOf(messagesOf(claim.segments, "run-1")).end).toMatchObject({ outcome: "stopped" });
    expect(messagesOf(claim.segments, "run-2")).toEqual([{ type: "ended", outcome: "stopped", reason: "Stopped before it started.", step: 0, hyperparameters: {} }]);
  });

  it.skipIf(!everything)("leaves with a checkpoint when it is asked to, and hands in nothing more once the unit was taken away", async () => {
    const claim = new MemoryClaim(makeUnit("unit-7", [[["run-1", tiny(1, 100_000)]]], { checkpointEvery: 3_600_000 }));
    const training = train(claim);
    await claim.when(() => messagesOf(claim.segments, "run-1").some(({ type }) => type === "rows"));
    claim.steer({ type: "leave", run: null });
    expect(await training.done).toMatchObject({ type: "left", asked: true });
    expect(claim.checkpoints.get("run-1")!.step).toBe(factsOf(messagesOf(claim.segments, "run-1")).rows.size);

    const lost = new MemoryClaim(claim.unit, 2, claim);
    const again = train(lost);
    await lost.when(() => messagesOf(lost.segments, "run-1").some(({ type }) => type === "rows"));
    lost.lose("another attempt has begun");
    expect(await again.done).toEqual({ type: "lost", reason: "another attempt has begun" });
    expect(lost.outcome).toBeUndefined();
  });

  it.skipIf(!everything)("says in the run's log that its trainer was killed, and trains the others", async () => {
    const pids: number[] = [];
    const watched = async () => {
      const trainer = await launch();
      pids.push(trainer.pid!);
      return trainer;
    };
    const claim = new MemoryClaim(makeUnit("unit-8", [[["run-1", tiny(1, 100_000)]], [["run-2", tiny(2)]]]));
    const training = train(claim, { launch: watched });
    await claim.when(() => messagesOf(claim.segments, "run-1").some(({ type }) => type === "rows"));
    process.kill(pids[0]!, "SIGKILL");
    expect(await training.done).toEqual({ type: "ended" });
    expect(factsOf(messagesOf(claim.segments, "run-1")).end).toEqual({ type: "failed", message: "The trainer process was ended by SIGKILL (as systems do when memory runs out)." });
    expect(factsOf(messagesOf(claim.segments, "run-2")).end).toMatchObject({ outcome: "finished" });
  });

  it("gives the unit up where nothing can be handed in ever, and no sign of life then", async () => {
    const claim = new MemoryClaim(makeUnit("unit-10", [[["run-1", tiny(1, 100_000)]]]));
    claim.failure = new FleetError("you may not write there", { retry: false });
    expect(await train(claim).done).toEqual({ type: "lost", reason: "you may not write there" });
    expect(claim.released).toBe(true);
  });

  it("fails with the reason where no trainer can be started", async () => {
    const claim = new MemoryClaim(makeUnit("unit-9", [[["run-1", tiny(1)]]]));
    const training = train(claim, { launch: () => Promise.reject(new Error("no memory")) });
    expect(await training.done).toEqual({ type: "failed", reason: "The trainer process could not be started: no memory" });
    expect(claim.outcome).toMatchObject({ type: "failed" });
  });
});
