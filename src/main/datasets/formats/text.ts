/** Plain text as numbers: one code per character. */
import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";

export interface EncodedText {
  /** Every character (Unicode code point) that occurs, in order of code point; a character's place is its code. */
  readonly vocabulary: readonly string[];
  readonly codes: Uint8Array | Uint16Array;
}

/** Characters a model can tell apart at most; texts in Latin scripts have about 100. */
export const maxVocabulary = 65_536;

/** Bytes of the character that begins at `at`; 0 where none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/** Offset of the first byte that is no UTF-8. */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  for (let length = 1; at < bytes.length && length > 0; at += length) length = characterLength(bytes, at);
  return at;
}

/**
 * Encodes a text of UTF-8 bytes; a byte order mark is left out, line ends become \n.
 * @throws Error naming `source` and the offset of a byte that is no UTF-8, or an empty text
 */
export function encodeText(bytes: Uint8Array, source: string): EncodedText {
  if (!isUtf8(bytes)) {
    const at = firstInvalidByte(bytes);
    throw new Error(`${source}: byte ${at} (0x${bytes[at]!.toString(16)}) is not UTF-8; save the text as UTF-8 and import it again`);
  }
  const text = new TextDecoder("utf-8").decode(bytes).replace(/\r\n?/g, "\n");
  if (text.includes("\0")) throw new Error(`${source}: contains a NUL character at character ${text.indexOf("\0")}; it is no plain text`);
  const vocabulary = [...new Set(text)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  if (vocabulary.length === 0) throw new Error(`${source}: the text is empty`);
  if (vocabulary.length > maxVocabulary) throw new Error(`${source}: ${vocabulary.length} different characters; at most ${maxVocabulary} are allowed`);
  const codeOf = new Map(vocabulary.map((character, code) => [character, code]));
  // Code points, not UTF-16 units: a character outside the basic plane is one character.
  let count = 0;
  for (const _ of text) count++;
  const codes = vocabulary.length <= 256 ? new Uint8Array(count) : new Uint16Array(count);
  let i = 0;
  for (const character of text) codes[i++] = codeOf.get(character)!;
  return { vocabulary, codes };
}

/** @throws Error naming the file */
export async function readText(path: string): Promise<EncodedText> {
  return encodeText(await readFile(path), path);
}
