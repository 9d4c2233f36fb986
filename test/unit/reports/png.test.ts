/** Text in PNG pictures: the renderer is native code, and reads its fonts by itself. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { exportFont } from "../../../src/charts/theme.ts";
import { fontFiles } from "../../../src/main/reports/pictures/fonts.ts";
import { nativePath } from "../../../src/main/reports/pictures/nativeFiles.ts";
import { renderPng } from "../../../src/main/reports/pictures/render.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

const svg = (content: string) => `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="50"><rect width="200" height="50" fill="#fff"/>${content}</svg>`;
const text = (weight: number) => svg(`<text x="10" y="30" font-size="20" font-family="${exportFont}" font-weight="${weight}" fill="#000">Test error</text>`);

/** A file in a folder, with its folders. */
function placed(path: string, content: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

it.each([400, 600])("is drawn at weight %d", (weight) => {
  expect(renderPng(text(weight), 1).equals(renderPng(svg(""), 1))).toBe(false);
});

it("is drawn in a packaged app: fonts in its archive are handed over as files outside it", () => {
  const [regular] = fontFiles();
  const inArchive = placed(join(freshFolder(), "app.asar", "resources", "fonts", "Inter-Regular.ttf"), readFileSync(regular!.path));
  const copy = nativePath(inArchive);
  expect(copy).not.toContain(".asar");
  expect(readFileSync(copy).equals(readFileSync(regular!.path))).toBe(true);
  expect(nativePath(inArchive)).toBe(copy);
  expect(renderPng(text(400), 1, [{ path: copy, weight: 400 }]).equals(renderPng(text(400), 1))).toBe(true);
});

it("uses the files beside the archive where the package has them there", () => {
  const folder = freshFolder();
  const inArchive = join(folder, "app.asar", "fonts", "a.ttf");
  const beside = placed(join(folder, "app.asar.unpacked", "fonts", "a.ttf"), "");
  expect(nativePath(inArchive)).toBe(beside);
  expect(existsSync(inArchive)).toBe(false);
});

it.each([
  ["is missing", null],
  ["is no font", "not a font"],
])("fails, naming the font, where it %s", (_what, content) => {
  const path = join(freshFolder(), "Inter-Regular.ttf");
  if (content !== null) writeFileSync(path, content);
  expect(() => renderPng(text(400), 1, [{ path, weight: 400 }])).toThrow(`The font ${path} cannot be loaded`);
});
