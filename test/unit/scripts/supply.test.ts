import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { licenseProblems, lockProblems, notices, readLock, scriptProblems, type Lock } from "../../../scripts/supply/packages.mjs";

const root = join(import.meta.dirname, "../../..");
const lock = readLock(root);
const { allowScripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { allowScripts: Record<string, boolean> };
const lockOf = (packages: Lock["packages"]): Lock => ({ packages: { "": {}, ...packages } });
const sound = { version: "1.0.0", license: "MIT", integrity: "sha512-x" };

it("ships only licenses that go with MIT, from the registry, with install scripts that are named", () => {
  expect([...licenseProblems(lock), ...lockProblems(lock), ...scriptProblems(lock, allowScripts)]).toEqual([]);
});

it("refuses a license that nobody allowed, and one without a name", () => {
  const other = lockOf({ "node_modules/a": { ...sound, license: "GPL-3.0-only" }, "node_modules/b": { ...sound, license: "(GPL-3.0-only OR MIT)" }, "node_modules/c": { version: "1.0.0" }, "node_modules/d": { ...sound, license: "MPL-2.0" } });
  expect(licenseProblems(other)).toEqual([expect.stringMatching(/^a 1\.0\.0 is licensed under GPL-3\.0-only/), "c 1.0.0 names no license", expect.stringMatching(/^d 1\.0\.0 is licensed under MPL-2\.0/)]);
});

it("refuses what has no checksum, comes from elsewhere, or runs a script unnamed", () => {
  const other = lockOf({ "node_modules/a": { ...sound, integrity: "sha1-x" }, "node_modules/b": { ...sound, resolved: "git+ssh://git@example.com/b.git" }, "node_modules/c": { ...sound, hasInstallScript: true } });
  expect(lockProblems(other)).toEqual(["node_modules/a has no SHA-512 checksum", "node_modules/b comes from git+ssh://git@example.com/b.git"]);
  expect(scriptProblems(other, { z: true })).toEqual([expect.stringMatching(/^c has an install script/), expect.stringMatching(/^allowScripts in package\.json names z/)]);
});

it("has the license of every package that is installed and ships", () => {
  const found = notices(root);
  expect(found.length).toBeGreaterThan(100);
  expect(found.find(({ name }) => name === "vue")).toMatchObject({ license: "MIT", text: expect.stringContaining("Permission is hereby granted") as string });
  expect(found.some(({ name }) => name === "vitest")).toBe(false);
});
