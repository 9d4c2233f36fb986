/**
 * `npm run demo`: installs, builds, trains the study `demo` (all of MNIST, heights 0 to 3, a coarse grid), and
 * writes its report with a sensitivity picture. Needs no window.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ensureBuilt, ensureInstalled, localNode, root, runMain, SetupError } from "./setup.mjs";

const usage = `Usage: npm run demo -- [--out <folder>] [--store <folder>] [--seeds <number>] [--force]

  --out     folder of the report (default: demo-report in this folder)
  --store   folder of the store (default: the one that "npm run workbench" shows)
  --seeds   runs for each point (default: the preset's)
  --force   replace an earlier report`;

function readOptions() {
  try {
    return parseArgs({ options: { out: { type: "string" }, store: { type: "string" }, seeds: { type: "string" }, force: { type: "boolean" }, help: { type: "boolean" } } }).values;
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${usage}`);
  }
}

/** Runs a command of hypertower and collects its standard output; the rest goes to the terminal. */
function hypertower(args) {
  return new Promise((done, fail) => {
    const child = spawn(localNode(), [join(root, "out", "main", "headless.js"), ...args], { cwd: root, stdio: ["inherit", "pipe", "inherit"] });
    // A terminal sends Ctrl+C to the child as well, which stops and keeps its runs.
    const ignore = () => undefined;
    process.on("SIGINT", ignore);
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.on("error", fail);
    child.on("close", (code) => {
      process.off("SIGINT", ignore);
      done({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") });
    });
  });
}

const lines = (output) => output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));

async function main() {
  const options = readOptions();
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const begun = Date.now();
  const out = resolve(root, options.out ?? "demo-report");
  const report = join(out, "report.html");
  if (existsSync(report) && !options.force) throw new SetupError(`${out} already has a report; to replace it: npm run demo -- --force`);
  await ensureInstalled();
  await ensureBuilt();
  const store = options.store === undefined ? [] : ["--store", options.store];
  const seeds = options.seeds === undefined ? [] : ["--seeds", options.seeds];

  console.error("Training the study: SGD towers of heights 0 to 3 on MNIST, from step sizes of 1e-8 to 100.");
  const study = await hypertower(["study", "--preset", "demo", "--json", ...seeds, ...store]);
  if (study.code !== 0) {
    for (const line of lines(study.output)) if (line.type === "error") console.error(line.message);
    return study.code;
  }
  const id = lines(study.output).findLast((line) => typeof line.study === "string")?.study;
  if (!id) throw new SetupError("The study ended without saying its id.");
  const written = await hypertower(["report", id, "--out", out, "--json", ...(options.force ? ["--force"] : []), ...store]);
  if (written.code !== 0) return written.code;

  const { headline } = JSON.parse(readFileSync(join(out, "report.json"), "utf8")).numbers.verdict;
  const seconds = Math.round((Date.now() - begun) / 1000);
  console.log(`\n${headline}\n\nDone in ${Math.floor(seconds / 60)} min ${seconds % 60} s.`);
  console.log(`Report     ${report}`);
  console.log(`Picture    ${join(out, "figures", "sensitivity.png")}`);
  console.log(`Workbench  npm run workbench${options.store === undefined ? "" : ` -- --store ${options.store}`}   (Studies)`);
  return 0;
}

await runMain(main);
