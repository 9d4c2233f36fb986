/** TensorFlow.js's backends, loaded on first use. */
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import { cpus } from "node:os";
import { messageOf } from "../../../shared/errors.ts";
import { installCommand } from "../../../shared/extras/index.ts";
import { ExtraMissing, importExtra, requireExtra, resolveExtra } from "../../extras/index.ts";
import type { Unavailable } from "../failures.ts";
import { noAdapter } from "../webgpuAdapter.ts";
import type * as Wasm from "@tensorflow/tfjs-backend-wasm";
import type * as Dawn from "webgpu";
import { tf } from "./core.ts";

export interface Backend {
  /** Name in TensorFlow.js. */
  readonly name: string;
  /** Packages used besides tfjs-core. */
  readonly packages: readonly string[];
  /** Null when loaded, otherwise what is missing. */
  load(): Promise<Unavailable | null>;
  readonly runsOn: "processor" | "graphics";
  /** Description of the device; call after loading. */
  device(): string;
}

// Turns off debug checks and advice.
tf.enableProdMode();

// Named `load`: the bundler declares a `require` in every file that calls one.
const load = createRequire(import.meta.url);
const processor = () => cpus()[0]?.model.trim() ?? "CPU";

async function use(name: string): Promise<Unavailable | null> {
  if (!(await tf.setBackend(name))) return { unavailable: `TensorFlow.js could not start its backend ${name}` };
  await tf.ready();
  return null;
}

const cpu: Backend = {
  name: "cpu",
  runsOn: "processor",
  packages: ["@tensorflow/tfjs-backend-cpu"],
  async load() {
    requireExtra("@tensorflow/tfjs-backend-cpu");
    return use("cpu");
  },
  device: () => `${processor()} (JavaScript, 1 thread)`,
};

const wasm: Backend = {
  name: "wasm",
  runsOn: "processor",
  packages: ["@tensorflow/tfjs-backend-wasm"],
  async load() {
    const { setWasmPaths } = requireExtra<typeof Wasm>("@tensorflow/tfjs-backend-wasm");
    setWasmPaths(dirname(resolveExtra("@tensorflow/tfjs-backend-wasm")) + sep);
    return use("wasm");
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
const matMulByTiles = 3;

/** Dawn's WebGPU through its Node binding. */
const webgpu: Backend = {
  name: "webgpu",
  runsOn: "graphics",
  packages: ["@tensorflow/tfjs-backend-webgpu", "webgpu"],
  async load() {
    if (!("gpu" in navigator) || !navigator.gpu) {
      const { create, globals } = await importExtra<typeof Dawn>("webgpu");
      Object.assign(globalThis, globals);
      Object.defineProperty(navigator, "gpu", { value: create([]), configurable: true });
    }
    const found = await navigator.gpu.requestAdapter();
    if (!found) return noAdapter;
    adapter = found.info;
    requireExtra("@tensorflow/tfjs-backend-webgpu");
    // tfjs 4.22's products for small results over a long axis are wrong for a transposed second
    // factor and sum in a varying
    // order; those for tiny results are very slow on a software adapter.
    tf.env().set("WEBGPU_MATMUL_PROGRAM_TYPE", matMulByTiles);
    return use("webgpu");
  },
  device: () => [adapter?.vendor, adapter?.architecture || adapter?.device, adapter?.description].filter(Boolean).join(" ") || "WebGPU device",
};

/**
 * Read by TensorFlow when it loads: one thread per run, as on the other backends, and GPU memory on
 * demand.
 */
const tensorflowDefaults = { TF_CPP_MIN_LOG_LEVEL: "2", TF_NUM_INTRAOP_THREADS: "1", TF_NUM_INTEROP_THREADS: "1", TF_FORCE_GPU_ALLOW_GROWTH: "true" };

interface TensorflowBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}
const tensorflowBackend = () => tf.findBackend("tensorflow") as unknown as TensorflowBackend;

/** The loaded package: both register the same backend name. */
let loadedTensorflow: string | undefined;

/** TensorFlow's own kernels. `hypertower engines --install` installs the package and compiles its addon. */
function tensorflow(form: "cpu" | "gpu"): Backend {
  const name = form === "gpu" ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node";
  return {
    name: "tensorflow",
    runsOn: form === "gpu" ? "graphics" : "processor",
    packages: [name],
    async load() {
      if (loadedTensorflow !== undefined && loadedTensorflow !== name) return { unavailable: `this process already uses ${loadedTensorflow}; a process can load only one of the two` };
      for (const [variable, value] of Object.entries(tensorflowDefaults)) process.env[variable] ??= value;
      // The binding still calls one function that Node 23 removed and one that it deprecates.
      const util = load("node:util") as { isNullOrUndefined?: (value: unknown) => boolean; isArray: (value: unknown) => boolean };
      util.isNullOrUndefined ??= (value) => value === null || value === undefined;
      util.isArray = Array.isArray;
      try {
        requireExtra(name);
      } catch (error) {
        return { unavailable: whyNot(form, error) };
      }
      loadedTensorflow = name;
      const problem = await use("tensorflow");
      if (problem || form === "cpu" || tensorflowBackend().isUsingGpuDevice) return problem;
      return { unavailable: `TensorFlow ${tensorflowBackend().binding.TF_Version} found no NVIDIA GPU that it can use: nvidia-smi must list one, with a driver for CUDA 12 (525 or later); the engine tfjs-node uses the processor` };
    },
    device: () => `${form === "gpu" ? "NVIDIA GPU (CUDA," : `${processor()} (`}TensorFlow ${tensorflowBackend().binding.TF_Version}${form === "gpu" ? "" : `, threads: ${process.env["TF_NUM_INTRAOP_THREADS"]!}`})`,
  };
}

/** Explains why the binding cannot start, from its error text. */
function whyNot(form: "cpu" | "gpu", error: unknown): string {
  const message = messageOf(error);
  const [line] = message.split("\n") as [string];
  const install = `run: ${installCommand(form === "gpu" ? "tfjs-node-gpu" : "tfjs-node")}`;
  if (error instanceof ExtraMissing) return message;
  if (/tfjs_binding|Cannot find module/.test(message)) return `its native addon is not installed; ${install}`;
  if (/libtensorflow|tensorflow\.dll|undefined symbol/i.test(message)) return `its TensorFlow library cannot be loaded; ${install} (${line})`;
  if (/libcu|CUDA/i.test(message)) return `it needs NVIDIA's CUDA libraries: ${line}`;
  return line;
}

export const backends = { "tfjs-cpu": cpu, "tfjs-wasm": wasm, "tfjs-webgpu": webgpu, "tfjs-node": tensorflow("cpu"), "tfjs-node-gpu": tensorflow("gpu") } as const;
