/** Whether bytes are UTF-8, and where they are not. */
import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";

/** Bytes of the character that begins at `at`; 0 where none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/** Offset of the first byte that is no UTF-8. */
export function firstInvalidByte(bytes: Uint8Array): number {
  let at = 0;
  for (let length = 1; at < bytes.length && length > 0; at += length) length = characterLength(bytes, at);
  return at;
}

export const notUtf8 = (at: number, byte: number) => `byte ${at} (0x${byte.toString(16)}) is not UTF-8; save it as UTF-8 and import it again`;

const newline = 0x0a;

/**
 * Reads a file through, piece by piece; UTF-16 with its mark at the beginning is left to the reader.
 * @throws Error naming the file, the line and the byte that is no UTF-8
 */
export async function requireUtf8(path: string): Promise<void> {
  let [before, line] = [0, 1];
  let held: Buffer = Buffer.alloc(0);
  const refuse = (at: number, bytes: Buffer) => {
    for (let i = 0; i < at; i++) if (bytes[i] === newline) line++;
    throw new Error(`${path}, line ${line}: ${notUtf8(before + at, bytes[at]!)}`);
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([held, chunk]);
    if (before === 0 && bytes[0] === 0xff && bytes[1] === 0xfe) return;
    let end = bytes.length;
    if (!isUtf8(bytes)) {
      const at = firstInvalidByte(bytes);
      // A character may be cut in two by the end of a piece.
      if (bytes.length - at >= 4) refuse(at, bytes);
      end = at;
    }
    for (let i = 0; i < end; i++) if (bytes[i] === newline) line++;
    before += end;
    held = bytes.subarray(end);
  }
  if (held.length > 0) refuse(0, held);
}
