/** The entry of the command line loads no command: --version and --help stay fast. */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = new URL("../../../src/", import.meta.url).pathname;

/** Files that a file loads when it is loaded, itself included. */
function loaded(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const source = readFileSync(file, "utf8");
  for (const [, imported] of source.matchAll(/^(?:import|export) (?!type )[^;]*? from "(\.[^"]+\.ts)"/gm)) loaded(join(dirname(file), imported!), found);
  return found;
}

test("the entry loads commands, services and the store only when a command runs", () => {
  const files = [...loaded(join(root, "main/headless/entry.ts"))].map((file) => relative(root, file));
  expect(files).toContain("main/headless/index.ts");
  expect(files.filter((file) => /^core\/|^main\/(?!headless|services\/lastResort|logs)|headless\/(commands|listing|study|table1|server)\//.test(file))).toEqual([]);
});
