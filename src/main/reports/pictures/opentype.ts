/** The part of opentype.js used here. */
// @ts-expect-error: the package has no types, and the published ones pull browser types into Node.
import opentype from "opentype.js";

export interface Font {
  readonly unitsPerEm: number;
  charToGlyph(character: string): { readonly advanceWidth?: number };
}

export const { parse } = opentype as { parse: (file: ArrayBuffer) => Font };
