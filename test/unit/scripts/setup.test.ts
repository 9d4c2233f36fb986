/** The set-up does each thing once: packages when the lock changed, the build when a source changed. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const scripts = join(import.meta.dirname, "../../../scripts");
let root: string;

/** A project with one package, a `npm` that installs it, and an electron-vite that "builds". */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "hypertower-setup-"));
  mkdirSync(join(root, "scripts"));
  copyFileSync(join(scripts, "setup.mjs"), join(root, "scripts/setup.mjs"));
  write("package.json", "{}");
  writeLock("1.0.0");
  write(
    "bin/npm",
    `#!/bin/sh
echo "$@" >> "${root}/npm.log"
[ -z "$FAIL_NPM" ] || { echo "npm is unwell"; exit 7; }
mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json`,
  );
  chmodSync(join(root, "bin/npm"), 0o755);
  write("src/main.ts", "1");
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function writeLock(version: string): void {
  write(
    "package-lock.json",
    JSON.stringify({ packages: { "": {}, "node_modules/a": { version }, "node_modules/elsewhere": { version: "1", optional: true } } }),
  );
}

function setUp(call: string, env: NodeJS.ProcessEnv = {}) {
  const program = `import { ${call}, runMain } from "./scripts/setup.mjs"; await runMain(async () => { await ${call}(); return 0; });`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...env, PATH: [join(root, "bin"), process.env["PATH"]].join(delimiter) },
  });
}

const logged = (file: string) => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8").trim().split("\n").length : 0);

describe.skipIf(process.platform === "win32")("ensureInstalled", () => {
  it("installs once, and again only when the lock file has changed", () => {
    const first = setUp("ensureInstalled");
    expect(first.stderr).toMatch(/^Installing packages \(npm ci\) … done/);
    expect(first.status).toBe(0);
    expect(setUp("ensureInstalled").stderr).toBe("");
    expect(logged("npm.log")).toBe(1);
    writeLock("1.0.1");
    setUp("ensureInstalled");
    expect(logged("npm.log")).toBe(2);
    expect(readFileSync(join(root, "npm.log"), "utf8")).toMatch(/^ci /);
  });

  it("takes packages installed by hand as they are", () => {
    write("node_modules/.package-lock.json", readFileSync(join(root, "package-lock.json"), "utf8"));
    setUp("ensureInstalled");
    expect(logged("npm.log")).toBe(0);
  });

  it("ends with npm's words when npm fails, and tries again the next time", () => {
    const failed = setUp("ensureInstalled", { FAIL_NPM: "1" });
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("npm is unwell");
    expect(failed.stderr).toContain("exit code 7");
    expect(setUp("ensureInstalled").status).toBe(0);
    expect(logged("npm.log")).toBe(2);
  });
});

describe("ensureBuilt", () => {
  const library = "out/library/library/index.js";
  const outputs = ["out/main/desktop.js", "out/main/headless.js", "out/main/trainer.js", "out/preload/index.cjs", "out/renderer/index.html"];

  beforeEach(() => {
    write("node_modules/electron-vite/package.json", '{"bin": {"electron-vite": "cli.mjs"}}');
    write(
      "node_modules/electron-vite/cli.mjs",
      `import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
appendFileSync("build.log", "built\\n");
rmSync("out/main", { recursive: true, force: true });
for (const path of ${JSON.stringify(outputs)}) {
  if (path === process.env.LEAVE_OUT) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
}`,
    );
  });

  beforeEach(() => {
    write("node_modules/typescript-native/package.json", '{"bin": {"tsc": "tsc.mjs"}}');
    write(
      "node_modules/typescript-native/tsc.mjs",
      `import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
if (process.env.FAIL_LIBRARY) { console.log("a type is unwell"); process.exit(2); }
appendFileSync("library.log", process.argv.slice(2).join(" ") + "\\n");
mkdirSync("out/library/library", { recursive: true });
writeFileSync(${JSON.stringify(library)}, "");`,
    );
  });

  it("builds the library too, and again when it is gone", () => {
    setUp("ensureBuilt");
    expect(readFileSync(join(root, "library.log"), "utf8").trim()).toBe("-p tsconfig.library.json");
    rmSync(join(root, library));
    setUp("ensureBuilt");
    expect(logged("library.log")).toBe(2);
  });

  it("ends with the compiler's words when the library cannot be built, and tries again the next time", () => {
    const failed = setUp("ensureBuilt", { FAIL_LIBRARY: "1" });
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("a type is unwell");
    expect(setUp("ensureBuilt").status).toBe(0);
    expect(logged("build.log")).toBe(2);
  });

  it("builds once, and again when a source has changed or an output is gone", () => {
    expect(setUp("ensureBuilt").stderr).toMatch(/^Building … done/);
    expect(setUp("ensureBuilt").stderr).toBe("");
    expect(logged("build.log")).toBe(1);
    write("src/main.ts", "2");
    setUp("ensureBuilt");
    expect(logged("build.log")).toBe(2);
    rmSync(join(root, "out/renderer/index.html"));
    setUp("ensureBuilt");
    expect(logged("build.log")).toBe(3);
  });

  it("builds the guide apart from the program, when one of its pages has changed", () => {
    write("node_modules/vitepress/package.json", '{"bin": {"vitepress": "cli.mjs"}}');
    write("node_modules/vitepress/cli.mjs", 'import { appendFileSync } from "node:fs"; appendFileSync("guide.log", "built\\n");');
    write("docs/.vitepress/config.ts", "");
    setUp("ensureBuilt");
    expect(setUp("ensureBuilt").stderr).toBe("");
    expect(logged("guide.log")).toBe(1);
    write("docs/start.md", "# Start");
    setUp("ensureBuilt");
    expect([logged("guide.log"), logged("build.log")]).toEqual([2, 1]);
  });

  it("does not trust a build made by hand", () => {
    setUp("ensureBuilt");
    spawnSync(process.execPath, ["node_modules/electron-vite/cli.mjs"], { cwd: root });
    setUp("ensureBuilt");
    expect(logged("build.log")).toBe(3);
  });

  it("says which output a build left out", () => {
    const { status, stderr } = setUp("ensureBuilt", { LEAVE_OUT: "out/main/trainer.js" });
    expect(status).toBe(1);
    expect(stderr).toContain("without out/main/trainer.js");
  });
});
