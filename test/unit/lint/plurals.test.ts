/** Counts and nouns in sentences come from one module: src/shared/text.ts. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../../../src");

it("no other module puts nouns into the plural", () => {
  const own = /(?:===|!==) 1 \? (["'`])(\w*)\1 : (["'`])(?:\2s|s|es)?\3/;
  const found = globSync("**/*.{ts,vue}", { cwd: src })
    .filter((path) => path !== join("shared", "text.ts"))
    .flatMap((path) => readFileSync(join(src, path), "utf8").split("\n").flatMap((line, i) => (own.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])));
  expect(found).toEqual([]);
});
