/** Plain text as numbers: one code per character. */
import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import { firstInvalidByte, notUtf8 } from "./utf8.ts";

export interface EncodedText {
  /** Every character (Unicode code point) that occurs, in order of code point; a character's place is its code. */
  readonly vocabulary: readonly string[];
  readonly codes: Uint8Array | Uint16Array;
}

/** Characters a model can tell apart at most; texts in Latin scripts have about 100. */
export const maxVocabulary = 65_536;

/** Bytes decoded at a time: a text as one string would take twice its size, and its copy with other line ends as much again. */
const piece = 65_536;

/** The text piece by piece, without a byte order mark, each line end \n. */
function* piecesOf(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder("utf-8");
  let held = "";
  for (let at = 0; at < bytes.length; at += piece) {
    const text = held + decoder.decode(bytes.subarray(at, at + piece), { stream: true });
    // It may be the first half of a line end.
    held = text.endsWith("\r") ? "\r" : "";
    yield text.slice(0, text.length - held.length).replace(/\r\n?/g, "\n");
  }
  yield held === "" ? "" : "\n";
}

/** Code points, not UTF-16 units: a character outside the basic plane is one character. */
function forEachCharacter(bytes: Uint8Array, visit: (codePoint: number) => void): void {
  for (const text of piecesOf(bytes)) {
    for (let i = 0; i < text.length; i++) {
      const codePoint = text.codePointAt(i)!;
      if (codePoint > 0xffff) i++;
      visit(codePoint);
    }
  }
}

/**
 * Encodes a text of UTF-8 bytes; a byte order mark is left out, line ends become \n. Takes no
 * more memory than the codes beside the bytes.
 * @throws Error naming `source` and the offset of a byte that is no UTF-8, or an empty text
 */
export function encodeText(bytes: Uint8Array, source: string): EncodedText {
  if (!isUtf8(bytes)) {
    const at = firstInvalidByte(bytes);
    throw new Error(`${source}: ${notUtf8(at, bytes[at]!)}`);
  }
  const seen = new Set<number>();
  let count = 0;
  forEachCharacter(bytes, (codePoint) => {
    if (codePoint === 0) throw new Error(`${source}: contains a NUL character at character ${count}; it is no plain text`);
    seen.add(codePoint);
    count++;
  });
  if (count === 0) throw new Error(`${source}: the text is empty`);
  if (seen.size > maxVocabulary) throw new Error(`${source}: ${seen.size} different characters; at most ${maxVocabulary} are allowed`);
  const ordered = [...seen].sort((a, b) => a - b);
  const codeOf = new Map(ordered.map((codePoint, code) => [codePoint, code]));
  const codes = ordered.length <= 256 ? new Uint8Array(count) : new Uint16Array(count);
  let i = 0;
  forEachCharacter(bytes, (codePoint) => (codes[i++] = codeOf.get(codePoint)!));
  return { vocabulary: ordered.map((codePoint) => String.fromCodePoint(codePoint)), codes };
}

/** @throws Error naming the file */
export async function readText(path: string): Promise<EncodedText> {
  return encodeText(await readFile(path), path);
}
