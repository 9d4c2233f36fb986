/** Experiments never execute code: every place that can start a program or run text as code is known, with what reaches it. */
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");

/** Modules that start programs or threads, or run text as code. */
const modules = new Set(["child_process", "vm", "worker_threads", "cluster", "module", "repl", "inspector", "wasi"]);
const electronSinks = new Set(["utilityProcess", "shell"]);
/** Properties that turn text into markup, a script or native code. */
const properties = new Set(["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc", "executeJavaScript", "dlopen", "createContextualFragment"]);

/** What may stand in a file, and what reaches it. Nothing of an experiment, study, archive or dataset does. */
const allowed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "bin/hypertower.mjs": { "import(…)": "the built command line", child_process: "Node of the package, with the arguments of the command line" },
  "src/core/datasets/files.ts": { module: "finds the folder of a package of the catalog" },
  "src/core/engines/memory.ts": { child_process: "nvidia-smi, fixed arguments" },
  "src/core/engines/onnx/kernels/arena.ts": { WebAssembly: "kernels that the program writes from its own instructions" },
  "src/core/engines/tfjs/backends.ts": { module: "restores two functions of node:util" },
  "src/core/extras/index.ts": { module: "loads optional packages, whose names are fixed, from the program's folder or the user's", "import(…)": "the same for packages of ES modules" },
  "src/core/feeds/ahead/batchMaker.ts": { worker_threads: "the batch worker, a file of the build" },
  "src/core/feeds/ahead/worker.ts": { worker_threads: "the batch worker itself" },
  "src/main/archives/importArchive.ts": { worker_threads: "the import worker, a file of the build" },
  "src/main/archives/worker.ts": { worker_threads: "the import worker itself" },
  "src/main/desktop/checkLauncher.ts": { utilityProcess: "the integrity check, a file of the build" },
  "src/main/desktop/guide.ts": { shell: "opens an https link of the guide in the system's browser, after asking" },
  "src/main/desktop/menu.ts": { shell: "opens the folder of the store" },
  "src/main/desktop/runScript.ts": { utilityProcess: "TensorFlow's installer and a check that it loads, when a person installs TensorFlow" },
  "src/main/desktop/taskLauncher.ts": { utilityProcess: "backups and maintenance of the store, a file of the build" },
  "src/main/desktop/utilityLauncher.ts": { utilityProcess: "trainer and importer, files of the build" },
  "src/main/extras/runProgram.ts": { child_process: "pip, the C++ compiler and Node with fixed arguments, when a person installs TensorFlow" },
  "src/main/fleet/queue/binaries.ts": { child_process: "PostgreSQL of an optional package, with fixed arguments, and id for the user it runs as" },
  "src/main/fleet/slurm/commands.ts": { child_process: "sbatch, squeue, scancel and scontrol, with arguments of a profile that a person wrote" },
  "src/main/headless/commands/serve.ts": { open: "a file with the link of the server" },
  "src/main/hosting/checkLauncher.ts": { child_process: "the integrity check, a file of the build" },
  "src/main/hosting/machineSignature.ts": { child_process: "asks the system for its graphics devices, fixed arguments" },
  "src/main/hosting/nodeLauncher.ts": { child_process: "trainer and importer, files of the build" },
  "src/main/hosting/taskLauncher.ts": { child_process: "backups and maintenance of the store, a file of the build" },
  "src/main/importing/importer.ts": { worker_threads: "the thread that watches the memory, this file" },
  "src/main/store/logLimit.ts": { worker_threads: "the thread that watches the size of the log, a fixed text" },
  "src/main/trainer/environment.ts": { child_process: "asks the system for its processor and git for a commit, fixed arguments" },
};

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|vue|mjs|cjs|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Quickly leaves out the files that have nothing of this. */
const suspicious = new RegExp(["\\beval\\b", "\\bFunction\\b", "\\bimport\\(", "\\brequire\\b", "\"electron\"", "WebAssembly", "setTimeout", "setInterval", "javascript:", "constructor\\.constructor", "\"open\"", "v-html", ...modules, ...properties].join("|"));

/** The sinks in a source text. */
function sinksIn(path: string, text: string): string[] {
  if (!suspicious.test(text)) return [];
  const found = new Set<string>();
  if (path.endsWith(".vue") && /\bv-html\b/.test(text)) found.add("v-html");
  const script = path.endsWith(".vue") ? [...text.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script>/g)].map(([, code]) => code).join("\n") : text;
  const source = ts.createSourceFile(path, script, ts.ScriptTarget.Latest, false);
  const isText = (node: ts.Node | undefined) => node !== undefined && (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node) || ts.isBinaryExpression(node));
  const ofModule = (name: string) => {
    const bare = name.replace(/^node:/, "").split("/")[0]!;
    if (modules.has(bare) || name === "open") found.add(bare);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier) && node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword) {
      ofModule(node.moduleSpecifier.text);
      const named = node.importClause?.namedBindings;
      if (node.moduleSpecifier.text === "electron" && named && ts.isNamedImports(named)) for (const { name, propertyName } of named.elements) if (electronSinks.has((propertyName ?? name).text)) found.add((propertyName ?? name).text);
    }
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const [first] = node.arguments ?? [];
      const callee = node.expression;
      if (callee.kind === ts.SyntaxKind.ImportKeyword) {
        if (first && ts.isStringLiteralLike(first)) ofModule(first.text);
        else found.add("import(…)");
      }
      if (ts.isIdentifier(callee)) {
        if (["eval", "Function"].includes(callee.text)) found.add(callee.text);
        if (callee.text === "require" && !(first && ts.isStringLiteralLike(first))) found.add("require(…)");
        if (["setTimeout", "setInterval", "setImmediate"].includes(callee.text) && isText(first)) found.add("a timer with text");
      }
    }
    if (ts.isPropertyAccessExpression(node)) {
      if (ts.isIdentifier(node.expression) && node.expression.text === "WebAssembly" && /^(Module|Instance|compile|instantiate)/.test(node.name.text)) found.add("WebAssembly");
      if (properties.has(node.name.text)) found.add(node.name.text);
      if (node.name.text === "constructor" && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === "constructor") found.add("constructor.constructor");
      if (ts.isIdentifier(node.expression) && node.expression.text === "globalThis" && ["eval", "Function"].includes(node.name.text)) found.add(node.name.text);
      if (ts.isIdentifier(node.expression) && node.expression.text === "document" && ["write", "writeln"].includes(node.name.text)) found.add("document.write");
    }
    if (ts.isStringLiteralLike(node) && /^\s*javascript:/i.test(node.text)) found.add("javascript:");
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...found].sort();
}

describe("code that runs code", () => {
  it("stands where it is known, and is reached by nothing from elsewhere", () => {
    const found: Record<string, string[]> = {};
    for (const file of ["src", "bin"].flatMap(sourceFiles)) {
      const path = file.slice(root.length + 1).split(sep).join("/");
      const sinks = sinksIn(path, readFileSync(file, "utf8"));
      if (sinks.length > 0) found[path] = sinks;
    }
    const expected = Object.fromEntries(Object.entries(allowed).map(([path, sinks]) => [path, Object.keys(sinks).sort()]));
    expect(found).toEqual(expected);
  });

  it.each([
    ['eval("1")', "eval"],
    ['new Function("return 1")', "Function"],
    ['Function("return 1")', "Function"],
    ["globalThis.eval(text)", "eval"],
    ['[].constructor.constructor("1")()', "constructor.constructor"],
    ["setTimeout(`x${y}`, 1)", "a timer with text"],
    ["await import(path)", "import(…)"],
    ["require(path)", "require(…)"],
    ['import { exec } from "node:child_process"', "child_process"],
    ['await import("child_process")', "child_process"],
    ['import vm from "node:vm"', "vm"],
    ['import { shell } from "electron"', "shell"],
    ["WebAssembly.instantiate(bytes)", "WebAssembly"],
    ["element.innerHTML = text", "innerHTML"],
    ['link.href = "javascript:1"', "javascript:"],
  ])("is found: %s", (code, sink) => {
    expect(sinksIn("x.ts", code)).toEqual([sink]);
  });

  it("is told from what only looks like it", () => {
    expect(sinksIn("x.ts", 'pattern.exec(text); db.exec("BEGIN"); const python = "model.eval()"; import type { Worker } from "node:worker_threads"; await import("./a.ts"); setTimeout(() => 1, 2); // eval(x)')).toEqual([]);
  });
});
