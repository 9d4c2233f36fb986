/** What a worker says about its machine. */
import { availableParallelism, cpus, hostname, totalmem } from "node:os";
import { engineKinds, type EngineKind } from "../../../shared/engines.ts";
import type { WorkerMachine } from "../../../shared/fleet/worker.ts";
import { EngineTrials } from "../../hosting/engineTrials.ts";
import type { LaunchTrainer } from "../../hosting/process.ts";
import { TrainerPool } from "../../hosting/trainerPool.ts";

export interface MachineOptions {
  readonly launch: LaunchTrainer;
  readonly version: string;
  /** Engines to try; all by default. Each takes a moment. */
  readonly kinds?: readonly EngineKind[];
  /** Milliseconds after which an engine that does not answer is given up. */
  readonly within?: number;
}

export interface FoundMachine {
  readonly machine: WorkerMachine;
  /** Why engines cannot be used here. */
  readonly problems: ReadonlyMap<EngineKind, string>;
}

/** Tries engines in processes of their own, so that one that crashes does no harm. */
export async function findMachine({ launch, version, kinds = engineKinds, within = 60_000 }: MachineOptions): Promise<FoundMachine> {
  const pool = new TrainerPool({ launch });
  const trials = new EngineTrials({ startTrainer: pool.startAlone, within });
  const engines: { -readonly [Key in keyof WorkerMachine["engines"][number]]: WorkerMachine["engines"][number][Key] }[] = [];
  const problems = new Map<EngineKind, string>();
  try {
    for (const [kind, tried] of await trials.probe(kinds, () => undefined)) {
      if ("crash" in tried) problems.set(kind, tried.crash);
      else if ("late" in tried) problems.set(kind, `it did not answer within ${Math.round(tried.late / 1000)} s`);
      else if (tried.description === null) problems.set(kind, tried.problem ?? "it does not work here");
      else engines.push({ kind, device: tried.description.device.slice(0, 300), memory: tried.description.memory });
    }
  } finally {
    trials.close();
    await pool.close();
  }
  // A job's or a container's memory; larger than the machine's where nothing limits it.
  const limit = process.constrainedMemory();
  return {
    machine: {
      host: hostname().slice(0, 300) || "unknown",
      platform: `${process.platform} ${process.arch}`,
      processor: (cpus()[0]?.model.trim() || process.arch).slice(0, 300),
      cores: availableParallelism(),
      memory: limit > 0 && limit < totalmem() ? limit : totalmem(),
      engines,
      versions: { hypertower: version, node: process.versions.node },
    },
    problems,
  };
}
