/** ONNX Runtime's Node binding. An installation has it for one platform or for all; the extra `cuda` is a copy of it with NVIDIA's part. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type * as Runtime from "onnxruntime-node";
import { extraPackage, packageFolder, requireExtra } from "../../extras/index.ts";

const platform = `${process.platform}-${process.arch}`;

/** Packages that have the binding, the first that is installed wins. */
const packages = ["onnxruntime-node", `@hypertower/onnxruntime-${platform}`] as const;

function installedPackage(): string {
  const withCuda = existsSync(extraPackage("onnxruntime-node")) ? packages[0] : undefined;
  const found = withCuda ?? [...packages].reverse().find((name) => packageFolder(name) !== null);
  if (found) return found;
  throw new Error(`ONNX Runtime is not installed for ${process.platform} ${process.arch}: the package ${packages[1]} is missing. Install Hypertower again with its optional packages (npm: without --omit=optional). There is none for Linux without glibc, nor for macOS on Intel processors`);
}

const name = installedPackage();

/** Folder of the native libraries. */
export const libraryFolder = join(packageFolder(name)!, "bin", "napi-v6", process.platform, process.arch);

export const { env, InferenceSession, listSupportedBackends, Tensor } = requireExtra<typeof Runtime>(name);
export type InferenceSession = Runtime.InferenceSession;
export type Tensor = Runtime.Tensor;
export type SessionOptions = Runtime.InferenceSession.SessionOptions;
