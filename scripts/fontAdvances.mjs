/**
 * `npm run fonts:advances`: writes src/main/reports/pictures/advances.json, how wide each character of the fonts in
 * resources/fonts is: runs of neighboring code points, `[first, advance, advance, …]`, in units of the font.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root = join(import.meta.dirname ?? ".", "..");
const faces = ["Inter-Regular", "Inter-SemiBold"];

/** Advance widths of a TrueType font by code point (tables head, hhea, hmtx and cmap of format 4 or 12). */
export function advancesOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = new Map(Array.from({ length: view.getUint16(4) }, (_, i) => [bytes.toString("latin1", 12 + 16 * i, 16 + 16 * i), view.getUint32(20 + 16 * i)]));
  const at = (name) => tables.get(name) ?? 0;
  const unitsPerEm = view.getUint16(at("head") + 18);
  const metrics = view.getUint16(at("hhea") + 34);
  const advance = (glyph) => view.getUint16(at("hmtx") + 4 * Math.min(glyph, metrics - 1));
  const subtables = Array.from({ length: view.getUint16(at("cmap") + 2) }, (_, i) => at("cmap") + view.getUint32(at("cmap") + 8 + 8 * i));
  const cmap = subtables.find((table) => view.getUint16(table) === 12) ?? subtables.find((table) => view.getUint16(table) === 4);
  const found = new Map();
  if (view.getUint16(cmap) === 12) {
    for (let i = 0; i < view.getUint32(cmap + 12); i++) {
      const [first, last, glyph] = [0, 4, 8].map((offset) => view.getUint32(cmap + 16 + 12 * i + offset));
      for (let code = first; code <= last; code++) found.set(code, advance(glyph + code - first));
    }
  } else {
    const segments = view.getUint16(cmap + 6) / 2;
    const part = (which, i) => cmap + 14 + 2 * (which * segments + i) + (which > 0 ? 2 : 0);
    for (let i = 0; i < segments; i++) {
      const [last, first, delta, offset] = [0, 1, 2, 3].map((which) => view.getUint16(part(which, i)));
      for (let code = first; code <= last && code < 0xffff; code++) {
        const raw = offset === 0 ? code : view.getUint16(part(3, i) + offset + 2 * (code - first));
        const glyph = offset !== 0 && raw === 0 ? 0 : (raw + delta) & 0xffff;
        if (glyph !== 0) found.set(code, advance(glyph));
      }
    }
  }
  return { unitsPerEm, missing: advance(0), found };
}

/** Runs of neighboring code points. */
export function tableOf({ unitsPerEm, missing, found }) {
  const runs = [];
  for (const code of [...found.keys()].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && run[0] + run.length - 1 === code) run.push(found.get(code));
    else runs.push([code, found.get(code)]);
  }
  return { unitsPerEm, missing, runs };
}

export const fontTables = () => Object.fromEntries(faces.map((name) => [name, tableOf(advancesOf(readFileSync(join(root, "resources", "fonts", `${name}.ttf`))))]));

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) writeFileSync(join(root, "src/main/reports/pictures/advances.json"), `${JSON.stringify(fontTables())}\n`);
