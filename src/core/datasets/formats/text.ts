/** Plain text as numbers: one code per character. */
import { stat } from "node:fs/promises";
import { chunksOf } from "../chunks.ts";
import { bytesOfCharacter, Utf8Pieces } from "./utf8.ts";

export interface EncodedText {
  /** Every character (Unicode code point) that occurs, in order of code point; a character's place is its code. */
  readonly vocabulary: readonly string[];
  readonly codes: Uint8Array;
}

/** Characters a model can tell apart at most; texts in Latin scripts have about 100. */
const maxVocabulary = 256;

const [lineFeed, carriageReturn, byteOrderMark] = [0x0a, 0x0d, 0xfeff];

/**
 * Encodes UTF-8 that comes in pieces, straight from its bytes: no string of the text is made, and
 * nothing is kept but the codes. Characters are numbered as they turn up, and anew at the end.
 */
class Encoder {
  readonly #source: string;
  readonly #utf8: Utf8Pieces;
  /** A character takes a byte at least. */
  readonly #codes: Uint8Array;
  readonly #codeOf = new Map<number, number>();
  #count = 0;
  #last = -1;

  constructor(source: string, bytes: number) {
    this.#source = source;
    this.#utf8 = new Utf8Pieces(source);
    this.#codes = new Uint8Array(bytes);
  }

  add(piece: Uint8Array): void {
    const bytes = this.#utf8.add(piece);
    for (let at = 0; at < bytes.length; ) {
      const lead = bytes[at++]!;
      const length = bytesOfCharacter(lead);
      let codePoint = length === 1 ? lead : lead & (0x7f >> length);
      for (let i = 1; i < length; i++) codePoint = (codePoint << 6) | (bytes[at++]! & 0x3f);
      this.#take(codePoint);
    }
  }

  #take(codePoint: number): void {
    const last = this.#last;
    this.#last = codePoint;
    if (codePoint === byteOrderMark && last === -1) return;
    if (codePoint === lineFeed && last === carriageReturn) return;
    if (codePoint === 0) throw new Error(`${this.#source}: contains a NUL character at character ${this.#count}; it is no plain text`);
    const character = codePoint === carriageReturn ? lineFeed : codePoint;
    let code = this.#codeOf.get(character);
    if (code === undefined) this.#codeOf.set(character, (code = this.#codeOf.size));
    this.#codes[this.#count++] = code;
  }

  finish(): EncodedText {
    this.#utf8.end();
    if (this.#count === 0) throw new Error(`${this.#source}: the text is empty`);
    if (this.#codeOf.size > maxVocabulary) throw new Error(`${this.#source}: ${this.#codeOf.size} different characters; at most ${maxVocabulary} can be learned`);
    const ordered = [...this.#codeOf].sort(([a], [b]) => a - b);
    const place = new Uint8Array(maxVocabulary);
    ordered.forEach(([, code], i) => (place[code] = i));
    const codes = this.#codes.subarray(0, this.#count);
    for (let i = 0; i < codes.length; i++) codes[i] = place[codes[i]!]!;
    return { vocabulary: ordered.map(([character]) => String.fromCodePoint(character)), codes };
  }
}

/**
 * Encodes a text of UTF-8 bytes; a byte order mark is left out, line ends become \n.
 * @throws Error naming `source` and the line and byte that is no UTF-8, an empty text, or one of too many different characters
 */
export function encodeText(bytes: Uint8Array, source: string): EncodedText {
  const encoder = new Encoder(source, bytes.length);
  encoder.add(bytes);
  return encoder.finish();
}

/** A file, as encodeText(); takes no more memory than the codes, a byte a character. @throws Error naming the file */
export async function readText(path: string): Promise<EncodedText> {
  const { size } = await stat(path);
  const encoder = new Encoder(path, size);
  let read = 0;
  for await (const piece of chunksOf(path)) {
    read += piece.length;
    // Codes beyond the end would be lost.
    if (read > size) break;
    encoder.add(piece);
  }
  if (read !== size) throw new Error(`${path} changes while it is read`);
  return encoder.finish();
}
