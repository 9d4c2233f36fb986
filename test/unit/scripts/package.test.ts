/** What packages hold and say, as far as it can be told without making one. `npm run package:check` makes one. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brokenRules, sizesByPart } from "../../../scripts/package/content.mjs";
import { desktopEntry, makeDeb, mimeInfo } from "../../../scripts/package/deb.mjs";
import { builderConfiguration, fileType, fuses, linkScheme } from "../../../scripts/package/electron-builder.mjs";
import { drawIcons, sizes } from "../../../scripts/package/icons.mjs";
import { nativesOf, targets } from "../../../scripts/package/natives.mjs";
import { textShare } from "../../../scripts/package/texts.mjs";
import { fileEnding, linkScheme as openedScheme } from "../../../src/shared/opening.ts";
import { renderPng, renderSvg } from "../../../src/main/reports/pictures/render.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

const root = join(import.meta.dirname, "../../..");
const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: Record<string, string> };

describe("icons", () => {
  const files = drawIcons();

  it("are what their script draws from the source", () => {
    for (const [name, data] of files) expect(readFileSync(join(root, "scripts/package/icons", name)).equals(data), `${name}: run npm run icons`).toBe(true);
  });

  it("hold every size", () => {
    for (const size of sizes) expect(files.get(`${size}x${size}.png`)!.readUInt32BE(16)).toBe(size);
    const ico = files.get("icon.ico")!;
    expect([ico.readUInt16LE(2), ico.readUInt16LE(4)]).toEqual([1, 7]);
    const icns = files.get("icon.icns")!;
    expect([icns.toString("latin1", 0, 4), icns.readUInt32BE(4)]).toEqual(["icns", icns.length]);
  });
});

describe("the configuration", () => {
  it("registers the file type and the links that the app opens", () => {
    const config = builderConfiguration();
    expect([`.${fileType.ext}`, linkScheme]).toEqual([fileEnding, openedScheme]);
    expect(config).toMatchObject({ appId: "org.hypertower.app", asar: true, fileAssociations: [{ ext: "hypertower" }], protocols: [{ schemes: ["hypertower"] }] });
    expect(desktopEntry).toContain(`MimeType=${fileType.mimeType};x-scheme-handler/hypertower;`);
    expect(mimeInfo).toContain('<glob pattern="*.hypertower"/>');
  });

  it("turns off what turns the executable into another program", () => {
    expect(fuses).toMatchObject({ runAsNode: false, enableNodeOptionsEnvironmentVariable: false, enableNodeCliInspectArguments: false, onlyLoadAppFromAsar: true, enableEmbeddedAsarIntegrityValidation: true, enableCookieEncryption: true });
    expect(builderConfiguration().electronFuses).toEqual(fuses);
    expect(builderConfiguration({ electronVersion: "25.1.1" }).electronFuses).not.toHaveProperty("grantFileProtocolExtraPrivileges");
  });
});

describe("native packages", () => {
  it.each(targets)("of %s name no other platform", (target) => {
    const names = nativesOf(target).flatMap(({ name, files }) => [name, ...files]);
    for (const other of targets.filter((one) => one !== target)) expect(names.filter((name) => name.includes(other))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(["better-sqlite3", "onnxruntime-node", "@resvg/resvg-js"]));
  });

  it("are where they are looked for, with the installed versions", () => {
    const target = `${process.platform}-${process.arch}`;
    if (!targets.includes(target)) return;
    for (const { name, files } of nativesOf(target)) for (const file of files) expect(existsSync(join(root, "node_modules", name, file)), `${name}/${file}`).toBe(true);
    expect(dependencies).toHaveProperty("better-sqlite3");
  });
});

describe("content", () => {
  const fonts = ["Inter-Regular.ttf", "Inter-SemiBold.ttf"].map((name) => `resources/resources/fonts/${name}`);
  const sound = [...fonts, "resources/resources/LICENSE", "resources/resources/THIRD-PARTY-NOTICES.txt", "resources/app.asar/out/main/desktop.js", "locales/en-US.pak", "resources/app.asar.unpacked/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1"];
  const broken = (...more: string[]) =>
    Object.entries(brokenRules([...sound, ...more].map((path) => ({ path, bytes: 1 })), "linux-x64"))
      .filter(([, paths]) => paths.length > 0)
      .map(([rule]) => rule);

  it("is sound", () => expect(broken()).toEqual([]));

  it.each([
    ["resources/app.asar.unpacked/node_modules/onnxruntime-node/bin/napi-v6/win32/x64/onnxruntime.dll", "no native code of other platforms"],
    ["resources/app.asar.unpacked/node_modules/onnxruntime-node/bin/napi-v6/linux/arm64/libonnxruntime.so.1", "no native code of other processors"],
    ["resources/app.asar/node_modules/better-sqlite3/prebuilds/linux-x64.node", "native code is outside of the archive"],
    ["resources/app.asar/src/main/index.ts", "no sources, maps or types"],
    ["resources/app.asar/node_modules/ms/test/index.js", "no tests"],
    ["locales/de.pak", "no locales but English"],
    ["resources/resources/datasets/mnist/train-images-idx3-ubyte", "digits are compressed"],
    ["resources/default_app.asar", "no page of Electron's own"],
  ])("finds %s", (path, rule) => expect(broken(path)).toEqual([rule]));

  it("misses fonts inside the archive", () => {
    const inside = sound.map((path) => ({ path: fonts.includes(path) ? path.replace("resources/resources", "resources/app.asar/resources") : path, bytes: 1 }));
    expect(brokenRules(inside, "linux-x64")["fonts are files of their own"]).toHaveLength(2);
  });

  it("is summed by part", () => {
    expect(sizesByPart([{ path: "hypertower", bytes: 5 }, { path: "resources/app.asar.unpacked/node_modules/onnxruntime-node/a.node", bytes: 7 }, { path: "icudtl.dat", bytes: 4 }])).toEqual([["Electron", 9], ["ONNX Runtime", 7]]);
  });
});

it("tells a figure with texts from one with none", async () => {
  const svg = renderSvg({ title: { text: "Loss by step" }, xAxis: { type: "value", name: "step" }, yAxis: { type: "value" }, series: [{ type: "line", data: [[0, 1], [1, 2]] }] }, { width: 400, height: 300 });
  expect(await textShare(renderPng(svg, 2), svg)).toBe(1);
  expect(await textShare(renderPng(svg.replace(/<text[\s\S]*?<\/text>/g, ""), 2), svg)).toBe(0);
});

it.skipIf(spawnSync("dpkg-deb", ["--version"]).status !== 0)("makes a .deb that registers files, links and icons, owned by root", () => {
  const folder = freshFolder();
  const app = join(folder, "app");
  mkdirSync(join(app, "resources/resources"), { recursive: true });
  writeFileSync(join(app, "resources/resources/LICENSE"), "MIT");
  writeFileSync(join(app, "hypertower"), "#!/bin/sh\n", { mode: 0o700 });
  const file = makeDeb({ app, target: "linux-x64", output: join(folder, "dist"), work: join(folder, "work") });
  const listed = spawnSync("dpkg-deb", ["--contents", file], { encoding: "utf8" }).stdout;
  expect(listed).toMatch(/^-rwxr-xr-x root\/root .*\.\/opt\/Hypertower\/hypertower$/m);
  for (const path of ["usr/share/applications/hypertower.desktop", "usr/share/mime/packages/hypertower.xml", "usr/share/icons/hicolor/48x48/apps/hypertower.png", "usr/share/doc/hypertower/copyright"]) expect(listed).toContain(`./${path}`);
  expect(spawnSync("dpkg-deb", ["--info", file], { encoding: "utf8" }).stdout).toMatch(/Package: hypertower\n[\s\S]*Architecture: amd64/);
  expect(() => makeDeb({ app, target: "win32-x64", output: folder, work: join(folder, "work") })).toThrow("not for win32-x64");
});
