/** TensorFlow.js's backends, each loaded when it is first asked for. */
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { cpus } from "node:os";
import * as tf from "@tensorflow/tfjs-core";

export interface Backend {
  /** Name under which tfjs knows it. */
  readonly name: string;
  /** Packages at work, besides tfjs-core. */
  readonly packages: readonly string[];
  /** @throws Error that says what is missing, in words a person can act on */
  load(): Promise<void>;
  /** The device in words, once it is loaded. */
  device(): string;
}

const require = createRequire(import.meta.url);
const processor = () => cpus()[0]?.model.trim() ?? "CPU";
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** Version of an installed package. */
export function versionOf(name: string): string {
  return (require(`${name}/package.json`) as { version: string }).version;
}

async function use(name: string): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js could not start its backend ${name}`);
  await tf.ready();
}

const cpu: Backend = {
  name: "cpu",
  packages: ["@tensorflow/tfjs-backend-cpu"],
  async load() {
    await import("@tensorflow/tfjs-backend-cpu");
    await use("cpu");
  },
  device: () => `${processor()} (JavaScript, 1 thread)`,
};

const wasm: Backend = {
  name: "wasm",
  packages: ["@tensorflow/tfjs-backend-wasm"],
  async load() {
    const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
    setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist") + sep);
    await use("wasm");
  },
  device: () => `${processor()} (WebAssembly, 1 thread)`,
};

interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}
let adapter: AdapterInfo | undefined;

/** Dawn's WebGPU through its Node binding. */
const webgpu: Backend = {
  name: "webgpu",
  packages: ["@tensorflow/tfjs-backend-webgpu", "webgpu"],
  async load() {
    if (!("gpu" in navigator) || !navigator.gpu) {
      const { create, globals } = await import("webgpu");
      Object.assign(globalThis, globals);
      Object.defineProperty(navigator, "gpu", { value: create([]), configurable: true });
    }
    const found = await navigator.gpu.requestAdapter();
    if (!found) throw new Error("no graphics device that WebGPU can use was found: a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS) is needed");
    adapter = found.info;
    await import("@tensorflow/tfjs-backend-webgpu");
    await use("webgpu");
  },
  device: () => [adapter?.vendor, adapter?.architecture || adapter?.device, adapter?.description].filter(Boolean).join(" ") || "WebGPU device",
};

/** TensorFlow's own kernels. Its addon and libtensorflow are put in by `npm run engines:tensorflow`. */
const tensorflow: Backend = {
  name: "tensorflow",
  packages: ["@tensorflow/tfjs-node-gpu"],
  load() {
    // Node 23 removed what the binding still calls.
    const util = require("node:util") as { isNullOrUndefined?: (value: unknown) => boolean };
    util.isNullOrUndefined ??= (value) => value === null || value === undefined;
    try {
      require("@tensorflow/tfjs-node-gpu");
    } catch (error) {
      throw new Error(whyNot(error), { cause: error });
    }
    return use("tensorflow");
  },
  device: () => (gpuIsUsed() ? "NVIDIA GPU (CUDA, TensorFlow)" : `${processor()} (TensorFlow)`),
};

/** What the binding says when it cannot start, in words a person can act on. */
function whyNot(error: unknown): string {
  const message = messageOf(error);
  if (/Cannot find module '@tensorflow\/tfjs-node-gpu'/.test(message)) {
    return `tfjs-node-gpu is not installed; it exists for Linux and Windows on x64 processors (this is ${process.platform} ${process.arch})`;
  }
  if (/tfjs_binding|Cannot find module/.test(message)) return "its native addon is not there; run: npm run engines:tensorflow";
  if (/libcudart|libcublas|libcudnn|CUDA/i.test(message)) return `it needs NVIDIA's CUDA 11.2 and cuDNN 8: ${message.split("\n")[0]!}`;
  if (/libtensorflow|tensorflow\.dll/i.test(message)) return `libtensorflow is not there; run: npm run engines:tensorflow (${message.split("\n")[0]!})`;
  return message.split("\n")[0]!;
}

function gpuIsUsed(): boolean {
  const backend = tf.backend() as { isGPUPackage?: boolean; isUsingGpuDevice?: boolean };
  return backend.isUsingGpuDevice === true;
}

export const backends = { "tfjs-cpu": cpu, "tfjs-wasm": wasm, "tfjs-webgpu": webgpu, "tfjs-node-gpu": tensorflow } as const;
