/** Segments of a unit reach the trainers of its runs in order, and wait for those that the host has not resumed yet. */
import { describe, expect, it } from "vitest";
import { RemoteTrainer } from "../../../src/main/fleet/coordinator/remoteTrainer.ts";
import { UnitIntake, type UnitIntakeOptions } from "../../../src/main/fleet/coordinator/unitIntake.ts";
import { experiment } from "../../../src/shared/experiment.ts";
import { encodeSegment } from "../../../src/main/fleet/segment.ts";
import { segmentsOf, type AttemptOptions } from "../../support/fleet/memoryFleet.ts";
import { makeUnit } from "../../support/fleet/units.ts";

const plan = experiment.parse({ name: JSON.stringify({ steps: 60, epochSteps: 20 }), tower: [{ optimizer: "sgd" }], engine: { kind: "onnx-cpu" } });
const unit = makeUnit("unit-1", [[["run-1", plan]], [["run-2", plan]]]);
const ignored = { onSteer: () => undefined, onKill: () => undefined, onLeave: () => undefined };

function intake(more: Partial<UnitIntakeOptions> = {}) {
  const kept = new Map<string, Uint8Array>();
  const logged = new Map<string, number>();
  const said: string[] = [];
  const made = new UnitIntake({
    unit,
    taken: { attempt: 0, sequence: -1 },
    fleet: { read: ({ attempt, sequence }) => Promise.resolve(kept.get(`${attempt} ${sequence}`)!) },
    logged: (run) => logged.get(run) ?? 0,
    awaits: () => false,
    keepCheckpoint: () => Promise.resolve(),
    ...more,
  });
  const attach = (run: string) => {
    const trainer = new RemoteTrainer(0, ignored);
    trainer.send({ type: "start", experiment: plan, checkpoints: { run, every: 1, resume: false, keepWeights: false } });
    trainer.onMessage((message) => {
      if (message.type === "mark") return;
      said.push(`${run} ${message.type}${message.type === "rows" ? ` ${message.rows.firstStep}` : ""}`);
      if (message.type === "rows") logged.set(run, message.rows.firstStep + message.rows.count);
    });
    made.trainers.set(run, trainer);
    return trainer;
  };
  const hand = (attempt: number, options: AttemptOptions = {}) =>
    segmentsOf(unit, attempt, options).map(({ ref, entries }) => {
      kept.set(`${attempt} ${ref.sequence}`, encodeSegment({ ...ref, entries }));
      return ref;
    });
  return { made, attach, hand, said };
}

describe("the intake of a unit", () => {
  it("waits for a run that the host is still to resume, and loses nothing of it", async () => {
    let awaited = true;
    const { made, attach, hand, said } = intake({ awaits: (run) => run === "run-2" && awaited });
    attach("run-1");
    const refs = hand(1);
    const first = await made.take(refs);
    expect(said.at(-1)).toBe("run-1 ended");
    expect(made.problem).toBe("run run-2 is not resumed here yet");
    // However often it is looked at.
    for (let look = 0; look < 100; look++) await made.take(refs.slice(first.length));
    awaited = false;
    attach("run-2");
    expect(await made.take(refs.slice(first.length))).toHaveLength(refs.length - first.length);
    expect(said.filter((each) => each.startsWith("run-2"))).toEqual(said.filter((each) => each.startsWith("run-1")).map((each) => each.replace("run-1", "run-2")));
    expect(made.end).toEqual({ type: "end", outcome: "ended", reason: null });
  });

  it("goes on after a run that an earlier host took in whole, whose last segments it did not note", async () => {
    const { made, attach, hand, said } = intake({ taken: { attempt: 1, sequence: 1 } });
    attach("run-2");
    const refs = hand(1);
    expect(await made.take(refs)).toHaveLength(refs.length);
    expect(made.problem).toBeNull();
    expect(said.filter((each) => each.startsWith("run-1"))).toEqual([]);
    expect(said.at(-1)).toBe("run-2 ended");
  });

  it("takes nothing more of a run that had ended when its worker died before it could note that", async () => {
    const { made, attach, hand, said } = intake();
    attach("run-1");
    attach("run-2");
    // All of the first attempt but how it ended.
    const lost = hand(1).slice(0, -1);
    await made.take(lost);
    const before = [...said];
    expect(before.filter((each) => each.endsWith(" ended"))).toHaveLength(2);
    const again = hand(2, { from: 30 });
    expect(await made.take([...lost, ...again])).toHaveLength(lost.length + again.length);
    expect(said).toEqual(before);
    expect(made.end).toEqual({ type: "end", outcome: "ended", reason: null });
  });

  it("goes over to another attempt only where that begins at what was handed in", async () => {
    const { made, attach, hand, said } = intake();
    attach("run-1");
    attach("run-2");
    const lost = hand(1, { lostAt: 40, portion: 10 }).slice(0, 6);
    const next = hand(2, { from: 30, ended: new Set(["run-2"]) });
    // The second and third tens of steps are still to come.
    await made.take([...lost.slice(0, 3), ...next]);
    expect(said).toEqual(["run-1 started", "run-1 rows 0"]);
    expect(made.problem).toContain("attempt 2 goes on at step 30 of run run-1, of which 10 steps were handed in");
    await made.take([...lost, ...next]);
    expect(said.filter((each) => each.endsWith("started"))).toEqual(["run-1 started", "run-1 started"]);
    expect(said.at(-1)).toBe("run-1 ended");
  });

  it("gives up on a segment that does not come, with the reason", async () => {
    const { made, attach, hand } = intake();
    attach("run-1");
    const refs = hand(1).filter((_, i) => i !== 2);
    await expect((async () => {
      for (let look = 0; look < 100; look++) {
        await made.take(refs);
        made.remembered();
      }
    })()).rejects.toThrow("segment 2 of attempt 1 is missing");
  });
});
