/**
 * Segments: what a unit's trainers report, in numbered files with a checksum.
 *
 *   "HTSEG1\n" | length of the head (uint32) | head, JSON | float64 values of all rows | CRC-32 of everything before it
 *
 * Little-endian. Rows stand in the head as a position and a count of values. They come from machines that are not trusted
 * and are checked before they are used.
 */
import { crc32 } from "node:zlib";
import { z } from "zod";
import { environment, evaluation } from "../../shared/run.ts";
import { identifier } from "../../shared/fleet/unit.ts";
import { workerMachine } from "../../shared/fleet/worker.ts";
import type { FromTrainer } from "../trainer/messages.ts";
import type { SegmentRef } from "./fleet.ts";

/** What a trainer says of one run that belongs in the run's log. */
export type LoggedMessage = Extract<FromTrainer, { type: "started" | "rows" | "evaluation" | "rolledBack" | "paused" | "resumed" | "ended" | "failed" }>;

export type SegmentEntry =
  /** First entry of an attempt. */
  | { readonly type: "attempt"; readonly worker: string; readonly machine: z.infer<typeof workerMachine> }
  | { readonly type: "run"; readonly run: string; readonly message: LoggedMessage }
  /** Last entry of an attempt. */
  | { readonly type: "end"; readonly outcome: "ended" | "left" | "failed"; readonly reason: string | null };

export interface Segment extends SegmentRef {
  readonly entries: readonly SegmentEntry[];
}

/** A segment is damaged or not what it claims to be. */
export class SegmentError extends Error {
  constructor({ unit, attempt, sequence }: SegmentRef, problem: string) {
    super(`segment ${sequence} of attempt ${attempt} of unit ${unit} cannot be taken in: ${problem}`);
    this.name = "SegmentError";
  }
}

/** Limits of what is read. */
export const segmentLimits = {
  /** Bytes of a segment, and of its head. */
  bytes: 64 << 20,
  head: 16 << 20,
  entries: 100_000,
  metrics: 10_000,
} as const;

const magic = Buffer.from("HTSEG1\n");

/** JSON has no words for these numbers. */
const words: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY, "-Infinity": Number.NEGATIVE_INFINITY };
const anyNumber = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]).transform((word) => words[word]!)]);
const numberOrNull = anyNumber.nullable();
const count = z.int().min(0);
const text = z.string().max(100_000);

/** An evaluation whose numbers may be non-finite, as trainers report them. */
const reported = z.strictObject(Object.fromEntries(Object.entries(evaluation.shape).map(([name, field]) => [name, name === "step" ? count : name === "epoch" ? anyNumber : field instanceof z.ZodOptional ? numberOrNull.optional() : numberOrNull])));

const metricName = z.string().min(1).max(500);
const message = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("started"),
    device: z.string().max(1_000),
    environment,
    metrics: z.array(metricName).min(1).max(segmentLimits.metrics),
    totalSteps: count,
    from: z.strictObject({ step: count, evaluated: count.nullable() }).optional(),
  }),
  z.strictObject({
    type: z.literal("rows"),
    firstStep: count,
    count,
    /** Position and number of values, in values. */
    values: z.tuple([count, count]),
    progress: z.strictObject({ samplesPerSecond: numberOrNull, secondsLeft: numberOrNull, epoch: anyNumber }),
  }),
  z.strictObject({ type: z.literal("evaluation"), evaluation: reported }),
  z.strictObject({ type: z.literal("rolledBack"), step: count, message: text }),
  z.strictObject({ type: z.literal("paused") }),
  z.strictObject({ type: z.literal("resumed") }),
  z.strictObject({ type: z.literal("ended"), outcome: z.enum(["finished", "stopped", "diverged"]), reason: text.nullable(), step: count, hyperparameters: z.record(metricName, anyNumber) }),
  z.strictObject({ type: z.literal("failed"), message: text, engine: z.enum(["device", "memory"]).optional(), unavailable: text.optional(), checkpoint: z.boolean().optional() }),
]);

const head = z.strictObject({
  unit: identifier,
  attempt: z.int().min(1),
  sequence: count,
  entries: z
    .array(
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("attempt"), worker: identifier, machine: workerMachine }),
        z.strictObject({ type: z.literal("run"), run: identifier, message }),
        z.strictObject({ type: z.literal("end"), outcome: z.enum(["ended", "left", "failed"]), reason: text.nullable() }),
      ]),
    )
    .max(segmentLimits.entries),
});

export function encodeSegment({ unit, attempt, sequence, entries }: Segment): Buffer {
  const rows: Float64Array[] = [];
  let at = 0;
  const plain = entries.map((entry) => {
    if (entry.type !== "run" || entry.message.type !== "rows") return entry;
    const { rows: reportedRows, progress } = entry.message;
    rows.push(reportedRows.values);
    const values = [at, reportedRows.values.length];
    at += reportedRows.values.length;
    return { ...entry, message: { type: "rows", firstStep: reportedRows.firstStep, count: reportedRows.count, values, progress } };
  });
  const json = Buffer.from(JSON.stringify({ unit, attempt, sequence, entries: plain }, (_key, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const body = Buffer.concat([magic, length, json, ...rows.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(body));
  return Buffer.concat([body, sum]);
}

/** @throws SegmentError unless the bytes are whole and are the segment that was asked for */
export function decodeSegment(bytes: Uint8Array, ref: SegmentRef): Segment {
  const fail = (problem: string): never => {
    throw new SegmentError(ref, problem);
  };
  if (bytes.length > segmentLimits.bytes) fail(`it has ${bytes.length} bytes; ${segmentLimits.bytes} are allowed`);
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = magic.length + 4;
  if (whole.length < start + 4 || !whole.subarray(0, magic.length).equals(magic)) fail("it does not begin as a segment");
  if (crc32(whole.subarray(0, -4)) !== whole.readUInt32LE(whole.length - 4)) fail("its checksum does not match: it was damaged or is incomplete");
  const headLength = whole.readUInt32LE(magic.length);
  const rest = whole.length - 4 - start - headLength;
  if (headLength > segmentLimits.head || rest < 0 || rest % 8 !== 0) fail("its lengths do not fit its size");
  const parsed = head.safeParse(jsonOf(whole.toString("utf8", start, start + headLength)));
  if (!parsed.success) {
    const [{ path, message: problem }] = parsed.error.issues as [z.core.$ZodIssue];
    return fail(`${path.join(".").slice(0, 200)}: ${problem.slice(0, 300)}`);
  }
  const { unit, attempt, sequence, entries } = parsed.data;
  if (unit !== ref.unit || attempt !== ref.attempt || sequence !== ref.sequence) fail(`it says that it is segment ${sequence} of attempt ${attempt} of unit ${unit}`);
  // A copy, because float64 values must be aligned.
  const values = new Float64Array(new Uint8Array(whole.subarray(start + headLength, whole.length - 4)).buffer);
  let at = 0;
  const logged = entries.map((entry): SegmentEntry => {
    if (entry.type !== "run") return entry;
    const { message: said } = entry;
    if (said.type !== "rows") return { ...entry, message: said as LoggedMessage };
    const [first, length] = said.values;
    if (first !== at || first + length > values.length || (said.count === 0 ? length > 0 : length % said.count !== 0)) fail("its rows do not fit its values");
    at += length;
    return { ...entry, message: { type: "rows", rows: { firstStep: said.firstStep, count: said.count, values: values.slice(first, first + length) }, progress: said.progress } };
  });
  if (at !== values.length) fail("it holds values of no row");
  return { unit, attempt, sequence, entries: logged };
}

function jsonOf(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}
