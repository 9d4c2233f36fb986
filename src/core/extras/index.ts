/**
 * Packages that Hypertower can do without, found where `hypertower engines --install` puts them or beside the program.
 * The program and its trainers look here when they first need a package: an installation needs no restart.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { extraNames, installCommand, pathsOf, pinsDigest, type ExtraName } from "../../shared/extras/index.ts";
import { homeFolder } from "../folders/folder.ts";

/** Folder of all extras: `HYPERTOWER_EXTRAS`, or `extras` in the user's folder. It belongs to this machine, and stays when the store is moved. */
export function extrasFolder(env: NodeJS.ProcessEnv = process.env): string {
  const named = env["HYPERTOWER_EXTRAS"]?.trim();
  return named ? resolve(named) : join(homeFolder(env), "extras");
}

/** Folder of the packages that this version pins, for this platform. Another set of versions has a folder of its own. */
export const extrasTree = (folder = extrasFolder()): string => join(folder, `${process.platform}-${process.arch}-${pinsDigest}`);

/** Folder of an installed package, by its path below `node_modules`. */
export const extraPackage = (path: string, tree = extrasTree()): string => join(tree, "node_modules", path);

/** A package that is not installed, with the command that installs it. */
export class ExtraMissing extends Error {
  constructor(name: string) {
    const extra = extraOf(name);
    super(`the package ${name} is not installed${extra ? `; run: ${installCommand(extra)}` : ""}`);
    this.name = "ExtraMissing";
  }
}

/** The smallest extra that has a package. */
function extraOf(name: string): ExtraName | undefined {
  return extraNames.filter((extra) => pathsOf[extra].includes(name)).sort((a, b) => pathsOf[a].length - pathsOf[b].length)[0];
}

// Named `load`: the bundler declares a `require` in every file that calls one.
const load = createRequire(import.meta.url);

const packageOf = (request: string) => request.split("/").slice(0, request.startsWith("@") ? 2 : 1).join("/");

function requireFor(name: string): NodeJS.Require {
  const folder = extraPackage(name);
  // Installed extras come first: TensorFlow's packages must all come from one folder, for they share one registry of backends.
  if (existsSync(join(folder, "package.json"))) return createRequire(join(folder, "package.json"));
  return load;
}

/** Path of a package's module. @throws ExtraMissing */
export function resolveExtra(request: string): string {
  const name = packageOf(request);
  const from = requireFor(name);
  try {
    return from.resolve(request);
  } catch (error) {
    // Also where the package is there and does not export what was asked for, which is an error of ours.
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND" && packageFolder(name) === null) throw new ExtraMissing(name);
    throw error;
  }
}

/** Folder of a package, installed here or beside the program; null where it is nowhere. */
export function packageFolder(name: string): string | null {
  const installed = extraPackage(name);
  if (existsSync(join(installed, "package.json"))) return installed;
  return besideProgram(name);
}

/** Folder of a package that was installed with the program or beside it; null where it was not. */
export function besideProgram(name: string): string | null {
  const folders = load.resolve.paths(name)?.map((folder) => join(folder, name));
  return folders?.find((folder) => existsSync(join(folder, "package.json"))) ?? null;
}

/** Loads a CommonJS package. @throws ExtraMissing */
export function requireExtra<T>(request: string): T {
  return load(resolveExtra(request)) as T;
}

/** Loads a package that has only ES modules. @throws ExtraMissing */
export async function importExtra<T>(request: string): Promise<T> {
  return (await import(pathToFileURL(resolveExtra(request)).href)) as T;
}

/** Version of a package. @throws ExtraMissing */
export function extraVersion(name: string): string {
  const folder = packageFolder(name);
  if (folder === null) throw new ExtraMissing(name);
  return (JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string }).version;
}
