/** Engines for tests of the window: one that works, one that crashed, one that is missing. */
import { extraNames, type ExtraStates } from "../../src/shared/extras/index.ts";
import type { EngineReport } from "../../src/shared/engines.ts";

export const pretendEngines: EngineReport = {
  engines: [
    { kind: "onnx-cpu", problem: null, barred: null, step: 1.57, unmeasured: null, description: { device: "A processor (1 thread)", driver: null, memory: 17_179_869_184, libraries: { "onnxruntime-node": "1.30.0" } } },
    { kind: "onnx-webgpu", problem: null, barred: { at: 1_790_000_000_000, reason: "it ended its process with SIGABRT" }, step: null, unmeasured: null, description: null },
    { kind: "onnx-cuda", problem: "ONNX Runtime has this provider for Linux on x64 processors only", barred: null, step: null, unmeasured: null, description: null },
    { kind: "reference", problem: null, barred: null, step: null, unmeasured: "a few steps take longer than 30 s", description: { device: "A processor (float64 reference, 1 thread)", driver: null, memory: 17_179_869_184, libraries: {} } },
    { kind: "tfjs-wasm", problem: null, barred: null, step: 35.8, unmeasured: null, description: { device: "A processor (WebAssembly, 1 thread)", driver: null, memory: 17_179_869_184, libraries: {} } },
  ],
  choice: { kind: "onnx-cpu", why: "the fastest of 2 measured: 1.57 ms a step, before TensorFlow.js, WebAssembly with 35.8 ms" },
  measuredAt: 1_790_000_000_000,
};

const webgpu = { device: "nvidia ampere", driver: "NVIDIA 570.86", memory: 25_769_803_776, libraries: { "onnxruntime-node": "1.30.0" } };
const changed = (step: number | null): EngineReport["engines"] => pretendEngines.engines.map((engine) => (engine.kind === "onnx-webgpu" ? { ...engine, barred: null, description: webgpu, step } : engine));

/** The engines after a retry of the crashed one. */
export const retriedEngines: EngineReport = { ...pretendEngines, engines: changed(null) };

/** The engines after a measurement. */
export const calibratedEngines: EngineReport = {
  engines: changed(0.9),
  choice: { kind: "onnx-webgpu", why: "the fastest of 3 measured: 0.9 ms a step, before ONNX Runtime, CPU with 1.57 ms" },
  measuredAt: 1_790_000_100_000,
};

export const noExtras: ExtraStates = { extras: extraNames.map((name) => ({ name, installed: false, included: false, problem: null, bytes: null })), working: null, folder: "/home/ada/.local/share/hypertower/extras" };
