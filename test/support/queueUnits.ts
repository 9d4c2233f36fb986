/** Units, and what workers say of themselves, for tests of where units are kept. */
import type { Unit } from "../../src/shared/fleet/unit.ts";
import { unitFormat } from "../../src/shared/fleet/unit.ts";
import type { WorkerMachine } from "../../src/shared/fleet/worker.ts";
import { experiment } from "../../src/shared/experiment.ts";
import { latestGenerator } from "../../src/shared/random.ts";

const plain = experiment.parse({});

export function unitOf(id: string, runs: readonly string[] = [`${id}-run`], networks: readonly string[] = []): Unit {
  return {
    format: unitFormat,
    id,
    study: { id: "study", name: "a study" },
    programs: runs.map((run) => ({ size: 1, members: [{ run, seat: 0, experiment: plain }] })),
    needs: { hypertower: "0.1.0", engine: "onnx-cpu", threads: 1, generator: latestGenerator, dataset: { kind: "made", title: "made", files: [] }, networks: [...networks] },
    checkpointEvery: 1_000,
    estimate: null,
  };
}

export const machine: WorkerMachine = { host: "box", platform: "linux x64", processor: "a processor", cores: 2, memory: 1e9, engines: [{ kind: "onnx-cpu", device: "CPU", memory: null }], versions: { hypertower: "0.1.0", node: "24" } };
