import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findResources, resourcePath } from "../../../src/core/resources/index.ts";

const root = resolve(import.meta.dirname, "../../..");
let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "hypertower-resources-"))));
afterEach(() => rmSync(folder, { recursive: true }));

function installed(...parts: readonly string[]): string {
  const at = join(folder, ...parts);
  for (const name of ["datasets", "fonts"]) mkdirSync(join(at, "resources", name), { recursive: true });
  return join(at, "resources");
}

it("are found from the sources, the build of the app, the library's build and the tests", () => {
  for (const from of ["src/core/resources", "out/main/chunks", "out/library/core/resources", "test/unit"]) expect(findResources(join(root, from))).toBe(join(root, "resources"));
  expect(readFileSync(resourcePath("datasets", "digits.csv.gz")).length).toBeGreaterThan(10_000);
});

it("are found in a packaged app, whose own folder is called resources too", () => {
  const packed = installed("App", "resources", "app");
  expect(findResources(join(folder, "App", "resources", "app", "out", "main"))).toBe(packed);
});

it("are found in an installed package before those of a program around it", () => {
  installed();
  const own = installed("node_modules", "hypertower");
  expect(findResources(join(folder, "node_modules", "hypertower", "out", "library"))).toBe(own);
});

it("are named where they are missing", () => {
  expect(() => findResources(join(folder, "out"))).toThrow(`the folder resources is missing above ${join(folder, "out")}: install Hypertower again`);
  expect(() => resourcePath("fonts", "none.ttf")).toThrow(/resources.fonts.none\.ttf is missing: install Hypertower again$/);
});
