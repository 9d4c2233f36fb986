import type { EngineChoice, EngineKind } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";
import { installCommand } from "../../shared/extras/index.ts";
import type { Engine } from "./engine.ts";
import { packageFolder } from "../extras/index.ts";
import { EngineUnavailable, type Unavailable } from "./failures.ts";

/**
 * Loads engines on first use, so that a failing native library affects only its users.
 * Rejects with EngineUnavailable where this machine lacks the engine.
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

/**
 * The engine an experiment names. @throws EngineUnavailable; Error for `auto`, which must be
 * resolved first
 */
export async function engineNamed(kind: EngineChoice): Promise<Engine> {
  if (kind === "auto") throw new Error("the engine auto must be resolved to a named engine before training");
  return loadEngine[kind]();
}

async function onnx(kind: Extract<EngineKind, `onnx-${string}`>): Promise<Engine> {
  const [{ onnxEngine }, { providers }] = await Promise.all([import("./onnx/engine.ts"), import("./onnx/providers.ts")]);
  return usable(kind, onnxEngine(providers[kind]));
}

async function tfjs(kind: Extract<EngineKind, `tfjs-${string}`>): Promise<Engine> {
  if (packageFolder("@tensorflow/tfjs-core") === null) {
    const extra = kind === "tfjs-node" || kind === "tfjs-node-gpu" ? kind : "tfjs";
    throw new EngineUnavailable(kind, `TensorFlow.js is not installed; run: ${installCommand(extra)}`);
  }
  const [{ tfjsEngine }, { backends }] = await Promise.all([import("./tfjs/engine.ts"), import("./tfjs/backends.ts")]);
  return usable(kind, tfjsEngine(backends[kind]));
}

/** @throws EngineUnavailable, also for errors of a native library while it loads */
async function usable(kind: EngineKind, loading: Promise<Engine | Unavailable>): Promise<Engine> {
  const loaded = await loading.catch((error: unknown) => {
    throw new EngineUnavailable(kind, messageOf(error), error);
  });
  if ("unavailable" in loaded) throw new EngineUnavailable(kind, loaded.unavailable);
  return loaded;
}
