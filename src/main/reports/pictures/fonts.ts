/** The font of exported pictures: it travels with the program, so that they look the same on every machine. */
import { readFileSync } from "node:fs";
import { exportFont } from "../../../charts/theme.ts";
import { resourcePath } from "../../../core/resources/index.ts";
import tables from "./advances.json" with { type: "json" };
import { nativePath } from "./nativeFiles.ts";

const weights = [
  { name: "Regular", weight: 400 },
  { name: "SemiBold", weight: 600 },
] as const;

const fontPath = (file: string) => resourcePath("fonts", file);

export interface FontFile {
  readonly path: string;
  readonly weight: number;
}

/** Font files for a native renderer. */
export function fontFiles(): FontFile[] {
  return weights.map(({ name, weight }) => ({ path: nativePath(fontPath(`${exportFont}-${name}.ttf`)), weight }));
}

/** Advance widths by code point, in units of the font; `npm run fonts:advances` makes the tables from the font files. */
const advances = new Map(
  weights.map(({ name }) => {
    const { unitsPerEm, missing, runs } = tables[`${exportFont}-${name}`];
    const byCodePoint = new Map(runs.flatMap(([first, ...widths]) => widths.map((width, i) => [first! + i, width] as const)));
    return [name, { unitsPerEm, missing, byCodePoint }] as const;
  }),
);

const fontOf = (weight: number) => advances.get((weight >= 550 ? weights[1] : weights[0]).name)!;

const widths = new Map<string, number>();

/** Width of a text in pixels in a CSS font such as `600 14px Inter`, without kerning. */
export function textWidth(text: string, font = "12px"): number {
  const key = `${font}\n${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    const size = Number(/([\d.]+)px/.exec(font)?.[1] ?? 12);
    const weight = /\bbold\b/.test(font) ? 700 : Number(/(?:^|\s)([1-9]00)\s/.exec(font)?.[1] ?? 400);
    const face = fontOf(weight);
    width = [...text].reduce((sum, character) => sum + (face.byCodePoint.get(character.codePointAt(0)!) ?? face.missing), 0) * (size / face.unitsPerEm);
    if (widths.size > 20_000) widths.clear();
    widths.set(key, width);
  }
  return width;
}

let faces: string | undefined;

/** CSS that embeds the font in an SVG or HTML file: Latin, Greek and mathematical characters. */
export function fontFaces(): string {
  return (faces ??= weights
    .map(({ name, weight }) => {
      const data = readFileSync(fontPath(`${exportFont}-${name}.subset.woff2`)).toString("base64");
      return `@font-face{font-family:"${exportFont}";font-weight:${weight};src:url(data:font/woff2;base64,${data}) format("woff2")}`;
    })
    .join(""));
}
