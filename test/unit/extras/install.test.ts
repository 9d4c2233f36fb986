/** Extras against a registry on the loopback interface: whole or not at all, checked, canceled, removed. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { extraPackage, extrasTree, importExtra, requireExtra } from "../../../src/core/extras/index.ts";
import { installExtra, isInstalled, listExtras, removeExtra } from "../../../src/main/extras/installer.ts";
import { isUsed, packagesOf, registry as registryOf } from "../../../src/main/extras/packages.ts";
import { Extras } from "../../../src/main/services/extras.ts";
import { extraNames, pathsOf, pinnedPackages, type ExtraProgress, type PinnedPackage } from "../../../src/shared/extras/index.ts";
import { startRegistry, tarballOf, type Registry } from "../../support/registry.ts";

let registry: Registry;
let folder = "";
const pins = pinnedPackages as Record<string, PinnedPackage>;
const unpinned = { ...pinnedPackages };

/** The registry serves small packages in place of those of an extra, and they are what is pinned. */
async function serve(extra: "webgpu" | "tfjs"): Promise<void> {
  for (const { path, name, version } of packagesOf(extra)) {
    const main = name.startsWith("@tensorflow/") ? "dist/index.node.js" : "index.js";
    const tarball = await tarballOf({ "package.json": JSON.stringify({ name, version, main }), [main]: `module.exports = { name: ${JSON.stringify(name)} };`, "dist/win99-x64/dawn.node": "for another platform" });
    pins[path] = { ...pins[path]!, integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}` };
    registry.answers.set(`/${name}/-/${name.split("/").at(-1)}-${version}.tgz`, tarball);
  }
}

beforeEach(async () => {
  registry = await startRegistry();
  folder = await mkdtemp(join(tmpdir(), "hypertower-extras-"));
  vi.stubEnv("HYPERTOWER_EXTRAS", folder);
  vi.stubEnv("npm_config_registry", registry.url);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  Object.assign(pins, unpinned);
  await registry.close();
  await rm(folder, { recursive: true });
});

const install = (name: "webgpu" | "tfjs" | "cuda", signal = new AbortController().signal) => {
  const told: ExtraProgress[] = [];
  return installExtra(name, { signal, onProgress: (progress) => told.push(progress) }).then(() => told);
};
const leftInFolder = async () => (await readdir(folder)).filter((name) => name.startsWith(".new-"));

it("installs an extra, loads it, and removes it", async () => {
  await serve("webgpu");
  expect(isInstalled("webgpu")).toBe(false);
  const told = await install("webgpu");
  expect(isInstalled("webgpu")).toBe(true);
  expect(await leftInFolder()).toEqual([]);
  expect(told.at(-1)).toMatchObject({ name: "webgpu", doing: "putting in place" });
  expect(told.find(({ done }) => done !== null && done > 0)).toBeDefined();
  expect(requireExtra("webgpu")).toEqual({ name: "webgpu" });
  expect(await importExtra("webgpu")).toMatchObject({ default: { name: "webgpu" } });
  expect((await listExtras()).find(({ name }) => name === "webgpu")).toMatchObject({ installed: true, included: false, problem: null });
  expect(existsSync(join(extraPackage("webgpu"), "dist/win99-x64"))).toBe(false);
  await removeExtra("webgpu");
  expect(isInstalled("webgpu")).toBe(false);
  expect(existsSync(extraPackage("webgpu"))).toBe(false);
});

it("asks for nothing that is there already, and keeps what another extra needs", async () => {
  await serve("tfjs");
  await install("tfjs");
  const asked = registry.asked.length;
  await install("tfjs");
  expect(registry.asked).toHaveLength(asked);
  const rechecked: string[] = [];
  await new Extras({ onWorking: () => undefined, recheck: async (kinds) => void rechecked.push(...kinds) }).remove("tfjs");
  expect(rechecked).toEqual(["tfjs-wasm", "tfjs-cpu", "tfjs-webgpu"]);
  expect(isInstalled("tfjs")).toBe(false);
  await expect(removeExtra("webgpu")).rejects.toThrow(/it is not installed|it comes with/);
});

it("installs nothing when a checksum is another", async () => {
  await serve("webgpu");
  const [path] = [...registry.answers.keys()].filter((name) => name.startsWith("/webgpu/"));
  registry.answers.set(path!, await tarballOf({ "package.json": "{}" }));
  await expect(install("webgpu")).rejects.toThrow(/webgpu-[\d.]+\.tgz is not what Hypertower was tested with: its checksum is sha512-.*Nothing was installed/s);
  expect(isInstalled("webgpu")).toBe(false);
  expect(await leftInFolder()).toEqual([]);
});

it("says what the registry lacks, and that it cannot be reached", async () => {
  await expect(install("webgpu")).rejects.toThrow(/\.tgz answered 404/);
  vi.stubEnv("npm_config_registry", "http://127.0.0.1:9");
  await expect(install("webgpu")).rejects.toThrow(/cannot be reached \(.*\); check the connection, or name a mirror/);
  expect(await leftInFolder()).toEqual([]);
});

it("leaves nothing when it is canceled, and can be installed afterwards", async () => {
  await serve("webgpu");
  const path = [...registry.answers.keys()].find((name) => name.startsWith("/webgpu/"))!;
  const whole = registry.answers.get(path)!;
  const events: (ExtraProgress | null)[] = [];
  let started = () => {};
  const begun = new Promise<void>((resolve) => (started = resolve));
  registry.answers.set(path, (response) => {
    response.writeHead(200).write("never ends");
    started();
  });
  const rechecked: unknown[] = [];
  const extras = new Extras({ onWorking: (working) => events.push(working), recheck: async (kinds) => void rechecked.push(...kinds) });
  const installing = extras.install("webgpu").catch((error: unknown) => (error as Error).message);
  await begun;
  await expect(extras.install("tfjs")).rejects.toThrow("WebGPU (Dawn) is being installed; wait until it is done, or cancel it.");
  expect((await extras.list()).working).toMatchObject({ name: "webgpu" });
  expect(await extras.cancel()).toBe(true);
  expect(await installing).toBe("The installation of WebGPU (Dawn) was canceled; nothing of it stays.");
  expect([events.at(-1), await leftInFolder(), rechecked]).toEqual([null, [], []]);
  registry.answers.set(path, whole);
  expect((await extras.install("webgpu")).extras.find(({ name }) => name === "webgpu")?.installed).toBe(true);
  expect(rechecked).toEqual(["onnx-webgpu", "tfjs-webgpu"]);
});

it("removes what a killed installation left, and nothing of a running one", async () => {
  await serve("webgpu");
  await mkdir(join(folder, ".new-999999999-x"));
  await mkdir(join(folder, `.new-${process.ppid}-x`));
  await install("webgpu");
  expect(await leftInFolder()).toEqual([`.new-${process.ppid}-x`]);
});

it("refuses an entry outside of the package's folder", async () => {
  await serve("webgpu");
  const pinned = packagesOf("webgpu").find(({ path }) => path === "webgpu")!;
  const evil = await tarballOf({ "package.json": "{}", "../../../../evil.txt": "outside" });
  pins["webgpu"] = { ...pins["webgpu"]!, integrity: `sha512-${createHash("sha512").update(evil).digest("base64")}` };
  registry.answers.set(`/webgpu/-/webgpu-${pinned.version}.tgz`, evil);
  await expect(install("webgpu")).rejects.toThrow("the archive has an entry outside of its folder");
  expect(existsSync(join(folder, "evil.txt"))).toBe(false);
});

it("has a checksum for every package, and a folder for each set of versions", async () => {
  for (const extra of extraNames) for (const path of pathsOf[extra]) expect(pinnedPackages[path]?.integrity).toMatch(/^sha512-/);
  expect(extrasTree()).toContain(`${process.platform}-${process.arch}-`);
  expect([isUsed("@tensorflow/tfjs-core", "dist/tf-core.node.js"), isUsed("@tensorflow/tfjs-core", "dist/tf-core.min.js"), isUsed("sharp", "lib/x.js")]).toEqual([true, false, true]);
  expect(registryOf({})).toMatch(/^https:\/\//);
  const { dependencies } = JSON.parse(await readFile(join(import.meta.dirname, "../../../package.json"), "utf8")) as { dependencies: Record<string, string> };
  for (const name of ["onnxruntime-node"]) expect(pinnedPackages[name]?.version).toBe(dependencies[name]);
});
