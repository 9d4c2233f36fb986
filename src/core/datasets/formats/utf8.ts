/** Checks that bytes are UTF-8, and locates the first byte that is not. */
import { isUtf8 } from "node:buffer";
import { chunksOf } from "../chunks.ts";

/** Length in bytes of the character with this first byte. */
export const bytesOfCharacter = (lead: number) => (lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1);

/** Offset of the first byte that is not part of a complete character. */
function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const end = at + bytesOfCharacter(bytes[at]!);
    if (end > bytes.length || !isUtf8(bytes.subarray(at, end))) break;
    at = end;
  }
  return at;
}

/** Number of bytes up to an incomplete last character; all bytes where the last character is complete. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at >= Math.max(0, bytes.length - 3); at--) {
    if (bytes[at]! >= 0xc0) return at + bytesOfCharacter(bytes[at]!) > bytes.length ? at : bytes.length;
  }
  return bytes.length;
}

const newline = 0x0a;

/** Checks chunks of UTF-8 that may be cut anywhere, and returns them cut between characters. */
export class Utf8Pieces {
  readonly #source: string;
  /** Byte offset and line number at the end of the last returned chunk. */
  #before = 0;
  #line = 1;
  /** Beginning of a character that ends in the next chunk. */
  #incomplete = new Uint8Array(0);
  #joined = new Uint8Array(0);

  constructor(source: string) {
    this.#source = source;
  }

  /**
   * Returns the complete characters; the next call may overwrite the returned bytes.
   * @throws Error naming the source, the line and the byte that is not UTF-8
   */
  add(piece: Uint8Array): Uint8Array {
    const bytes = this.#join(piece);
    const end = wholeCharacters(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole)) this.#refuse(bytes, firstInvalidByte(bytes));
    this.#incomplete = Uint8Array.from(bytes.subarray(end));
    this.#advance(whole);
    return whole;
  }

  #join(piece: Uint8Array): Uint8Array {
    const kept = this.#incomplete.length;
    if (kept === 0) return piece;
    const length = kept + piece.length;
    if (this.#joined.length < length) this.#joined = new Uint8Array(length);
    this.#joined.set(this.#incomplete);
    this.#joined.set(piece, kept);
    return this.#joined.subarray(0, length);
  }

  /** @throws Error as add() does, when the last character is incomplete */
  end(): void {
    if (this.#incomplete.length > 0) this.#refuse(this.#incomplete, 0);
  }

  #advance(bytes: Uint8Array): void {
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) this.#line++;
    this.#before += bytes.length;
  }

  #refuse(bytes: Uint8Array, at: number): never {
    this.#advance(bytes.subarray(0, at));
    throw new Error(`${this.#source}, line ${this.#line}: byte ${this.#before} (0x${bytes[at]!.toString(16)}) is not UTF-8; save it as UTF-8 and import it again`);
  }
}

/**
 * Checks that a whole file is UTF-8. UTF-16 with a byte order mark is not checked: the parser decodes it.
 * @param onRead called with the number of bytes of each chunk
 * @throws Error naming the file, the line and the byte that is not UTF-8
 */
export async function requireUtf8(path: string, onRead?: (bytes: number) => void): Promise<void> {
  const utf8 = new Utf8Pieces(path);
  let first = true;
  for await (const piece of chunksOf(path)) {
    if (first && piece[0] === 0xff && piece[1] === 0xfe) return;
    first = false;
    utf8.add(piece);
    onRead?.(piece.length);
  }
  utf8.end();
}
