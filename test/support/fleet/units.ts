/** Units of tiny experiments, and what workers hand in of them. */
import packageJson from "../../../package.json" with { type: "json" };
import { experiment, type ExperimentInput } from "../../../src/shared/experiment.ts";
import { unit, type Unit, type UnitProgram } from "../../../src/shared/fleet/unit.ts";
import type { WorkerMachine } from "../../../src/shared/fleet/worker.ts";
import type { LoggedMessage, Segment } from "../../../src/main/fleet/segment.ts";
import type { FromTrainer } from "../../../src/main/trainer/messages.ts";

export const { version } = packageJson;

export const machine: WorkerMachine = {
  host: "node1",
  platform: `${process.platform} ${process.arch}`,
  processor: "a processor",
  cores: 2,
  memory: 1e9,
  engines: [{ kind: "onnx-cpu", device: "a processor", memory: null }],
  versions: { hypertower: version, node: process.versions.node },
};

/** Iris in batches of one, so that a run has many quick steps. */
export const tiny = (seed: number, epochs = 2, more: ExperimentInput = {}) =>
  experiment.parse({
    dataset: { kind: "iris", trainExamples: 120, testExamples: 30 },
    model: { kind: "mlp", hidden: [4] },
    batchSize: 4,
    seed,
    budget: { epochs },
    engine: { kind: "onnx-cpu", threads: 1 },
    ...more,
  });

export function makeUnit(id: string, programs: readonly (readonly [run: string, ReturnType<typeof tiny>][] | UnitProgram)[], more: Partial<Unit> = {}): Unit {
  return unit.parse({
    format: 1,
    id,
    study: { id: "study-1", name: "a study" },
    programs: programs.map((program) => (Array.isArray(program) ? { size: program.length, members: program.map(([run, each], seat) => ({ run, seat, experiment: each })) } : program)),
    needs: { hypertower: version, engine: "onnx-cpu", threads: 1, generator: 2, dataset: { kind: "iris", title: "Iris", files: [] }, networks: [] },
    checkpointEvery: 100,
    estimate: null,
    ...more,
  });
}

/** What a run's messages say without times: rows by step, evaluations, and how it ended. */
export interface RunFacts {
  readonly metrics: readonly string[];
  readonly rows: Map<number, number[]>;
  readonly evaluations: Map<number, unknown>;
  readonly end: unknown;
  /** Steps that came again with other values. */
  readonly different: number[];
}

export function factsOf(messages: readonly (FromTrainer | LoggedMessage)[]): RunFacts {
  let metrics: readonly string[] = [];
  let end: unknown;
  const rows = new Map<number, number[]>();
  const evaluations = new Map<number, unknown>();
  const different: number[] = [];
  for (const message of messages) {
    if (message.type === "started") ({ metrics } = message);
    if (message.type === "evaluation") evaluations.set(message.evaluation.step, message.evaluation);
    if (message.type === "ended") end = { outcome: message.outcome, step: message.step, hyperparameters: message.hyperparameters };
    if (message.type === "failed") end = message;
    if (message.type !== "rows") continue;
    const { firstStep, count, values } = message.rows;
    for (let row = 0; row < count; row++) {
      const step = firstStep + row;
      const untimed = [...values.subarray(row * metrics.length, (row + 1) * metrics.length)].filter((_, i) => metrics[i] !== "stepTime");
      const before = rows.get(step);
      if (before && JSON.stringify(before) !== JSON.stringify(untimed)) different.push(step);
      rows.set(step, untimed);
    }
  }
  return { metrics, rows, evaluations, end, different };
}

/** Messages about a run, in the order of the segments. */
export const messagesOf = (segments: readonly Segment[], run: string): LoggedMessage[] => segments.flatMap(({ entries }) => entries.flatMap((entry) => (entry.type === "run" && entry.run === run ? [entry.message] : [])));
