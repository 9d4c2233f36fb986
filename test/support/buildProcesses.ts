/**
 * Before the tests: bundles the scripts that they start, with the packages that take long to find. Hundreds of processes then read
 * a few files each instead of some hundred.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "vite";
import { noticesPlugin } from "../../scripts/supply/packages.mjs";
import { builtVariable, processSources } from "./processes.ts";

const root = join(import.meta.dirname, "../..");
/** Beside the other builds: code finds the repository from there, and logs name its files. */
const builds = join(root, "out");
const prefix = "test-processes-";
/** Packages that every process loads, in dozens of files; others are found in node_modules as ever. */
const ofManyFiles = ["zod", "commander", "date-fns", "csv-parse", "fflate", "pure-rand", "protobufjs", "hyparquet", "env-paths", "fastest-levenshtein", "ws"];
const keptFor = 24 * 3_600_000;

export default async function buildProcesses(): Promise<void> {
  const output = await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: [noticesPlugin(root)],
    ssr: { noExternal: [...ofManyFiles] },
    build: {
      ssr: true,
      write: false,
      target: "node22",
      minify: false,
      rolldownOptions: { input: processSources, output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" } },
    },
  });
  if (!("output" in output)) throw new Error("the processes of the tests were not built in one go");
  const files = output.output.map((file) => ({ path: file.fileName, content: file.type === "chunk" ? file.code : file.source }));
  const hash = createHash("sha256");
  for (const { path, content } of files) hash.update(path).update("\0").update(content).update("\0");
  process.env[builtVariable] = place(`${prefix}${hash.digest("hex").slice(0, 16)}`, files);
}

/** Puts the build in place as a whole, for tests that run meanwhile may use an equal one; clears away builds of earlier days. */
function place(name: string, files: readonly { path: string; content: string | Uint8Array }[]): string {
  mkdirSync(builds, { recursive: true });
  const folder = join(builds, name);
  const made = mkdtempSync(join(builds, `${prefix}making-`));
  for (const { path, content } of files) {
    mkdirSync(dirname(join(made, path)), { recursive: true });
    writeFileSync(join(made, path), content);
  }
  try {
    renameSync(made, folder);
  } catch {
    // An equal one is there.
    rmSync(made, { recursive: true });
  }
  for (const other of readdirSync(builds)) {
    const path = join(builds, other);
    if (other.startsWith(prefix) && other !== name && Date.now() - statSync(path).mtimeMs > keptFor) rmSync(path, { recursive: true, force: true });
  }
  return folder;
}
