/** Which packages an extra needs on this machine, where they come from, and which of their files are used. */
import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { pathsOf, pinnedPackages, type ExtraName, type PinnedPackage } from "../../shared/extras/index.ts";
import type { Source } from "./download.ts";

/** npm's registry, unless npm or the environment names another. */
const defaultRegistry = "https://registry.npmjs.org/";

export function registry(env: NodeJS.ProcessEnv = process.env): string {
  const named = (env["npm_config_registry"] ?? env["NPM_CONFIG_REGISTRY"])?.trim();
  return (named || defaultRegistry).replace(/\/*$/, "/");
}

const nameOf = (path: string) => path.split("/node_modules/").at(-1)!;

/** Folder below `node_modules` that is put in place at once: a package with those nested in it. */
export const unitOf = (path: string): string => path.split("/node_modules/")[0]!;

let musl: boolean | undefined;

/** Whether this Linux has musl's C library, as Alpine has, instead of glibc. */
function isMusl(): boolean {
  return (musl ??= process.platform === "linux" && readdirSync("/lib").some((name) => name.startsWith("ld-musl-")));
}

function fits({ os, cpu, libc }: PinnedPackage): boolean {
  return (!os || os.includes(process.platform)) && (!cpu || cpu.includes(process.arch)) && (!libc || process.platform !== "linux" || libc.includes(isMusl() ? "musl" : "glibc"));
}

export interface ExtraPackage extends Source {
  /** Below `node_modules`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
}

/** Packages of an extra for this platform. */
export function packagesOf(extra: ExtraName, from = registry()): ExtraPackage[] {
  return pathsOf[extra].flatMap((path) => {
    const pinned = pinnedPackages[path]!;
    if (!fits(pinned)) return [];
    const name = nameOf(path);
    return [{ path, name, version: pinned.version, integrity: pinned.integrity, url: `${from}${name}/-/${basename(name)}-${pinned.version}.tgz` }];
  });
}

const dawn = `dist/${process.platform}-${process.platform === "darwin" ? "universal" : process.arch}/`;

/** Files that are used, of packages most of which is for other platforms, for browsers or for bundlers. */
export function isUsed(name: string, file: string): boolean {
  if (/^(package\.json|licen[cs]e.*|notice.*)$/i.test(file)) return true;
  if (name === "webgpu") return !file.startsWith("dist/") || file.startsWith(dawn);
  if (name === "onnxruntime-node") return file.startsWith("bin/napi-v6/linux/x64/") || /^dist\/.*\.js$/.test(file);
  if (/^@tensorflow\/tfjs-node/.test(name)) return !file.endsWith(".map");
  if (name.startsWith("@tensorflow/")) return /^dist\/[^/]*\.(node\.js|wasm)$/.test(file);
  return true;
}
