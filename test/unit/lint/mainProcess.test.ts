/** What the process of the desktop app's window loads at its start, by static imports of the sources. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../../..");

/** Modules of the static imports and re-exports of a source file, but of no types; and the optional packages that it loads. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const imports = text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm);
  return [...imports, ...text.matchAll(/(?:require|import)Extra(?:<[^(]*>)?\("([^"]+)"\)/g)].map(([, name]) => name!);
}

/** Packages that a file and all it imports load, each with the file that does. */
function packagesOf(entry: string): Map<string, string> {
  const packages = new Map<string, string>();
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const name of importsOf(file)) {
      if (name.startsWith(".")) visit(resolve(dirname(file), name));
      else packages.set(name, file.slice(root.length + 1));
    }
  };
  visit(join(root, entry));
  return packages;
}

it("is read completely", () => {
  const packages = packagesOf("src/main/desktop/index.ts");
  expect([...packages.keys()]).toEqual(expect.arrayContaining(["electron", "better-sqlite3", "zod"]));
  expect(existsSync(join(root, "src/main/importing/jobs.ts"))).toBe(true);
  expect(packagesOf("src/main/importing/jobs.ts").has("sharp")).toBe(true);
});

it.each([
  ["sharp", "its GLib and Electron's collide on Linux; the importer's process decodes images"],
  ["onnxruntime-node", "trainers have it"],
])("never has %s: %s", (name) => {
  expect(packagesOf("src/main/desktop/index.ts").get(name)).toBeUndefined();
});
