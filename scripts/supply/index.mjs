/**
 * `npm run supply [-- --sbom FILE]`: checks what ships: licenses, install scripts, the lock file, and known
 * vulnerabilities, for which the registry has to answer (`--offline` leaves them out). With `--sbom`, also writes a bill
 * of materials (CycloneDX). Releases run it.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { licenseProblems, lockProblems, notices, readLock, scriptProblems } from "./packages.mjs";
import { advisories } from "./policy.mjs";

const root = join(import.meta.dirname, "..", "..");
const { values: options } = parseArgs({ options: { sbom: { type: "string" }, offline: { type: "boolean", default: false } } });
const lock = readLock(root);
const { allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const shell = process.platform === "win32";

/** Known vulnerabilities of what ships that are not explained. */
function vulnerabilities() {
  const { stdout } = spawnSync(npm, ["audit", "--omit=dev", "--json"], { cwd: root, shell, encoding: "utf8", maxBuffer: 64 * 2 ** 20 });
  let answer;
  try {
    answer = JSON.parse(stdout);
  } catch {
    answer = {};
  }
  if (!answer.vulnerabilities) return [`the registry did not say which packages are vulnerable (${answer.message ?? answer.error?.summary ?? "no answer"}); with --offline this is left out`];
  const found = Object.values(answer.vulnerabilities).flatMap(({ via }) => via.filter((one) => typeof one === "object"));
  const ids = new Map(found.map(({ url, name, title, severity }) => [url.split("/").at(-1), `${name}: ${title} (${severity}, ${url})`]));
  return [...ids].filter(([id]) => !(id in advisories)).map(([, text]) => text);
}

let failed = 0;
function report(what, problems) {
  console.log(`${problems.length === 0 ? "✓" : "✗"} ${what}`);
  for (const problem of problems) console.log(`  ${problem}`);
  failed += problems.length;
}

const shipped = notices(root);
report(`licenses of ${shipped.length} packages that ship`, licenseProblems(lock));
const run = Object.entries(allowScripts).filter(([, runs]) => runs).map(([name]) => name);
report(`install scripts: ${run.join(", ")} run, no other`, scriptProblems(lock, allowScripts));
report("lock file: every package has a checksum and comes from the registry", lockProblems(lock));
if (options.offline) console.log("– known vulnerabilities: left out");
else report("known vulnerabilities of what ships", vulnerabilities());
if (options.sbom !== undefined) {
  writeFileSync(options.sbom, execFileSync(npm, ["sbom", "--omit=dev", "--sbom-format=cyclonedx"], { cwd: root, shell, maxBuffer: 64 * 2 ** 20 }));
  console.log(`✓ bill of materials: ${options.sbom}`);
}
process.exitCode = failed === 0 ? 0 : 1;
