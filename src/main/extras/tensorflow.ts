/**
 * TensorFlow for tfjs-node or tfjs-node-gpu. On Linux x64 that is TensorFlow's own wheel from the Python Package Index,
 * checked by SHA-256, and the binding is compiled against it: TensorFlow.js's prebuilt files are from 2022 (2.9.1) and do
 * not support newer cards. Elsewhere its prebuilt files are downloaded by its own installer.
 */
import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { runProgram, type RunScript } from "./runProgram.ts";
import { compileArguments, downloadArguments, loadScript, requirements, unpackScript, type TensorflowForm } from "./tensorflowFiles.ts";

export interface BuildOptions {
  /** Folder that holds `node_modules` with the package and its headers. */
  readonly folder: string;
  readonly form: TensorflowForm;
  readonly signal: AbortSignal;
  readonly onStep: (doing: string) => void;
  readonly runScript: RunScript;
}

async function firstThatAnswers(variable: string, names: readonly string[], args: readonly string[], missing: string, signal: AbortSignal): Promise<string> {
  const tried = [process.env[variable] ?? "", ...names].filter((name) => name !== "");
  for (const name of tried) {
    const answered = await runProgram(name, args, { signal }).then(
      () => true,
      () => false,
    );
    signal.throwIfAborted();
    if (answered) return name;
  }
  throw new Error(`${missing} (tried ${tried.join(", ")}; set ${variable} to name another)`);
}

async function fromWheels(folder: string, target: string, { form, signal, onStep }: BuildOptions): Promise<void> {
  const python = await firstThatAnswers("HYPERTOWER_PYTHON", ["python3", "python"], ["-m", "pip", "--version"], "Python with pip is needed to download TensorFlow: Debian: apt-get install python3-pip", signal);
  const compiler = await firstThatAnswers("CXX", ["g++", "clang++"], ["--version"], "a C++ compiler is needed: Debian: apt-get install g++", signal);
  const work = join(folder, "tensorflow");
  await mkdir(work, { recursive: true });
  await writeFile(join(work, "wheels.txt"), requirements(form));
  onStep("downloading TensorFlow from the Python Package Index");
  await runProgram(python, downloadArguments(work), { signal });
  onStep("unpacking TensorFlow");
  await runProgram(python, ["-c", unpackScript, join(work, "wheels"), join(target, "deps")], { signal });
  onStep("compiling the binding");
  const addon = join(target, "lib", "napi-v8", "tfjs_binding.node");
  await mkdir(dirname(addon), { recursive: true });
  const sources = (await readdir(join(target, "binding"))).filter((name) => name.endsWith(".cc")).map((name) => join(target, "binding", name));
  const built = join(work, "tfjs_binding.node");
  await runProgram(compiler, compileArguments({ headers: join(folder, "node_modules", "node-api-headers", "include"), target, sources, built }), { signal });
  await rename(built, addon);
  await rm(work, { recursive: true });
}

async function prebuilt(target: string, { form, signal, onStep, runScript }: BuildOptions): Promise<void> {
  onStep("downloading the prebuilt files of TensorFlow.js (TensorFlow 2.9.1)");
  await runScript(join(target, "scripts", "install.js"), [form, "download"], { signal, cwd: target });
  if (process.platform !== "win32") return;
  // The installer puts the library into the folder of the newest addon version, not of the installed one.
  for (const name of await readdir(join(target, "lib"))) await copyFile(join(target, "deps", "lib", "tensorflow.dll"), join(target, "lib", name, "tensorflow.dll"));
}

/** Gives the package in `folder` its TensorFlow, and loads it once. @returns which TensorFlow it is. @throws Error saying what is missing or failed */
export async function buildTensorflow(options: BuildOptions): Promise<{ readonly version: string; readonly gpu: boolean }> {
  const { folder, form, signal, onStep, runScript } = options;
  const target = join(folder, "node_modules", form === "gpu" ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node");
  if (process.platform === "linux" && process.arch === "x64") await fromWheels(folder, target, options);
  else await prebuilt(target, options);
  onStep("loading TensorFlow");
  const script = join(folder, "load.cjs");
  await writeFile(script, loadScript);
  const said = await runScript(script, [target], { signal, env: { TF_CPP_MIN_LOG_LEVEL: "2" } });
  const line = said.trim().split("\n").findLast((text) => text.startsWith("{"));
  if (!line) throw new Error(`TensorFlow was installed but does not load: ${said.trim().split("\n").at(-1)}`);
  return JSON.parse(line) as { version: string; gpu: boolean };
}
