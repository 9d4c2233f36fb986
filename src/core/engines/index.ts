import type { EngineChoice, EngineKind } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";
import type { Engine } from "./engine.ts";
import { EngineUnavailable, type Unavailable } from "./failures.ts";

/**
 * Every engine by name, loaded on first use, so that a native library that fails concerns only those who use it.
 * Each throws EngineUnavailable where this machine lacks the engine.
 */
export const loadEngine: Readonly<Record<EngineKind, () => Promise<Engine>>> = {
  "onnx-cpu": () => onnx("onnx-cpu"),
  "onnx-webgpu": () => onnx("onnx-webgpu"),
  "onnx-cuda": () => onnx("onnx-cuda"),
  "onnx-directml": () => onnx("onnx-directml"),
  "onnx-coreml": () => onnx("onnx-coreml"),
  "tfjs-node": () => tfjs("tfjs-node"),
  "tfjs-node-gpu": () => tfjs("tfjs-node-gpu"),
  "tfjs-webgpu": () => tfjs("tfjs-webgpu"),
  "tfjs-wasm": () => tfjs("tfjs-wasm"),
  "tfjs-cpu": () => tfjs("tfjs-cpu"),
  reference: async () => (await import("./reference/engine.ts")).referenceEngine,
};

/** The engine an experiment names. @throws EngineUnavailable; Error for `auto`, which is resolved before training */
export async function engineNamed(kind: EngineChoice): Promise<Engine> {
  if (kind === "auto") throw new Error("no engine is named: one is chosen before anything is trained");
  return loadEngine[kind]();
}

async function onnx(kind: Extract<EngineKind, `onnx-${string}`>): Promise<Engine> {
  const [{ onnxEngine }, { providers }] = await Promise.all([import("./onnx/engine.ts"), import("./onnx/providers.ts")]);
  return usable(kind, onnxEngine(providers[kind]));
}

async function tfjs(kind: Extract<EngineKind, `tfjs-${string}`>): Promise<Engine> {
  const [{ tfjsEngine }, { backends }] = await Promise.all([import("./tfjs/engine.ts"), import("./tfjs/backends.ts")]);
  return usable(kind, tfjsEngine(backends[kind]));
}

/** @throws EngineUnavailable also for what a native library throws while it loads */
async function usable(kind: EngineKind, loading: Promise<Engine | Unavailable>): Promise<Engine> {
  const loaded = await loading.catch((error: unknown) => {
    throw new EngineUnavailable(kind, messageOf(error), error);
  });
  if ("unavailable" in loaded) throw new EngineUnavailable(kind, loaded.unavailable);
  return loaded;
}
