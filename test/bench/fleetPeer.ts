/** Simulated workers of `npm run bench:fleet`, in a process of their own: each hands in a recorded log for every run of its units. */
import { FolderSource } from "../../src/main/fleet/folder/source.ts";
import { FleetError } from "../../src/main/fleet/fleet.ts";
import { QueueSource } from "../../src/main/fleet/queue/queueSource.ts";
import { encodeSegment, type LoggedMessage, type SegmentEntry } from "../../src/main/fleet/segment.ts";
import type { Claim, WorkSource } from "../../src/main/fleet/worker/source.ts";
import type { WorkerMachine } from "../../src/shared/fleet/worker.ts";
import { runsOf, type UnitRun } from "../../src/shared/fleet/unit.ts";
import { messagesOf } from "../support/fleet/trainedHere.ts";
import packageJson from "../../package.json" with { type: "json" };
import { setTimeout as pause } from "node:timers/promises";

export interface FleetPeerPlan {
  readonly kind: "folder" | "queue";
  readonly where: string;
  readonly workers: number;
  /** Segments of a run. */
  readonly segments: number;
}

const plan = JSON.parse(process.argv[2]!) as FleetPeerPlan;
const machine: WorkerMachine = { host: "simulated", platform: "linux x64", processor: "a processor", cores: 1, memory: 1e9, engines: [{ kind: "onnx-cpu", device: "CPU", memory: null }], versions: { hypertower: packageJson.version, node: process.versions.node } };

/** What a trainer reports of a run, trained once. */
async function record({ experiment }: UnitRun): Promise<LoggedMessage[]> {
  return (await messagesOf(experiment)).filter((message): message is LoggedMessage => ["started", "rows", "evaluation", "ended", "failed"].includes(message.type));
}

/** The log in parts of equal numbers of rows, each with what was reported between them. */
function partsOf(log: readonly LoggedMessage[], parts: number): LoggedMessage[][] {
  const started = log.find(({ type }) => type === "started") as Extract<LoggedMessage, { type: "started" }>;
  const width = started.metrics.length;
  const result: LoggedMessage[][] = Array.from({ length: parts }, () => []);
  const each = Math.ceil(started.totalSteps / parts);
  let at = 0;
  for (const message of log) {
    if (message.type !== "rows") {
      result[Math.min(at, parts - 1)]!.push(message);
      continue;
    }
    const { firstStep, count, values } = message.rows;
    for (let from = 0; from < count; ) {
      at = Math.floor((firstStep + from) / each);
      const until = Math.min(count, (at + 1) * each - firstStep);
      result[at]!.push({ ...message, rows: { firstStep: firstStep + from, count: until - from, values: values.slice(from * width, until * width) } });
      from = until;
    }
  }
  return result;
}

let recorded: Promise<LoggedMessage[][]> | undefined;
async function persist(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof FleetError) || !error.retry) throw error;
      await pause(200);
    }
  }
}

async function handIn(claim: Claim, worker: string): Promise<void> {
  const runs = runsOf(claim.unit);
  const parts = await (recorded ??= record(runs[0]!).then((log) => partsOf(log, plan.segments)));
  let sequence = 0;
  for (const [index, { run }] of runs.entries()) {
    for (const [part, messages] of parts.entries()) {
      const isLast = part === parts.length - 1;
      const entries: SegmentEntry[] = messages.map((message) => ({ type: "run", run, message }));
      if (sequence === 0) entries.unshift({ type: "attempt", worker, machine });
      if (isLast && index === runs.length - 1) entries.push({ type: "end", outcome: "ended", reason: null });
      const bytes = encodeSegment({ unit: claim.unit.id, attempt: claim.attempt, sequence, entries });
      const number = sequence++;
      await persist(() => claim.putSegment(number, bytes, isLast ? [run] : []));
      process.send!({ bytes: bytes.length });
    }
  }
  await persist(() => claim.end({ type: "ended" }));
}

async function work(id: string): Promise<void> {
  const source: WorkSource = plan.kind === "folder" ? new FolderSource({ root: plan.where, lookEvery: 2_000 }) : await QueueSource.open(plan.where, { networks: "/nonexistent", poll: 2_000 });
  await source.begin({ id, machine, startedAt: Date.now() });
  for (let claim = await source.next(() => null); claim; claim = await source.next(() => null)) await handIn(claim, id);
}

await Promise.all(Array.from({ length: plan.workers }, (_, i) => work(`simulated-${i}`)));
