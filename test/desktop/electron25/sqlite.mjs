/**
 * better-sqlite3 for Electron 25, compiled from the sources in its own package: its ready-made builds need Node-API 10,
 * and Electron 25 has version 8. It needs a C and a C++ compiler and takes minutes.
 */
import { copyFileSync, cpSync, mkdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { root } from "../../../scripts/setup.mjs";
import { cache, makeFolder, must } from "./electron.mjs";

const packages = join(root, "node_modules");
const own = join(packages, "better-sqlite3");
const { version } = JSON.parse(readFileSync(join(own, "package.json"), "utf8"));

/** The options that the package compiles SQLite with. */
function sqliteOptions() {
  const list = readFileSync(join(own, "deps", "defines.gypi"), "utf8");
  return [...list.matchAll(/'([A-Z][A-Z0-9_]*(?:=[-\w]+)?)'/g)].map(([, option]) => `-D${option}`);
}

const compile = (compiler, args) => must("Compiling better-sqlite3", "nice", [compiler, "-c", "-O2", "-fPIC", "-DNDEBUG", ...args]);

/** Folder of the package with the compiled addon, to be copied into a node_modules. */
export async function compileSqlite() {
  const folder = join(cache, `better-sqlite3-${version}`);
  await makeFolder(folder, async (half) => {
    const release = join(half, "build", "Release");
    mkdirSync(release, { recursive: true });
    cpSync(join(own, "lib"), join(half, "lib"), { recursive: true });
    for (const name of ["package.json", "LICENSE"]) copyFileSync(join(own, name), join(half, name));
    const sqlite = join(own, "deps", "sqlite3");
    const objects = [join(release, "sqlite3.o"), join(release, "addon.o")];
    const compileLibrary = () => compile("gcc", ["-std=c99", "-w", ...sqliteOptions(), join(sqlite, "sqlite3.c"), "-o", objects[0]]);
    const compileAddon = () =>
      compile("g++", [
        ...["-std=c++20", "-fvisibility=hidden", "-fvisibility-inlines-hidden"],
        ...["-DNAPI_VERSION=8", "-DNAPI_DISABLE_CPP_EXCEPTIONS", "-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "-DBUILDING_NODE_EXTENSION"],
        ...["-I", join(packages, "node-api-headers", "include"), "-I", join(packages, "node-addon-api"), "-I", sqlite],
        ...["-include", join(import.meta.dirname, "nodeApi8.h"), join(own, "src", "better_sqlite3.cpp"), "-o", objects[1]],
      ]);
    if (availableParallelism() > 1) await Promise.all([compileLibrary(), compileAddon()]);
    else for (const part of [compileLibrary, compileAddon]) await part();
    const addon = join(release, "better_sqlite3.node");
    await must("Linking better-sqlite3", "g++", ["-shared", "-Wl,-Bsymbolic", "-Wl,--exclude-libs,ALL", "-static-libstdc++", ...objects, "-ldl", "-lm", "-lpthread", "-o", addon]);
    await must("Cleaning up", "rm", objects);
  });
  return folder;
}
