import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSegment, encodeSegment, SegmentError, type Segment, type SegmentEntry } from "../../../src/main/fleet/segment.ts";

const machine = {
  host: "node1",
  platform: "linux x64",
  processor: "a processor",
  cores: 2,
  memory: 1e9,
  engines: [{ kind: "onnx-cpu" as const, device: "a processor", memory: null }],
  versions: { hypertower: "1.0.0", node: "24.0.0" },
};
const ref = { unit: "unit-1", attempt: 2, sequence: 7 };
const rows = (firstStep: number, values: number[], columns: number): SegmentEntry => ({
  type: "run",
  run: "run-1",
  message: { type: "rows", rows: { firstStep, count: values.length / columns, values: Float64Array.from(values) }, progress: { samplesPerSecond: 12, secondsLeft: null, epoch: 0.5 } },
});

const segment: Segment = {
  ...ref,
  entries: [
    { type: "attempt", worker: "worker-1", machine },
    rows(0, [1, Number.NaN, Number.POSITIVE_INFINITY, -0], 2),
    { type: "run", run: "run-1", message: { type: "evaluation", evaluation: { step: 2, epoch: 1, trainLoss: Number.NaN, testLoss: null, testError: 3.5 } } },
    rows(2, [5, 6], 2),
    { type: "run", run: "run-1", message: { type: "ended", outcome: "diverged", reason: "the loss is not finite", step: 3, hyperparameters: { "L0.alpha": Number.NEGATIVE_INFINITY } } },
    { type: "end", outcome: "ended", reason: null },
  ],
};

describe("segments", () => {
  it("come back as they were, with every value bit for bit", () => {
    expect(decodeSegment(encodeSegment(segment), ref)).toEqual(segment);
  });

  it("hold any rows", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.double(), { minLength: 3, maxLength: 3 }), { maxLength: 20 }), (all) => {
        const sent: Segment = { ...ref, entries: all.map((values, i) => rows(i, values, 3)) };
        expect(decodeSegment(encodeSegment(sent), ref)).toEqual(sent);
      }),
      { numRuns: 50 },
    );
  });

  it("are refused with any byte changed, and at any length cut short", () => {
    const whole = encodeSegment(segment);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const damaged = Buffer.from(whole);
        damaged[at]! ^= by;
        expect(() => decodeSegment(damaged, ref)).toThrow(SegmentError);
        expect(() => decodeSegment(whole.subarray(0, at), ref)).toThrow(SegmentError);
      }),
      { numRuns: 200 },
    );
  });

  it("are refused where they are another's", () => {
    expect(() => decodeSegment(encodeSegment(segment), { ...ref, sequence: 8 })).toThrow("it says that it is segment 7 of attempt 2 of unit unit-1");
  });

  it("are refused where their rows and values do not fit", () => {
    const entry = rows(0, [1, 2, 3], 3) as Extract<SegmentEntry, { type: "run" }> & { message: { type: "rows" } };
    const wrong: SegmentEntry = { ...entry, message: { ...entry.message, rows: { ...entry.message.rows, count: 2 } } };
    expect(() => decodeSegment(encodeSegment({ ...ref, entries: [wrong] }), ref)).toThrow("its rows do not fit its values");
  });
});
