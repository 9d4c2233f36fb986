/** The engines as people choose among them. What executes them is in src/main/engines. */
import { z } from "zod";

export interface EngineFacts {
  readonly title: string;
  /** For narrow columns. */
  readonly name: string;
  readonly runsOn: "processor" | "graphics";
  readonly precision: "float32" | "float64";
  /** Whether a rerun on the same machine comes out the same bit for bit; null where that is not established. */
  readonly deterministic: boolean | null;
  /** Where it exists and what it needs. */
  readonly needs: string;
}

const facts = {
  "onnx-cpu": { title: "ONNX Runtime, CPU", name: "ONNX CPU", runsOn: "processor", precision: "float32", deterministic: true, needs: "Nothing: it comes with Hypertower." },
  "onnx-webgpu": {
    title: "ONNX Runtime, WebGPU",
    name: "ONNX GPU",
    runsOn: "graphics",
    precision: "float32",
    deterministic: null,
    needs: "A graphics card of any vendor with a driver for Vulkan (Linux x64), Direct3D 12 (Windows x64) or Metal (macOS arm64).",
  },
  "onnx-cuda": {
    title: "ONNX Runtime, CUDA",
    name: "ONNX CUDA",
    runsOn: "graphics",
    precision: "float32",
    deterministic: null,
    needs: "Linux x64, an NVIDIA card, CUDA 12, cuDNN 9, and npm run engines:onnx-cuda.",
  },
  "onnx-directml": { title: "ONNX Runtime, DirectML", name: "DirectML", runsOn: "graphics", precision: "float32", deterministic: null, needs: "Windows, a graphics card with Direct3D 12." },
  "onnx-coreml": { title: "ONNX Runtime, CoreML", name: "CoreML", runsOn: "graphics", precision: "float32", deterministic: null, needs: "macOS." },
  "tfjs-node": {
    title: "TensorFlow, CPU (tfjs-node)",
    name: "TensorFlow CPU",
    runsOn: "processor",
    precision: "float32",
    deterministic: true,
    needs: "The optional package @tensorflow/tfjs-node, and npm run engines:tensorflow -- cpu.",
  },
  "tfjs-node-gpu": {
    title: "TensorFlow, CUDA (tfjs-node-gpu)",
    name: "TensorFlow CUDA",
    runsOn: "graphics",
    precision: "float32",
    deterministic: null,
    needs: "An NVIDIA card with a driver for CUDA 12, the optional package @tensorflow/tfjs-node-gpu, and npm run engines:tensorflow -- gpu.",
  },
  "tfjs-webgpu": {
    title: "TensorFlow.js, WebGPU",
    name: "WebGPU",
    runsOn: "graphics",
    precision: "float32",
    deterministic: true,
    needs: "A graphics card of any vendor with a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS).",
  },
  "tfjs-wasm": { title: "TensorFlow.js, WebAssembly", name: "Wasm", runsOn: "processor", precision: "float32", deterministic: true, needs: "Nothing: it comes with Hypertower." },
  "tfjs-cpu": { title: "TensorFlow.js, JavaScript", name: "tfjs CPU", runsOn: "processor", precision: "float32", deterministic: true, needs: "Nothing: it comes with Hypertower." },
  reference: { title: "Reference, float64", name: "Reference", runsOn: "processor", precision: "float64", deterministic: true, needs: "Nothing: it comes with Hypertower." },
} as const satisfies Record<string, EngineFacts>;

export type EngineKind = keyof typeof facts;

export const engineFacts: Readonly<Record<EngineKind, EngineFacts>> = facts;

export const engineKinds = Object.keys(facts) as [EngineKind, ...EngineKind[]];

/**
 * What an experiment may name: `auto` is the fastest that works where the run is started, which the run
 * then names. What a person begins in a window or on the command line starts with it; a file that names
 * none means `onnx-cpu`.
 */
export const engineChoices = ["auto", ...engineKinds] as const;
export type EngineChoice = (typeof engineChoices)[number];

const automatic = { title: "Automatic: the fastest here", name: "Automatic" };

export const engineTitle = (kind: EngineChoice): string => (kind === "auto" ? automatic : engineFacts[kind]).title;
export const engineName = (kind: EngineChoice): string => (kind === "auto" ? automatic : engineFacts[kind]).name;

/** What an engine says of itself once it is loaded. */
export const engineDescription = z.object({
  device: z.string(),
  /** With its version, where it says so. */
  driver: z.string().nullable(),
  /** Of the device, in bytes, where the system says so. */
  memory: z.number().nullable(),
  libraries: z.record(z.string(), z.string()),
});

/** Of a run: what it trained on. */
export const engineUse = z.object({
  kind: z.enum(engineKinds),
  device: z.string(),
  driver: z.string().nullable(),
  precision: z.enum(["float32", "float64"]),
  /** Why this engine, in words. */
  why: z.string(),
});

export const engineState = z.object({
  kind: z.enum(engineKinds),
  /** Why it cannot be used, in words a person can act on; null when it can. */
  problem: z.string().nullable(),
  /** It crashed, hung or lost its device: it is not picked before someone has it tried again. */
  barred: z.object({ at: z.number(), reason: z.string() }).nullable(),
  /** Null where it cannot be used. */
  description: engineDescription.nullable(),
  /** Median milliseconds of one step of the program, measured here. */
  step: z.number().nullable(),
  /** Why there is none although the engine works and the program was measured. */
  unmeasured: z.string().nullable(),
});

export const engineReport = z.object({
  engines: z.array(engineState),
  /** What an automatic choice takes for the program; null before it was measured. */
  choice: z.object({ kind: z.enum(engineKinds), why: z.string() }).nullable(),
  /** When the program was measured; null before. */
  measuredAt: z.number().nullable(),
});

export type EngineDescription = z.infer<typeof engineDescription>;
export type EngineUse = z.infer<typeof engineUse>;
export type EngineState = z.infer<typeof engineState>;
export type EngineReport = z.infer<typeof engineReport>;

/** `experiment` gives the program; the default one without it. */
const ofProgram = z.strictObject({ experiment: z.unknown().optional() }).prefault({});

export const engineRequests = {
  /** Every engine: whether it loads here, looked up in processes of their own, and what was measured of the program. */
  "engines.list": { input: ofProgram, output: engineReport },
  /** Trains a few dozen steps of the program on every engine that loads, each in a process of its own. */
  "engines.calibrate": { input: ofProgram, output: engineReport },
  /** Tries an engine again that crashed or was missing. */
  "engines.retry": { input: z.strictObject({ kind: z.enum(engineKinds), experiment: z.unknown().optional() }), output: engineReport },
} as const;

export const engineEvents = {
  /** What is being tried at the moment; null when all is done. */
  "engines.working": z.object({ kind: z.enum(engineKinds).nullable(), doing: z.enum(["looking", "measuring"]) }),
} as const;
