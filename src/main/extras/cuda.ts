/** ONNX Runtime's libraries for CUDA, which its npm package lacks: those of its Python package, of the same version. */
import { join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { download, fetchFrom, type DownloadOptions } from "./download.ts";
import { unpackWheel } from "./unpack.ts";

const wheel = { name: "onnxruntime-gpu", file: "onnxruntime_gpu-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl", sha256: "4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa" };
const libraries = ["libonnxruntime_providers_cuda.so", "libonnxruntime_providers_shared.so"];

/** Python's index, unless pip's variable names another. */
const index = (env: NodeJS.ProcessEnv = process.env): string => (env["PIP_INDEX_URL"]?.trim() || "https://pypi.org/simple").replace(/\/*$/, "/");

async function addressOf({ name, file }: typeof wheel, signal: AbortSignal): Promise<string> {
  const page = `${index()}${name}/`;
  const answer = await fetchFrom(page, signal, { accept: "application/vnd.pypi.simple.v1+json" });
  const { files } = (await answer.json().catch((error: unknown) => {
    throw new Error(`${page} is not an index of packages: ${messageOf(error)}`);
  })) as { files: { filename: string; url: string }[] };
  const found = files.find(({ filename }) => filename === file);
  if (!found) throw new Error(`${page} has no ${file}`);
  return new URL(found.url, page).href;
}

/** Puts the libraries beside those of onnxruntime-node in `folder`. @throws Error when they cannot be had */
export async function addCuda(folder: string, options: DownloadOptions): Promise<void> {
  const archive = join(folder, wheel.file);
  await download({ url: await addressOf(wheel, options.signal), integrity: `sha256-${wheel.sha256}` }, archive, options);
  const beside = join(folder, "node_modules", "onnxruntime-node", "bin", "napi-v6", "linux", "x64");
  await unpackWheel(archive, Object.fromEntries(libraries.map((name) => [`onnxruntime/capi/${name}`, join(beside, name)])), options.signal);
}
