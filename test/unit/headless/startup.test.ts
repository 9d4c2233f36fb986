/** The entry of the command line loads no command: --version and --help stay fast. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("the entry imports commands, services and the store only when a command runs", () => {
  const source = readFileSync(new URL("../../../src/main/headless/index.ts", import.meta.url), "utf8");
  const loaded = [...source.matchAll(/^import (?!type )[^;]*? from "(\.[^"]+)"/gm)].map(([, file]) => file);
  expect(loaded).not.toEqual([]);
  expect(loaded.filter((file) => !/^\.\/(exitCodes|interrupt|printable)\.ts$|\/services\/lastResort\.ts$|\/logs\/hostLog\.ts$|\/shared\/|package\.json$/.test(file!))).toEqual([]);
});
