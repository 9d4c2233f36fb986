/** Engines as users choose them; src/core/engines implements them. */
import { z } from "zod";

export interface EngineFacts {
  readonly title: string;
  /** Short name for narrow columns. */
  readonly name: string;
  readonly runsOn: "processor" | "graphics";
  readonly precision: "float32" | "float64";
  /** Whether reruns on the same machine are equal bit for bit; null where not established. */
  readonly deterministic: boolean | null;
  /** Supported platforms and requirements. */
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
    needs: "Linux x64, an NVIDIA card, CUDA 13, cuDNN 9, and hypertower engines --install cuda.",
  },
  "onnx-directml": { title: "ONNX Runtime, DirectML", name: "DirectML", runsOn: "graphics", precision: "float32", deterministic: null, needs: "Windows, a graphics card with Direct3D 12." },
  "onnx-coreml": { title: "ONNX Runtime, CoreML", name: "CoreML", runsOn: "graphics", precision: "float32", deterministic: null, needs: "macOS." },
  "tfjs-node": {
    title: "TensorFlow, CPU (tfjs-node)",
    name: "TensorFlow CPU",
    runsOn: "processor",
    precision: "float32",
    deterministic: true,
    needs: "TensorFlow: hypertower engines --install tfjs-node.",
  },
  "tfjs-node-gpu": {
    title: "TensorFlow, CUDA (tfjs-node-gpu)",
    name: "TensorFlow CUDA",
    runsOn: "graphics",
    precision: "float32",
    deterministic: null,
    needs: "An NVIDIA card with a driver for CUDA 12, and hypertower engines --install tfjs-node-gpu.",
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
 * Engines that an experiment may name. `auto` chooses the fastest available engine at the start,
 * which the
 * run then names; it is the default in the window and on the command line. A file without an
 * engine means `onnx-cpu`.
 */
export const engineChoices = ["auto", ...engineKinds] as const;
export type EngineChoice = (typeof engineChoices)[number];

const automatic = { title: "Automatic: the fastest here", name: "Automatic" };

export const engineTitle = (kind: EngineChoice): string => (kind === "auto" ? automatic : engineFacts[kind]).title;
export const engineName = (kind: EngineChoice): string => (kind === "auto" ? automatic : engineFacts[kind]).name;

/** Description by a loaded engine. */
export const engineDescription = z.object({
  device: z.string(),
  /** Driver and version; null where unknown. */
  driver: z.string().nullable(),
  /** Device memory in bytes; null where unknown. */
  memory: z.number().nullable(),
  libraries: z.record(z.string(), z.string()),
});

/** The engine that trained a run. */
export const engineUse = z.object({
  kind: z.enum(engineKinds),
  device: z.string(),
  driver: z.string().nullable(),
  precision: z.enum(["float32", "float64"]),
  /** Why this engine was chosen. */
  why: z.string(),
});

export const engineState = z.object({
  kind: z.enum(engineKinds),
  /** Why it cannot be used, with a remedy; null when it can. */
  problem: z.string().nullable(),
  /**
   * It crashed, hung or lost its device: excluded from automatic choice until a user retries it.
   */
  barred: z.object({ at: z.number(), reason: z.string() }).nullable(),
  /** Null if it cannot be used. */
  description: engineDescription.nullable(),
  /** Measured median milliseconds per step of the program. */
  step: z.number().nullable(),
  /** Why there is no measurement of a working engine. */
  unmeasured: z.string().nullable(),
});

export const engineReport = z.object({
  engines: z.array(engineState),
  /** Automatic choice for the program; null before measuring. */
  choice: z.object({ kind: z.enum(engineKinds), why: z.string() }).nullable(),
  /** Time of the measurement; null before it. */
  measuredAt: z.number().nullable(),
});

export type EngineDescription = z.infer<typeof engineDescription>;
export type EngineUse = z.infer<typeof engineUse>;
export type EngineState = z.infer<typeof engineState>;
export type EngineReport = z.infer<typeof engineReport>;

/** `experiment` defines the program; the default experiment if omitted. */
const ofProgram = z.strictObject({ experiment: z.unknown().optional() }).prefault({});

export const engineRequests = {
  /**
   * Every engine: whether it loads (probed in separate processes), and its measurements for the
   * program.
   */
  "engines.list": { input: ofProgram, output: engineReport },
  /**
   * Trains a few dozen steps of the program on every engine that loads, each in its own process.
   */
  "engines.calibrate": { input: ofProgram, output: engineReport },
  /** Retries an engine that crashed or was missing. */
  "engines.retry": { input: z.strictObject({ kind: z.enum(engineKinds), experiment: z.unknown().optional() }), output: engineReport },
} as const;

export const engineEvents = {
  /** What is being probed or measured; null when done. */
  "engines.working": z.object({ kind: z.enum(engineKinds).nullable(), doing: z.enum(["probing", "measuring"]) }),
} as const;
