/** The engines that load on this machine; of the others, why they do not. */
import { loadEngine } from "../../src/main/engines/index.ts";
import { engineKinds, type EngineKind } from "../../src/shared/experiment.ts";

const tried = await Promise.all(
  engineKinds.map((kind) =>
    loadEngine[kind]().then(
      () => ({ kind, problem: null }),
      (error: unknown) => ({ kind, problem: error instanceof Error ? error.message : String(error) }),
    ),
  ),
);

export const presentEngines: readonly EngineKind[] = tried.flatMap(({ kind, problem }) => (problem === null ? [kind] : []));
export const missingEngines = tried.flatMap(({ kind, problem }) => (problem === null ? [] : [{ kind, problem }]));

/** Engines that are always there, fast enough for whole training runs in tests. */
export const steadyEngines = ["onnx-cpu", "reference"] as const satisfies readonly EngineKind[];
