/** Whether bytes are UTF-8, and where they are not. */
import { isUtf8 } from "node:buffer";
import { chunksOf } from "../chunks.ts";

/** Bytes that the character with this first byte has. */
export const bytesOfCharacter = (lead: number) => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1);

/** Offset of the first byte that does not belong to a whole character. */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const end = at + bytesOfCharacter(bytes[at]!);
    if (end > bytes.length || !isUtf8(bytes.subarray(at, end))) break;
    at = end;
  }
  return at;
}

/** Where the last character begins if its end is missing, else the end. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at >= Math.max(0, bytes.length - 3); at--) {
    if (bytes[at]! >= 0xc0) return at + bytesOfCharacter(bytes[at]!) > bytes.length ? at : bytes.length;
  }
  return bytes.length;
}

const newline = 0x0a;

/** Checks UTF-8 that comes in pieces, cut anywhere, and gives it on cut between characters. */
export class Utf8Pieces {
  readonly #source: string;
  /** Bytes and lines before what is held. */
  #before = 0;
  #line = 1;
  /** The beginning of a character whose end is in the next piece. */
  #held = new Uint8Array(0);
  #joined = new Uint8Array(0);

  constructor(source: string) {
    this.#source = source;
  }

  /**
   * What is given is written over by the next piece.
   * @throws Error naming the source, the line and the byte that is no UTF-8
   */
  add(piece: Uint8Array): Uint8Array {
    const bytes = this.#join(piece);
    const end = wholeCharacters(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole)) this.#refuse(bytes, firstInvalidByte(bytes));
    this.#held = Uint8Array.from(bytes.subarray(end));
    this.#pass(whole);
    return whole;
  }

  #join(piece: Uint8Array): Uint8Array {
    const held = this.#held.length;
    if (held === 0) return piece;
    const length = held + piece.length;
    if (this.#joined.length < length) this.#joined = new Uint8Array(length);
    this.#joined.set(this.#held);
    this.#joined.set(piece, held);
    return this.#joined.subarray(0, length);
  }

  /** @throws Error as add(), when the last character is not whole */
  end(): void {
    if (this.#held.length > 0) this.#refuse(this.#held, 0);
  }

  #pass(bytes: Uint8Array): void {
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) this.#line++;
    this.#before += bytes.length;
  }

  #refuse(bytes: Uint8Array, at: number): never {
    this.#pass(bytes.subarray(0, at));
    throw new Error(`${this.#source}, line ${this.#line}: byte ${this.#before} (0x${bytes[at]!.toString(16)}) is not UTF-8; save it as UTF-8 and import it again`);
  }
}

/**
 * Reads a file through; UTF-16 with its mark at the beginning is left to the reader.
 * @throws Error naming the file, the line and the byte that is no UTF-8
 */
export async function requireUtf8(path: string): Promise<void> {
  const utf8 = new Utf8Pieces(path);
  let first = true;
  for await (const piece of chunksOf(path)) {
    if (first && piece[0] === 0xff && piece[1] === 0xfe) return;
    first = false;
    utf8.add(piece);
  }
  utf8.end();
}
