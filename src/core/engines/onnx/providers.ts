/**
 * ONNX Runtime's execution providers: where each exists, what it needs, and its session options.
 */
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { installCommand } from "../../../shared/extras/index.ts";
import type { Unavailable } from "../failures.ts";
import { webgpuAdapter, type Adapter } from "../webgpuAdapter.ts";
import { env, libraryFolder, listSupportedBackends, type SessionOptions } from "./runtime.ts";

export interface Provider {
  /** Name in ONNX Runtime. */
  readonly name: "cpu" | "webgpu" | "cuda" | "dml" | "coreml";
  /**
   * Whether tensors can stay on the device between steps: ONNX Runtime's Node binding can hold
   * buffers of WebGPU and of no other provider.
   */
  readonly keepsTensors: boolean;
  /** The device it would use, or what is known to be missing. */
  probe(): Promise<Adapter | Unavailable>;
  /**
   * Explains the text with which ONNX Runtime fails to start a session; null for an unknown error.
   */
  explain(message: string): string | null;
}

export const runtimeVersion = (): string => env.versions.node ?? env.versions.common;

export const processor = (): string => cpus()[0]?.model.trim() ?? "CPU";

const here = () => `this is ${process.platform} ${process.arch}`;

/** Null where this build of ONNX Runtime has the provider. */
function missingBackend(name: string, where: string): Unavailable | null {
  if (listSupportedBackends().some((backend) => backend.name === name)) return null;
  return { unavailable: `ONNX Runtime has this provider for ${where} only; ${here()}` };
}

const cpuProvider: Provider = {
  name: "cpu",
  keepsTensors: false,
  probe: () => Promise.resolve({ device: processor(), driver: null }),
  explain: () => null,
};

const webgpuProvider: Provider = {
  name: "webgpu",
  keepsTensors: true,
  probe: async () => missingBackend("webgpu", "Linux and Windows on x64 processors, and macOS on arm64") ?? (await webgpuAdapter()),
  explain: (message) => (/WebGPU adapter/.test(message) ? "ONNX Runtime found no graphics device; install a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS)" : null),
};

const noCudaLibraries = `ONNX Runtime's CUDA libraries are not installed; run: ${installCommand("cuda")} (several hundred megabytes). CUDA 13 and cuDNN 9 are required too`;

const cudaProvider: Provider = {
  name: "cuda",
  keepsTensors: false,
  probe: () => {
    const missing = missingBackend("cuda", "Linux on x64 processors");
    const library = join(libraryFolder, "libonnxruntime_providers_cuda.so");
    const found = existsSync(library) ? { device: "NVIDIA GPU (CUDA)", driver: null } : { unavailable: noCudaLibraries };
    return Promise.resolve(missing ?? found);
  },
  explain: (message) => {
    const library = /(lib(?:cublas|cublasLt|cudnn|cudart|cufft|curand|nvrtc)[\w.-]*)/.exec(message)?.[1];
    if (library) return `CUDA 13 and cuDNN 9 not found: ${library} is missing; install them and add their folder to LD_LIBRARY_PATH`;
    if (/Failed to load shared library/.test(message)) return "its CUDA libraries cannot be loaded: CUDA 13 and cuDNN 9 are required, in a folder listed in LD_LIBRARY_PATH";
    return /CUDA driver|no CUDA-capable device/i.test(message) ? "no NVIDIA card with a driver for CUDA 13 was found" : null;
  },
};

const directmlProvider: Provider = {
  name: "dml",
  keepsTensors: false,
  probe: () => Promise.resolve(missingBackend("dml", "Windows") ?? { device: "Direct3D 12 device (DirectML)", driver: null }),
  explain: () => null,
};

const coremlProvider: Provider = {
  name: "coreml",
  keepsTensors: false,
  probe: () => Promise.resolve(missingBackend("coreml", "macOS") ?? { device: `${processor()} (CoreML)`, driver: null }),
  explain: () => null,
};

export const providers = {
  "onnx-cpu": cpuProvider,
  "onnx-webgpu": webgpuProvider,
  "onnx-cuda": cudaProvider,
  "onnx-directml": directmlProvider,
  "onnx-coreml": coremlProvider,
} as const;

/** Options of every session. Operations without a kernel in the provider run on the CPU. */
export function sessionOptions({ name }: Provider, threads: number): SessionOptions {
  return {
    executionProviders: name === "cpu" ? ["cpu"] : [{ name }, "cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    // Waiting threads would compete with Node's on small machines.
    extra: {
      session: { intra_op: { allow_spinning: "0" } },
      // The lowering transposes before a product only where that is faster on the CPU; keep it.
      ...(name === "cpu" ? { optimization: { disable_specified_optimizers: "GemmTransposeFusion" } } : {}),
    },
    // DirectML requires it.
    ...(name === "dml" ? { enableMemPattern: false } : {}),
    // It logs the operations without a kernel for every session.
    logSeverityLevel: name === "cpu" ? 2 : 3,
  };
}
