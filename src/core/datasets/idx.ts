/** The idx format of MNIST (http://yann.lecun.com/exdb/mnist/): a magic number, sizes, then bytes. */

export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const unsignedByte = 0x08;

/**
 * Parses an idx array of unsigned bytes without copying its data.
 * @throws Error naming `source` when the header or the length is invalid.
 */
export function parseIdx(bytes: Uint8Array, source: string): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0) throw new Error(`${source}: not an idx file (magic number)`);
  if (bytes[2] !== unsignedByte) throw new Error(`${source}: idx type 0x${bytes[2]!.toString(16)}; only unsigned bytes (0x8) are supported`);
  const rank = bytes[3]!;
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw new Error(`${source}: truncated idx header (${bytes.length} bytes, ${header} needed)`);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = shape.reduce((product, n) => product * n, 1);
  if (bytes.length !== header + size) {
    throw new Error(`${source}: ${bytes.length} bytes, but an idx array of ${shape.join(" x ")} has ${header + size}`);
  }
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, size) };
}
