import type { EngineKind } from "../../shared/experiment.ts";
import type { Engine } from "./engine.ts";

/** Every engine by name, loaded when it is first asked for: a native library that fails concerns only who uses it. */
export const loadEngine: Readonly<Record<EngineKind, () => Promise<Engine>>> = {
  "onnx-cpu": async () => (await import("./onnx/engine.ts")).onnxCpuEngine,
  reference: async () => (await import("./reference/engine.ts")).referenceEngine,
};
