/** A fleet in memory, with a worker that makes up numbers as fakeTrainer.ts does, and with faults. */
import type { Experiment } from "../../../src/shared/experiment.ts";
import { hyperparameterColumns } from "../../../src/shared/tower.ts";
import { runsOf, type Unit } from "../../../src/shared/fleet/unit.ts";
import type { WorkerMachine } from "../../../src/shared/fleet/worker.ts";
import { FleetError, type CheckpointRef, type Fleet, type FleetNews, type SegmentRef, type UnitNews, type UnitPackage, type UnitSteering, type UnitState } from "../../../src/main/fleet/fleet.ts";
import { encodeSegment, type LoggedMessage, type SegmentEntry } from "../../../src/main/fleet/segment.ts";
import type { FakePlan } from "../fakeTrainer.ts";

export const aMachine = (host: string): WorkerMachine => ({ host, platform: "linux x64", processor: "none", cores: 4, memory: 1e9, engines: [], versions: { hypertower: "0", node: "24" } });

interface KeptUnit {
  readonly package: UnitPackage;
  state: UnitState;
  reason: string | null;
  attempts: number;
  readonly segments: Map<string, { readonly ref: SegmentRef; bytes: Uint8Array }>;
  readonly checkpoints: Map<string, CheckpointRef & { readonly bytes: Uint8Array }>;
  readonly steering: UnitSteering[];
}

export class MemoryFleet implements Fleet {
  readonly name: string;
  readonly kind = "queue";
  readonly longest = null;
  readonly kept = new Map<string, KeptUnit>();
  /** Units that were submitted, also those that are forgotten. */
  readonly submitted: UnitPackage[] = [];
  /** Requests fail while this is set. */
  unreachable = false;
  /** Changes what a look answers. */
  disturb: (news: FleetNews) => FleetNews = (news) => news;
  /** Called before segments are deleted. */
  onTaken: (segments: readonly SegmentRef[]) => void = () => undefined;
  readonly takenIn: SegmentRef[] = [];
  looks = 0;
  /** Segments that were read and not acknowledged: at present, and at most so far. */
  inHand = 0;
  mostInHand = 0;
  onSubmit: (unit: Unit) => void = () => undefined;

  constructor(name = "queue") {
    this.name = name;
  }

  async submit(units: readonly UnitPackage[]): Promise<void> {
    await this.#reach();
    for (const one of units) {
      if (this.kept.has(one.unit.id)) continue;
      this.submitted.push(one);
      this.kept.set(one.unit.id, { package: one, state: "waiting", reason: null, attempts: 0, segments: new Map(), checkpoints: new Map(), steering: [] });
      this.onSubmit(one.unit);
    }
  }

  async look(units: readonly string[], most: number): Promise<FleetNews> {
    await this.#reach();
    this.looks++;
    this.inHand = 0;
    const found = units.map((id): UnitNews => {
      const unit = this.kept.get(id);
      return { unit: id, state: unit?.state ?? "unknown", attempts: unit?.attempts ?? 0, where: unit && unit.attempts > 0 ? "node1" : null, reason: unit?.reason ?? null, job: "7_1" };
    });
    const kept = units.flatMap((id) => this.kept.get(id) ?? []);
    const segments = kept.flatMap((unit) => [...unit.segments.values()].map(({ ref }) => ref)).slice(0, most);
    const checkpoints = kept.flatMap((unit) => [...unit.checkpoints.values()].map(({ bytes: _bytes, ...ref }) => ref));
    return this.disturb({ units: found, segments, checkpoints });
  }

  async read({ unit, attempt, sequence }: SegmentRef): Promise<Uint8Array> {
    await this.#reach();
    this.mostInHand = Math.max(this.mostInHand, ++this.inHand);
    const found = this.kept.get(unit)?.segments.get(`${attempt} ${sequence}`);
    if (!found) throw new FleetError(`no segment ${sequence} of attempt ${attempt}`, { retry: true });
    return found.bytes;
  }

  async readCheckpoint({ unit, run }: CheckpointRef): Promise<Uint8Array> {
    await this.#reach();
    return this.kept.get(unit)!.checkpoints.get(run)!.bytes;
  }

  async taken(segments: readonly SegmentRef[]): Promise<void> {
    await this.#reach();
    this.onTaken(segments);
    this.takenIn.push(...segments);
    for (const { unit, attempt, sequence } of segments) this.kept.get(unit)?.segments.delete(`${attempt} ${sequence}`);
  }

  async steer(unit: string, steering: UnitSteering): Promise<void> {
    await this.#reach();
    this.kept.get(unit)?.steering.push(steering);
  }

  async cancel(units: readonly string[]): Promise<void> {
    await this.#reach();
    for (const id of units) {
      const unit = this.kept.get(id);
      if (unit && (unit.state === "waiting" || unit.state === "running")) unit.state = "canceled";
    }
  }

  async retry(): Promise<void> {
    await this.#reach();
  }

  async forget(units: readonly string[]): Promise<void> {
    await this.#reach();
    for (const id of units) this.kept.delete(id);
  }

  async workers() {
    await this.#reach();
    return [{ id: "w1", machine: aMachine("node1"), startedAt: 1, seenAt: 2, load: 1, units: [], draining: false }];
  }

  async drain(): Promise<void> {
    await this.#reach();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  put(ref: SegmentRef, entries: readonly SegmentEntry[]): void {
    this.kept.get(ref.unit)?.segments.set(`${ref.attempt} ${ref.sequence}`, { ref, bytes: encodeSegment({ ...ref, entries }) });
  }

  async #reach(): Promise<void> {
    await Promise.resolve();
    if (this.unreachable) throw new FleetError("nobody answers", { retry: true });
  }
}

export interface AttemptOptions {
  /** The machine's name, and what it adds to every loss from this step on. */
  readonly host?: string;
  readonly otherFrom?: number;
  /** Steps per segment. */
  readonly portion?: number;
  /** Steps after which the attempt is lost. */
  readonly lostAt?: number;
  /** Step of the checkpoint from which it goes on. */
  readonly from?: number;
  /** Runs that earlier attempts ended. */
  readonly ended?: ReadonlySet<string>;
}

/** What fakeTrainer.ts says of an experiment: entries of one run from a step on. */
export function messagesOf(experiment: Experiment, { from = 0, portion = 30, lostAt = Infinity, otherFrom = Infinity }: AttemptOptions = {}): LoggedMessage[][] {
  const plan = JSON.parse(experiment.name.slice(0, experiment.name.lastIndexOf("}") + 1)) as FakePlan;
  const divergeAt = plan.divergeFrom !== undefined && experiment.tower[0]!.alpha >= plan.divergeFrom ? 15 : plan.divergeAt;
  const { steps = 1_000, epochSteps = Infinity } = plan;
  const columns = hyperparameterColumns(experiment.tower);
  const environment = { hypertower: "0", node: process.version, platform: process.platform, cpu: "none", libraries: {}, gitCommit: "abc", engine: { kind: "onnx-cpu" as const, device: "a fake device", driver: null, precision: "float32" as const, why: "named by the study" } };
  const parts: LoggedMessage[][] = [[{
    type: "started", device: "a fake device", environment, metrics: ["loss", "stepTime", ...columns.map(({ metric }) => metric)], totalSteps: steps,
    ...(from > 0 && { from: { step: from, evaluated: from < epochSteps ? null : from - (from % epochSteps) } }),
  }]];
  const end = (outcome: "finished" | "diverged", step: number, reason: string | null): LoggedMessage => ({
    type: "ended", outcome, reason, step, hyperparameters: Object.fromEntries(columns.map(({ metric, initial }) => [metric, outcome === "diverged" ? NaN : initial + step])),
  });
  let part: LoggedMessage[] = [];
  for (let step = from; step < steps; step += 10) {
    if (step >= lostAt) return [...parts, part];
    const row = (s: number) => [s === divergeAt ? NaN : 1 / (1 + s) + (s >= otherFrom ? 1e-7 : 0), 1.5, ...columns.map(({ initial }) => initial + s)];
    const values = Float64Array.from(Array.from({ length: 10 }, (_, i) => row(step + i)).flat());
    part.push({ type: "rows", rows: { firstStep: step, count: 10, values }, progress: { samplesPerSecond: 100, secondsLeft: Infinity, epoch: step / steps } });
    const next = step + 10;
    if (next % epochSteps === 0) {
      const epoch = next / epochSteps;
      part.push({ type: "evaluation", evaluation: { step: next, epoch, trainLoss: next > otherFrom ? 0.25 : 0.5, testLoss: 0.5, testError: experiment.seed + 1 / epoch } });
    }
    if (divergeAt !== undefined && divergeAt < next) return [...parts, [...part, end("diverged", divergeAt, `loss is NaN at step ${divergeAt}`)]];
    if (next % portion === 0) {
      parts.push(part);
      part = [];
    }
  }
  return [...parts, [...part, end("finished", steps, null)]];
}

/** Trains a unit, or a part of it: the segments of an attempt, in order. */
export function segmentsOf(unit: Unit, attempt: number, options: AttemptOptions = {}): { ref: SegmentRef; entries: SegmentEntry[] }[] {
  const entries: SegmentEntry[][] = [[{ type: "attempt", worker: "w1", machine: aMachine(options.host ?? "node1") }]];
  for (const { run, experiment } of runsOf(unit)) {
    if (options.ended?.has(run)) continue;
    for (const part of messagesOf(experiment, options)) entries.push(part.map((message) => ({ type: "run", run, message })));
  }
  if (options.lostAt === undefined) entries.push([{ type: "end", outcome: "ended", reason: null }]);
  return entries.map((part, sequence) => ({ ref: { unit: unit.id, attempt, sequence }, entries: part }));
}

/** Trains all of a unit at once, and hands it in. */
export function trainAll(fleet: MemoryFleet, unit: Unit, options: AttemptOptions = {}): void {
  const kept = fleet.kept.get(unit.id)!;
  kept.attempts++;
  for (const { ref, entries } of segmentsOf(unit, kept.attempts, options)) fleet.put(ref, entries);
  kept.state = options.lostAt === undefined ? "ended" : "waiting";
}
