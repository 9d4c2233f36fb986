/** The engines as people choose among them. What executes them is in src/main/engines. */

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
