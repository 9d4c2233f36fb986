/** docs/engines.md says of every engine, and of every tolerance, what the code says. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { engineFacts, engineKinds } from "../../../src/shared/engines.ts";
import { tolerances } from "../../support/parity.ts";

const rows = readFileSync(new URL("../../../docs/engines.md", import.meta.url), "utf8").split("\n").filter((line) => line.startsWith("| "));
const cells = (row: string) => row.split("|").slice(1, -1).map((cell) => cell.trim());

it.each(engineKinds)("%s", (kind) => {
  const row = rows.find((line) => cells(line)[0]!.split(", ").includes(`\`${kind}\``));
  expect(row).toBeDefined();
  expect(cells(row!).at(-1)).toMatch(engineFacts[kind].deterministic === true ? /^yes/ : /^not established/);
});

it.each(Object.entries(tolerances))("tolerance %s", (name, value) => {
  const row = rows.find((line) => line.includes(`(\`${name}\`)`));
  expect(row && Number(cells(row)[1])).toBe(value);
});
