/**
 * `npm test`: installs and builds if needed, then runs all fast checks; with `--all`
 * (`npm run test:all`), also the slow ones. A failure does not stop the others. The last
 * line counts tests: `N passed, M failed`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureChromium } from "./chromium.mjs";
import { ensureBuilt, ensureInstalled, localNode, packageBin, root, runMain, runQuietly, SetupError, toolEnvironment } from "./setup.mjs";

/** Milliseconds after which a check that hangs fails. */
const limit = 40 * 60_000;
if (process.argv.includes("--all")) process.env.HYPERTOWER_TESTS = "all";
const reports = mkdtempSync(join(tmpdir(), "hypertower-test-"));

/** @typedef {{ name: string, passed: number, failed: number, skipped: number, seconds: number }} Result */

/** Runs a check and prints one line, and all its output if it failed. @returns {Promise<Result>} */
async function check(name, run) {
  const begun = Date.now();
  const { passed, failed, skipped = 0, output } = await run();
  const seconds = (Date.now() - begun) / 1000;
  console.log(`${failed === 0 ? "✓" : "✗"} ${name}  ${seconds.toFixed(1)} s`);
  if (failed > 0) console.log(`${output.trimEnd()}\n`);
  return { name, passed, failed, skipped, seconds };
}

/** A check that passes or fails as a whole. */
async function tool(name, bin, args) {
  const { code, output } = await runQuietly(localNode(), [packageBin(name, bin), ...args], { env: toolEnvironment({ NO_COLOR: "1" }), limit });
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, output };
}

/** A vitest suite; every test counts. */
async function suite(label, args) {
  const file = join(reports, `${label}.json`);
  const { code, output } = await runQuietly(
    localNode(),
    [packageBin("vitest"), "run", ...args, "--reporter=default", "--reporter=json", `--outputFile.json=${file}`],
    { env: toolEnvironment({ NO_COLOR: "1" }), limit },
  );
  if (!existsSync(file)) return { passed: 0, failed: 1, output };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests = 0, testResults } = JSON.parse(readFileSync(file, "utf8"));
  // A file that could not be loaded has no tests, but counts as a failure.
  const brokenFiles = testResults.filter((file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")).length;
  const failed = numFailedTests + brokenFiles;
  return { passed: numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed, skipped: numPendingTests + numTodoTests, output };
}

async function build() {
  try {
    await ensureBuilt();
    return { passed: 1, failed: 0, output: "" };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { passed: 0, failed: 1, output: error.message };
  }
}

async function endToEnd() {
  if (!existsSync(join(root, "out", "main", "headless.js"))) return { passed: 0, failed: 1, output: "Not run: there is no build." };
  const { path, problem } = await ensureChromium();
  if (problem) return { passed: 0, failed: 1, output: problem };
  process.env.CHROMIUM_PATH ??= path;
  return suite("e2e", ["--config", "vitest.e2e.config.ts"]);
}

async function inOrder(checks) {
  const results = [];
  for (const next of checks) results.push(await next());
  return results;
}

function printTable(results) {
  const rows = [
    ["CHECK", "PASSED", "FAILED", "SKIPPED", "TIME"],
    ...results.map((r) => [r.name, `${r.passed}`, `${r.failed}`, `${r.skipped}`, `${r.seconds.toFixed(1)} s`]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  console.log();
  for (const row of rows) console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  "));
  console.log();
}

async function main() {
  await ensureInstalled();
  try {
    // Unit tests need SwiftShader, which comes with Chromium. If it cannot be installed, the end-to-end tests report it.
    await ensureChromium();
    // Two at a time: one lane for the tools, which need no build, one for the build and the tests. End-to-end tests have the machine to themselves.
    const lanes = await Promise.all([
      inOrder([
        () => check("types, main and tests", () => tool("typescript-native", "tsc", ["-p", "tsconfig.node.json"])),
        () => check("types, window", () => tool("vue-tsc", "vue-tsc", ["-p", "tsconfig.web.json"])),
        () => check("types, end-to-end tests", () => tool("typescript-native", "tsc", ["-p", "tsconfig.e2e.json"])),
        () => check("lint", () => tool("oxlint", "oxlint", ["--type-aware"])),
        () => check("lint, imports and components", () => tool("eslint", "eslint", ["src"])),
      ]),
      inOrder([() => check("build", build), () => check("unit, golden and parity tests", () => suite("unit", []))]),
    ]);
    const results = [...lanes.flat(), await check("end-to-end tests", endToEnd)];
    printTable(results);
    const sum = (key) => results.reduce((total, result) => total + result[key], 0);
    console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
    return sum("failed") === 0 ? 0 : 1;
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}

await runMain(main);
