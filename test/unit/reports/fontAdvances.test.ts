import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { textWidth } from "../../../src/main/reports/pictures/fonts.ts";

const root = join(import.meta.dirname, "../../..");

it("has the advance widths of the fonts that ship", async () => {
  const { fontTables } = (await import(join(root, "scripts/fontAdvances.mjs"))) as { fontTables: () => unknown };
  const kept: unknown = JSON.parse(readFileSync(join(root, "src/main/reports/pictures/advances.json"), "utf8"));
  expect(fontTables(), "run: npm run fonts:advances").toEqual(kept);
});

// As opentype.js 2.0 measured them.
it.each([
  ["learning rate α = 1e-3", "400 14px Inter", 142.3310546875],
  ["Adam / SGD", "600 20px Inter", 116.611328125],
  ["字", "12px Inter", 7.875],
])("measures %s", (text, font, width) => {
  expect(textWidth(text, font)).toBeCloseTo(width, 6);
});
