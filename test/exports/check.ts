/**
 * `npm run test:exports [-- --framework NAME] [--steps N] [--only TEXT] [--markdown]`: trains the exported code in
 * PyTorch, Optax and Keras on the batches and from the weights of our own engine, and compares the
 * losses step by step. HYPERTOWER_PYTHON names the Python; frameworks it lacks are skipped.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { exportRun } from "../../src/main/reports/index.ts";
import { messageOf } from "../../src/shared/errors.ts";
import { findPython, runPython } from "../support/python.ts";
import { exportCases } from "./cases.ts";
import { batches, engineRun, type EngineRun } from "./engineRun.ts";

process.env["KERAS_BACKEND"] ??= "jax";
const modules = { pytorch: ["torch"], optax: ["jax", "optax"], keras: ["keras"] } as const;
type Framework = keyof typeof modules;
const frameworks = Object.keys(modules) as Framework[];

/** Largest difference of a loss that passes: float32 rounding over the steps, and knots 0.1 % off where values are learned or scheduled. */
const tolerance = { constant: 1e-5, learned: 1e-3 };

const { values: options } = parseArgs({ options: { framework: { type: "string" }, steps: { type: "string", default: "235" }, only: { type: "string", default: "" }, markdown: { type: "boolean", default: false } } });
const count = Number(options.steps);
const runs = new Map<string, EngineRun>();
const chosen = exportCases.filter(({ name }) => name.includes(options.only));
for (const exportCase of chosen) runs.set(exportCase.name, await engineRun(exportCase, count));
const source = readFileSync(new URL("train.py", import.meta.url), "utf8");

/** Largest difference of each case, or why there is none. */
function differences(python: string, framework: Framework): Map<string, number | string> {
  const results = new Map<string, number | string>();
  const given = [];
  for (const [name, { run, steps, weights }] of runs) {
    try {
      const code = [...exportRun(run, steps, framework).pieces].join("");
      given.push({ name, code, weights, grouped: run.experiment.tower[0]!.groups.length > 0 });
    } catch (error) {
      results.set(name, `refused: ${messageOf(error)}`);
    }
  }
  const answers = JSON.parse(runPython(python, source, { framework, batches: batches(count), runs: given })) as Record<string, number[] | string>;
  for (const [name, losses] of Object.entries(answers)) {
    const own = runs.get(name)!.losses;
    results.set(name, typeof losses === "string" ? losses : losses.reduce((worst, loss, i) => Math.max(worst, Math.abs(loss - own[i]!)), 0));
  }
  return results;
}

const tables = new Map<Framework, Map<string, number | string>>();
for (const framework of frameworks) {
  if (options.framework !== undefined && options.framework !== framework) continue;
  const python = findPython(...modules[framework]);
  if (python === undefined) console.warn(`${framework}: no Python with ${modules[framework].join(" and ")} (set HYPERTOWER_PYTHON); skipped`);
  else tables.set(framework, differences(python, framework));
}
if (tables.size === 0) process.exitCode = 1;

const cell = (result: number | string | undefined) => (result === undefined ? "" : typeof result === "number" ? result.toExponential(1) : options.markdown ? "refused" : result);
console.log(`| largest difference of the loss over ${count} steps | ${[...tables.keys()].join(" | ")} |`);
console.log(`|---|${[...tables].map(() => "---|").join("")}`);
for (const { name, tower, within } of chosen) {
  const results = [...tables.values()].map((table) => table.get(name));
  console.log(`| ${name} | ${results.map(cell).join(" | ")} |`);
  const follows = tower.length > 1 || tower.some((level) => "schedules" in level);
  const limit = within ?? (follows ? tolerance.learned : tolerance.constant);
  for (const result of results) {
    if (result === undefined || (typeof result === "string" && result.startsWith("refused: "))) continue;
    if (typeof result === "string" || !(result <= limit)) {
      process.exitCode = 1;
      console.error(`${name}: ${typeof result === "string" ? result : `${result.toExponential(1)} is more than ${limit}`}`);
    }
  }
}
