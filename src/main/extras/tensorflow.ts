/**
 * TensorFlow for tfjs-node or tfjs-node-gpu. On Linux x64 that is TensorFlow's own wheel from the Python Package Index,
 * checked by SHA-256, and the binding is compiled against it: TensorFlow.js's prebuilt files are from 2022 (2.9.1) and do
 * not support newer cards. Elsewhere its prebuilt files are downloaded by its own installer.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { compileArguments, downloadArguments, loadScript, requirements, unpackScript, type TensorflowForm } from "./tensorflowFiles.ts";

export interface BuildOptions {
  /** Folder that holds `node_modules` with the package and its headers. */
  readonly folder: string;
  readonly form: TensorflowForm;
  readonly signal: AbortSignal;
  readonly onStep: (doing: string) => void;
}

/** Runs a program to its end. @throws Error with the end of its output */
function run(command: string, args: readonly string[], { signal, cwd, env }: { signal: AbortSignal; cwd?: string; env?: NodeJS.ProcessEnv }): Promise<string> {
  return new Promise((done, failed) => {
    execFile(command, args, { signal, cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) => {
      if (!error) return done(stdout);
      if (signal.aborted) return failed(error);
      const said = `${stdout}${stderr}`.trim().split("\n").slice(-15).join("\n");
      failed(new Error(said || messageOf(error), { cause: error }));
    });
  });
}

async function firstThatAnswers(variable: string, names: readonly string[], args: readonly string[], missing: string, signal: AbortSignal): Promise<string> {
  const tried = [process.env[variable] ?? "", ...names].filter((name) => name !== "");
  for (const name of tried) {
    const answered = await run(name, args, { signal }).then(
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
  await run(python, downloadArguments(work), { signal });
  onStep("unpacking TensorFlow");
  await run(python, ["-c", unpackScript, join(work, "wheels"), join(target, "deps")], { signal });
  onStep("compiling the binding");
  const addon = join(target, "lib", "napi-v8", "tfjs_binding.node");
  await mkdir(dirname(addon), { recursive: true });
  const sources = (await readdir(join(target, "binding"))).filter((name) => name.endsWith(".cc")).map((name) => join(target, "binding", name));
  const built = join(work, "tfjs_binding.node");
  await run(compiler, compileArguments({ headers: join(folder, "node_modules", "node-api-headers", "include"), target, sources, built }), { signal });
  await rename(built, addon);
  await rm(work, { recursive: true });
}

async function prebuilt(target: string, { form, signal, onStep }: BuildOptions): Promise<void> {
  onStep("downloading the prebuilt files of TensorFlow.js (TensorFlow 2.9.1)");
  await run(process.execPath, [join(target, "scripts", "install.js"), form, "download"], { signal, cwd: target, env: { ELECTRON_RUN_AS_NODE: "1" } });
  if (process.platform !== "win32") return;
  // The installer puts the library into the folder of the newest addon version, not of the installed one.
  for (const name of await readdir(join(target, "lib"))) await copyFile(join(target, "deps", "lib", "tensorflow.dll"), join(target, "lib", name, "tensorflow.dll"));
}

/** Gives the package in `folder` its TensorFlow, and loads it once. @returns which TensorFlow it is. @throws Error saying what is missing or failed */
export async function buildTensorflow(options: BuildOptions): Promise<{ readonly version: string; readonly gpu: boolean }> {
  const { folder, form, signal, onStep } = options;
  const target = join(folder, "node_modules", form === "gpu" ? "@tensorflow/tfjs-node-gpu" : "@tensorflow/tfjs-node");
  if (process.platform === "linux" && process.arch === "x64") await fromWheels(folder, target, options);
  else await prebuilt(target, options);
  onStep("loading TensorFlow");
  const said = await run(process.execPath, ["-e", loadScript, target], { signal, env: { TF_CPP_MIN_LOG_LEVEL: "2", ELECTRON_RUN_AS_NODE: "1" } });
  const line = said.trim().split("\n").findLast((text) => text.startsWith("{"));
  if (!line) throw new Error(`TensorFlow was installed but does not load: ${said.trim().split("\n").at(-1)}`);
  return JSON.parse(line) as { version: string; gpu: boolean };
}
