/** The little that is used of opentype.js. */
// @ts-expect-error: the package brings no types, and those published beside it pull the browser's into Node.
import opentype from "opentype.js";

export interface Font {
  readonly unitsPerEm: number;
  charToGlyph(character: string): { readonly advanceWidth?: number };
}

export const { parse } = opentype as { parse: (file: ArrayBuffer) => Font };
