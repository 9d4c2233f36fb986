/** docs/dependencies.md gives a reason for every package, and for no other. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/dependencies.md"), "utf8");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<string, Record<string, unknown> | undefined>;

it.each([
  ["Used by the program", "dependencies"],
  ["Optional peers", "peerDependencies"],
  ["Used to build and test", "devDependencies"],
])("%s: package.json and the page agree", (heading, kind) => {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading))!;
  const rows = [...section.matchAll(/^\| `([^`]+)` \| (.+) \|$/gm)].map(([, name, why]) => ({ name, why: why!.replace("*library*: ", "") }));
  expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(manifest[kind] ?? {}).sort());
  expect(rows.filter(({ why }) => why.length < 4 || why === "?")).toEqual([]);
});

it("no package is installed for everyone that only some need", () => {
  expect(manifest["optionalDependencies"]).toBeUndefined();
  expect(Object.keys(manifest["peerDependenciesMeta"] ?? {})).toEqual(Object.keys(manifest["peerDependencies"] ?? {}));
});
