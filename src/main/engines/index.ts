import type { EngineKind } from "../../shared/experiment.ts";
import type { Engine } from "./engine.ts";

/** Every engine by name, loaded when it is first asked for: a native library that fails concerns only who uses it. */
export const loadEngine: Readonly<Record<EngineKind, () => Promise<Engine>>> = {
  "onnx-cpu": async () => (await import("./onnx/engine.ts")).onnxCpuEngine,
  "tfjs-node": () => tfjs("tfjs-node"),
  "tfjs-node-gpu": () => tfjs("tfjs-node-gpu"),
  "tfjs-webgpu": () => tfjs("tfjs-webgpu"),
  "tfjs-wasm": () => tfjs("tfjs-wasm"),
  "tfjs-cpu": () => tfjs("tfjs-cpu"),
  reference: async () => (await import("./reference/engine.ts")).referenceEngine,
};

async function tfjs(kind: Exclude<EngineKind, "onnx-cpu" | "reference">): Promise<Engine> {
  const [{ tfjsEngine }, { backends }] = await Promise.all([import("./tfjs/engine.ts"), import("./tfjs/backends.ts")]);
  try {
    return await tfjsEngine(backends[kind]);
  } catch (error) {
    throw new Error(`The engine ${kind} cannot be used here: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
