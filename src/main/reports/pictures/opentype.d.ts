/** The little that is used of opentype.js, which brings no types. */
declare module "opentype.js" {
  export interface Font {
    readonly unitsPerEm: number;
    charToGlyph(character: string): { readonly advanceWidth?: number };
  }
  const opentype: { parse(file: ArrayBuffer): Font };
  export default opentype;
}
