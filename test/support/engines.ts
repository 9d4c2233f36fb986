/** The engines that load on this machine, and why the others do not. */
import { loadEngine } from "../../src/core/engines/index.ts";
import { engineKinds, type EngineKind } from "../../src/shared/engines.ts";
import { messageOf } from "../../src/shared/errors.ts";

const tried: { kind: EngineKind; problem: string | null }[] = [];
// Sequential: TensorFlow.js has one backend at a time.
for (const kind of engineKinds) {
  const problem = await loadEngine[kind]().then(() => null, messageOf);
  tried.push({ kind, problem });
}

export const presentEngines: readonly EngineKind[] = tried.flatMap(({ kind, problem }) => (problem === null ? [kind] : []));
export const missingEngines = tried.flatMap(({ kind, problem }) => (problem === null ? [] : [{ kind, problem }]));

/** Engines that are always available, and fast enough to train runs in tests. */
export const steadyEngines = ["onnx-cpu", "reference"] as const satisfies readonly EngineKind[];
