/** Encodes plain text: one code per character. */
import { stat } from "node:fs/promises";
import { chunksOf } from "../chunks.ts";
import type { Codes } from "../dataset.ts";
import { byteCounter, type OnProgress } from "../progress.ts";
import { requireReadable } from "./packed.ts";
import { bytesOfCharacter, Utf8Pieces } from "./utf8.ts";

export interface EncodedText {
  /** The distinct characters (Unicode code points), in order of code point; a character's index is its code. */
  readonly vocabulary: readonly string[];
  readonly codes: Codes;
}

/** Texts in Latin scripts have about 100 distinct characters, those in Chinese several thousand. */
const maxVocabulary = 65_536;
/** Number of codes that fit into a byte. */
const byteCodes = 256;

const [lineFeed, carriageReturn, byteOrderMark] = [0x0a, 0x0d, 0xfeff];

/**
 * Encodes chunks of UTF-8 directly from their bytes, without a string of the text: only the codes are
 * stored. Characters are numbered as they appear, and renumbered by code point at the end.
 */
export class TextEncoding {
  readonly #source: string;
  readonly #utf8: Utf8Pieces;
  /** As long as the file has bytes: a character takes at least one. */
  #codes: Codes;
  readonly #codeOf = new Map<number, number>();
  #count = 0;
  #last = -1;

  constructor(source: string, bytes: number) {
    this.#source = source;
    this.#utf8 = new Utf8Pieces(source);
    this.#codes = new Uint8Array(bytes);
  }

  /** Number of characters so far. */
  get count(): number {
    return this.#count;
  }

  /** Ends a part: the next one may begin with a byte order mark. @throws Error where its last character is incomplete */
  endPart(): void {
    this.#utf8.end();
    this.#last = -1;
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
    if (codePoint === 0) throw new Error(`${this.#source}: contains a NUL character at character ${this.#count}; it is not plain text`);
    const character = codePoint === carriageReturn ? lineFeed : codePoint;
    let code = this.#codeOf.get(character);
    if (code === undefined) code = this.#add(character);
    this.#codes[this.#count++] = code;
  }

  #add(character: number): number {
    const code = this.#codeOf.size;
    if (code === maxVocabulary) throw new Error(`${this.#source}: more than ${maxVocabulary} different characters; read it as bytes instead`);
    if (code === byteCodes) {
      const wider = new Uint16Array(this.#codes.length);
      wider.set(this.#codes.subarray(0, this.#count));
      this.#codes = wider;
    }
    this.#codeOf.set(character, code);
    return code;
  }

  finish(): EncodedText {
    this.#utf8.end();
    if (this.#count === 0) throw new Error(`${this.#source}: the text is empty`);
    const ordered = [...this.#codeOf].sort(([a], [b]) => a - b);
    const newCode = new Uint16Array(ordered.length);
    ordered.forEach(([, code], i) => (newCode[code] = i));
    const codes = this.#codes.subarray(0, this.#count);
    for (let i = 0; i < codes.length; i++) codes[i] = newCode[codes[i]!]!;
    return { vocabulary: ordered.map(([character]) => String.fromCodePoint(character)), codes };
  }
}

/**
 * Encodes UTF-8 text; drops a byte order mark and turns line ends into \n.
 * @throws Error naming `source`, and the line and byte that is not UTF-8; also for an empty text, or too many different characters
 */
export function encodeText(bytes: Uint8Array, source: string): EncodedText {
  const encoder = new TextEncoding(source, bytes.length);
  encoder.add(bytes);
  return encoder.finish();
}

/** Encodes a file as encodeText() does; needs one byte of memory per byte of the file, three beyond 256 different characters. @throws Error naming the file */
export async function readText(path: string, onProgress?: OnProgress): Promise<EncodedText> {
  const { size } = await stat(path);
  requireReadable(path, size);
  const count = byteCounter(size, 1, onProgress);
  const encoder = new TextEncoding(path, size);
  let read = 0;
  for await (const piece of chunksOf(path)) {
    read += piece.length;
    // The file has grown: its codes would not fit.
    if (read > size) break;
    encoder.add(piece);
    count(piece.length);
  }
  if (read !== size) throw new Error(`${path} changed while it was read; read it again`);
  return encoder.finish();
}
