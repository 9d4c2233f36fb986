/** Installs and removes extras: packages with pinned checksums, put in place only when all of them are whole. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isProcessAlive } from "../../core/durable/alive.ts";
import { besideProgram, extraPackage, extrasFolder, extrasTree } from "../../core/extras/index.ts";
import { extraFacts, extraNames, mainPackageOf, type ExtraName, type ExtraProgress, type ExtraState } from "../../shared/extras/index.ts";
import { addCuda } from "./cuda.ts";
import { download } from "./download.ts";
import { isUsed, packagesOf, unitOf, type ExtraPackage } from "./packages.ts";
import { runInThisNode, type RunScript } from "./runProgram.ts";
import { buildTensorflow } from "./tensorflow.ts";
import { unpackTarball } from "./unpack.ts";

export interface InstallOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ExtraProgress) => void;
  readonly runScript?: RunScript;
}

/** How many packages are downloaded at a time. */
const parallel = 4;

const unitsOf = (extra: ExtraName): string[] => [...new Set(packagesOf(extra).map(({ path }) => unitOf(path)))];

/** Why an extra does not exist for this machine; null where it does. */
export function platformProblem(extra: ExtraName): string | null {
  const { platforms } = extraFacts[extra];
  if (!platforms || platforms.includes(`${process.platform}-${process.arch}`)) return null;
  return `it exists for ${platforms.join(", ")}; this is ${process.platform}-${process.arch}`;
}

export const isInstalled = (extra: ExtraName): boolean => unitsOf(extra).every((unit) => existsSync(extraPackage(unit)));

async function bytesUnder(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(files.filter((file) => file.isFile()).map((file) => stat(join(file.parentPath, file.name)).then(({ size }) => size, () => 0)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Whether this installation of Hypertower has it. TensorFlow's packages come without their addon, and ONNX Runtime's without CUDA. */
function comesWithProgram(name: ExtraName): boolean {
  // PostgreSQL has a package for each platform.
  const main = name === "postgres" ? packagesOf(name)[0]?.name : mainPackageOf[name];
  const folder = main === undefined ? null : besideProgram(main);
  const part = name === "cuda" ? "bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so" : name.startsWith("tfjs-node") ? "lib" : "package.json";
  return folder !== null && existsSync(join(folder, part));
}

export function listExtras(): Promise<ExtraState[]> {
  return Promise.all(
    extraNames.map(async (name) => {
      const installed = isInstalled(name);
      const included = !installed && comesWithProgram(name);
      const bytes = installed ? (await Promise.all(unitsOf(name).map((unit) => bytesUnder(extraPackage(unit))))).reduce((sum, size) => sum + size, 0) : null;
      return { name, installed: installed || included, included, problem: platformProblem(name), bytes };
    }),
  );
}

const staging = /^\.new-(\d+)-/;

/** Removes what installations left whose process was killed. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = Number(staging.exec(name)?.[1]);
    if (!pid || pid === process.pid || isProcessAlive(pid)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function fetchPackage({ path, name, version, url, integrity }: ExtraPackage, work: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<void> {
  const archive = join(work, `${path.replaceAll("/", "+")}-${version}.tgz`);
  await download({ url, integrity }, archive, { signal, onBytes });
  await unpackTarball(archive, join(work, "node_modules", path), (file) => isUsed(name, file), signal);
  await rm(archive);
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}

/** Puts a finished package in place. Another process may have put the same one there meanwhile, which is as good. */
async function putInPlace(unit: string, work: string, tree: string): Promise<void> {
  const to = extraPackage(unit, tree);
  await mkdir(dirname(to), { recursive: true });
  await rename(join(work, "node_modules", unit), to).catch((error: NodeJS.ErrnoException) => {
    if (!existsSync(join(to, "package.json"))) throw error;
  });
}

/**
 * Installs an extra. What is there already stays; what fails or is canceled leaves nothing.
 * @throws Error saying what could not be had, and the signal's reason when it was canceled
 */
export async function installExtra(name: ExtraName, { signal, onProgress, runScript = runInThisNode }: InstallOptions): Promise<void> {
  const problem = platformProblem(name);
  if (problem) throw new Error(`${extraFacts[name].title} cannot be installed here: ${problem}`);
  const [folder, tree] = [extrasFolder(), extrasTree()];
  await mkdir(folder, { recursive: true });
  await removeLeftovers(folder);
  const units = unitsOf(name).filter((unit) => !existsSync(extraPackage(unit, tree)));
  const work = join(folder, `.new-${process.pid}-${randomUUID()}`);
  await mkdir(work);
  let done = 0;
  const { download: total } = extraFacts[name];
  const tell = (doing: string, bytes: number | null = null) => onProgress({ name, doing, done: bytes, total: bytes === null ? null : Math.max(total, bytes) });
  const onBytes = (bytes: number) => tell("downloading", (done += bytes));
  const failing = new AbortController();
  const both = AbortSignal.any([signal, failing.signal]);
  try {
    tell("downloading", 0);
    await inParallel(
      packagesOf(name).filter(({ path }) => units.includes(unitOf(path))),
      (item) => fetchPackage(item, work, both, onBytes).catch((error: unknown) => {
        failing.abort(error);
        throw error;
      }),
    ).catch((error: unknown) => {
      // The first failure, not what the others say once they are stopped.
      throw failing.signal.aborted && !signal.aborted ? failing.signal.reason : error;
    });
    if (name === "cuda" && units.includes("onnxruntime-node")) await addCuda(work, { signal, onBytes });
    const form = name === "tfjs-node" ? "cpu" : name === "tfjs-node-gpu" ? "gpu" : null;
    if (form && units.includes(mainPackageOf[name])) {
      await linkInstalled(name, units, work, tree);
      await buildTensorflow({ folder: work, form, signal, runScript, onStep: (doing) => tell(doing) });
    }
    signal.throwIfAborted();
    tell("putting in place");
    for (const unit of units) await putInPlace(unit, work, tree);
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Packages that are installed already, where the new ones look for them while they are tried out. */
async function linkInstalled(name: ExtraName, units: readonly string[], work: string, tree: string): Promise<void> {
  for (const unit of unitsOf(name)) {
    if (units.includes(unit)) continue;
    const link = join(work, "node_modules", unit);
    await mkdir(dirname(link), { recursive: true });
    await symlink(extraPackage(unit, tree), link, "junction");
  }
}

/** Removes an extra, except for packages that another installed extra needs. @throws Error when there is nothing to remove */
export async function removeExtra(name: ExtraName): Promise<void> {
  if (!isInstalled(name)) throw new Error(comesWithProgram(name) ? "it comes with this installation of Hypertower" : "it is not installed");
  const needed = new Set(extraNames.filter((other) => other !== name && isInstalled(other)).flatMap(unitsOf));
  const holder = extraNames.find((other) => other !== name && isInstalled(other) && unitsOf(name).every((unit) => unitsOf(other).includes(unit)));
  if (holder) throw new Error(`${name} is part of ${holder}, which is installed; remove that first`);
  for (const unit of unitsOf(name)) if (!needed.has(unit)) await rm(extraPackage(unit), { recursive: true, force: true, maxRetries: 3 });
}
