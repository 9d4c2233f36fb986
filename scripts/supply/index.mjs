/**
 * `npm run supply [-- --sbom FILE]`: checks what ships: licenses, install scripts, the lock file, and known
 * vulnerabilities as `npm run audit` does, for which the registry has to answer (`--offline` leaves them out). With `--sbom`, also writes a bill
 * of materials (CycloneDX). Releases run it.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { askRegistry, npm, windows } from "./ask.mjs";
import { licenseProblems, lockProblems, notices, readLock, scriptProblems } from "./packages.mjs";
import { report } from "./report.mjs";

const root = join(import.meta.dirname, "..", "..");
const { values: options } = parseArgs({ options: { sbom: { type: "string" }, offline: { type: "boolean", default: false } } });
const lock = readLock(root);
const { allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

let failed = 0;
const shipped = notices(root);
failed += report(`licenses of ${shipped.length} packages that ship`, licenseProblems(lock));
const run = Object.entries(allowScripts).filter(([, runs]) => runs).map(([name]) => name);
failed += report(`install scripts: ${run.join(", ")} run, no other`, scriptProblems(lock, allowScripts));
failed += report("lock file: every package has a checksum and comes from the registry", lockProblems(lock));
if (options.offline) console.log("– known vulnerabilities, and whether Electron gets fixes: left out");
else for (const { what, verdict } of askRegistry(root)) failed += report(what, verdict.problems, verdict.remarks);
if (options.sbom !== undefined) {
  writeFileSync(options.sbom, execFileSync(npm, ["sbom", "--omit=dev", "--sbom-format=cyclonedx"], { cwd: root, shell: windows, maxBuffer: 64 * 2 ** 20 }));
  console.log(`✓ bill of materials: ${options.sbom}`);
}
process.exitCode = failed === 0 ? 0 : 1;
