import type { EngineChoice, EngineKind } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";
import type { Engine } from "./engine.ts";

/** Every engine by name, loaded when it is first asked for: a native library that fails concerns only who uses it. */
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

/** The engine an experiment names. @throws Error when it leaves that open, or the engine cannot be used here */
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

async function usable(kind: EngineKind, engine: Promise<Engine>): Promise<Engine> {
  try {
    return await engine;
  } catch (error) {
    throw new Error(`The engine ${kind} cannot be used here: ${messageOf(error)}`, { cause: error });
  }
}
