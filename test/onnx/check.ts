/**
 * `npm run test:onnx [-- --folder FOLDER] [--only NAME] [--markdown]`: exports networks with each exporter that
 * Python has (PyTorch's old and new one, Keras's, JAX's), imports them, and compares loss and
 * gradients in float64 and on ONNX Runtime. HYPERTOWER_PYTHON names the Python; with --folder, files
 * that are there are not exported again.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readBatch } from "../../src/core/graphs/batchFile.ts";
import { checkGraph, type GraphCheck } from "../../src/core/graphs/check.ts";
import { readGraph } from "../../src/core/graphs/describe.ts";
import { loadEngine } from "../../src/core/engines/index.ts";
import { messageOf } from "../../src/shared/errors.ts";
import { findPython } from "../support/python.ts";

const { values: options } = parseArgs({ options: { folder: { type: "string" }, only: { type: "string", default: "" }, markdown: { type: "boolean", default: false } } });
const folder = options.folder ?? mkdtempSync(join(tmpdir(), "hypertower-onnx-"));
mkdirSync(folder, { recursive: true });

const scripts = [
  { modules: ["torch", "onnx", "onnxscript"], script: "export.py", env: {} },
  { modules: ["keras", "jax", "jax2onnx"], script: "export_keras.py", env: { KERAS_BACKEND: "jax" } },
  { modules: ["keras", "tensorflow", "tf2onnx"], script: "export_keras.py", env: { KERAS_BACKEND: "tensorflow" } },
  { modules: ["flax", "jax2onnx"], script: "export_jax.py", env: {} },
] as const;

if (!readdirSync(folder).some((name) => name.endsWith(".onnx"))) {
  for (const { modules, script, env } of scripts) {
    const python = findPython(...modules);
    if (!python) {
      console.error(`skipped ${script}: no Python has ${modules.join(", ")}; HYPERTOWER_PYTHON may name one`);
      continue;
    }
    const only = options.only !== "" && script !== "export_jax.py" ? ["--only", options.only] : [];
    const { stderr } = spawnSync(python, [script, folder, ...only], { cwd: import.meta.dirname, env: { ...process.env, ...env }, encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
    for (const line of stderr.split("\n").filter((one) => one.includes("not exported"))) console.error(line);
  }
}

interface Row {
  readonly file: string;
  readonly result: string;
  readonly reference?: GraphCheck;
  readonly single?: GraphCheck;
}

/** PyTorch's hardsigmoid has 1/6 as float32 in the gradients of doubles; one exporter folds what others keep. */
const allowed = (file: string) => (file.startsWith("mobilenet") ? 1e-7 : 1e-10);

const [reference, runtime] = [await loadEngine.reference(), await loadEngine["onnx-cpu"]()];
const rows: Row[] = [];
for (const file of readdirSync(folder).filter((name) => name.endsWith(".onnx") && name.includes(options.only)).sort()) {
  const batch = join(folder, file.replace(/onnx$/, "npz"));
  if (!existsSync(batch)) continue;
  try {
    const { description, tensors, warnings } = readGraph(readFileSync(join(folder, file)), { folder });
    const arrays = readBatch(readFileSync(batch));
    const exact = await checkGraph(description, tensors, arrays, reference);
    const single = await checkGraph(description, tensors, arrays, runtime);
    const agrees = exact.missing.length === 0 && exact.largestRelativeDifference <= (exact.double ? allowed(file) : 1e-5);
    const notes = [...(warnings.length > 0 ? ["warned: optimized for inference"] : []), ...(exact.missing.length > 0 ? [`${exact.missing.length} parameters merged or folded by the exporter`] : [])];
    rows.push({ file, result: agrees ? "agrees" : notes.length > 0 || !exact.double ? `differs (${notes.join("; ") || "float32, or parameters folded by the exporter"})` : "DIFFERS", reference: exact, single });
  } catch (error) {
    rows.push({ file, result: `refused: ${messageOf(error).slice(0, 200)}` });
  }
}

const short = (value: number | undefined) => (value === undefined ? "" : value === 0 ? "0" : value.toExponential(1));
const cells = rows.map(({ file, result, reference: exact, single }) => [file.replace(/\.onnx$/, ""), result, String(exact ? Object.keys(exact.gradients).length : ""), short(exact?.loss.relativeDifference), short(exact?.largestRelativeDifference), short(single?.loss.relativeDifference), short(single?.largestRelativeDifference)]);
const head = ["network.exporter", "result", "gradients", "loss, float64", "gradients, float64", "loss, float32", "gradients, float32"];
if (options.markdown) console.log([head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`).join("\n"));
else for (const row of [head, ...cells]) console.log(row.map((cell, i) => cell.padEnd([34, 40, 10, 14, 19, 14, 19][i]!)).join(" "));
console.log(`\n${rows.filter(({ result }) => result === "agrees").length} of ${rows.length} files agree; files in ${folder}`);
if (rows.length === 0 || rows.some(({ result }) => result === "DIFFERS" || result.startsWith("refused"))) process.exitCode = 1;
