/**
 * ONNX Runtime's Node binding, one package for each platform: the same files as in onnxruntime-node, of one platform
 * only and without its install script. npm installs the one whose `os`, `cpu` and `libc` fit.
 */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { readLock } from "../supply/packages.mjs";
import { root } from "../setup.mjs";

/** As Node names them. ONNX Runtime has no binding for macOS on Intel processors. */
export const platforms = ["linux-x64", "linux-arm64", "win32-x64", "win32-arm64", "darwin-arm64"];

export const runtimeName = (platform) => `@hypertower/onnxruntime-${platform}`;

const license = `MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`;

const filesUnder = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();

/** Writes the packages of some platforms under a folder. @returns their folders */
export function writeRuntimePackages(into, wanted = platforms) {
  const source = join(root, "node_modules", "onnxruntime-node");
  const manifest = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
  const { integrity } = readLock(root).packages["node_modules/onnxruntime-node"];
  return wanted.map((platform) => {
    const [os, cpu] = platform.split("-");
    const folder = join(into, `onnxruntime-${platform}`);
    rmSync(folder, { recursive: true, force: true });
    const native = join("bin", "napi-v6", os, cpu);
    mkdirSync(join(folder, native), { recursive: true });
    cpSync(join(source, "dist"), join(folder, "dist"), { recursive: true, filter: (path) => !path.endsWith(".map") });
    // macOS: the library lies there twice, under its full version too, by which nothing loads it.
    cpSync(join(source, native), join(folder, native), { recursive: true, filter: (path) => !/\.\d+\.\d+\.\d+\.dylib$/.test(path) });
    writeFileSync(join(folder, "LICENSE"), license);
    writeFileSync(
      join(folder, "package.json"),
      `${JSON.stringify({ name: runtimeName(platform), version: manifest.version, description: `ONNX Runtime's Node binding for ${platform}, for hypertower`, license: manifest.license, repository: manifest.repository, main: manifest.main, types: manifest.types, os: [os], cpu: [cpu], ...(os === "linux" && { libc: ["glibc"] }), files: ["bin", "dist", "PROVENANCE.json"], dependencies: { "onnxruntime-common": manifest.version } }, null, 2)}\n`,
    );
    const hashes = Object.fromEntries(["bin", "dist"].flatMap((part) => filesUnder(join(folder, part))).map((path) => [relative(folder, path).split(sep).join("/"), `sha256:${createHash("sha256").update(readFileSync(path)).digest("hex")}`]));
    writeFileSync(join(folder, "PROVENANCE.json"), `${JSON.stringify({ source: { name: manifest.name, version: manifest.version, integrity }, unchangedFiles: hashes }, null, 2)}\n`);
    writeFileSync(join(folder, "README.md"), `ONNX Runtime ${manifest.version} by Microsoft for Node on ${platform}: files of the npm package onnxruntime-node, unchanged (PROVENANCE.json). hypertower depends on it.\n`);
    if (statSync(join(folder, native)).isDirectory() && readdirSync(join(folder, native)).length < 2) throw new Error(`${native} of onnxruntime-node is incomplete: run npm ci`);
    return folder;
  });
}
