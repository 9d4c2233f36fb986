/** `npm run icons`: draws the app's icons from `icons/icon.svg`. Equal sources give equal files, which a test compares. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";

const folder = join(import.meta.dirname, "icons");
export const sizes = [16, 24, 32, 48, 64, 128, 256, 512];
const icoSizes = [16, 24, 32, 48, 64, 128, 256];
/** Types of an .icns file by pixels: https://en.wikipedia.org/wiki/Apple_Icon_Image_format. */
const icnsTypes = [["ic04", 16], ["ic05", 32], ["ic07", 128], ["ic08", 256], ["ic09", 512], ["ic10", 1024], ["ic11", 32], ["ic12", 64], ["ic13", 256], ["ic14", 512]];

/** macOS leaves a margin around its icons: 824 of 1024 pixels. */
const macMargin = 100 / 1024;

function png(svg, size, margin = 0) {
  const inner = 32 / (1 - 2 * margin);
  const at = -inner * margin;
  const drawn = svg.replace('viewBox="0 0 32 32"', `viewBox="${at} ${at} ${inner} ${inner}"`);
  return new Resvg(drawn, { fitTo: { mode: "width", value: size }, font: { loadSystemFonts: false } }).render().asPng();
}

/** A Windows icon whose pictures are PNG files. */
export function ico(pictures) {
  const header = Buffer.alloc(6 + 16 * pictures.length);
  header.writeUInt16LE(1, 2);
  header.writeUInt16LE(pictures.length, 4);
  let offset = header.length;
  for (const [i, { size, data }] of pictures.entries()) {
    const at = 6 + 16 * i;
    header[at] = header[at + 1] = size === 256 ? 0 : size;
    header.writeUInt16LE(1, at + 4);
    header.writeUInt16LE(32, at + 6);
    header.writeUInt32LE(data.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += data.length;
  }
  return Buffer.concat([header, ...pictures.map(({ data }) => data)]);
}

/** A macOS icon whose pictures are PNG files. */
export function icns(pictures) {
  const parts = pictures.map(({ type, data }) => {
    const head = Buffer.alloc(8);
    head.write(type, 0, "latin1");
    head.writeUInt32BE(8 + data.length, 4);
    return Buffer.concat([head, data]);
  });
  const head = Buffer.alloc(8);
  head.write("icns", 0, "latin1");
  head.writeUInt32BE(8 + parts.reduce((sum, { length }) => sum + length, 0), 4);
  return Buffer.concat([head, ...parts]);
}

/** Every icon by file name. @returns {Map<string, Buffer>} */
export function drawIcons(svg = readFileSync(join(folder, "icon.svg"), "utf8")) {
  const files = new Map(sizes.map((size) => [`${size}x${size}.png`, png(svg, size)]));
  files.set("icon.ico", ico(icoSizes.map((size) => ({ size, data: files.get(`${size}x${size}.png`) }))));
  // The two smallest types of an .icns hold no PNG; every macOS scales the larger ones.
  files.set("icon.icns", icns(icnsTypes.filter(([type]) => type !== "ic04" && type !== "ic05").map(([type, size]) => ({ type, data: png(svg, size, macMargin) }))));
  return files;
}

if (import.meta.main) {
  mkdirSync(folder, { recursive: true });
  for (const [name, data] of drawIcons()) writeFileSync(join(folder, name), data);
}
