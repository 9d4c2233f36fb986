/** Encodes arrays as NumPy does (format 1.0). */
export function npy(type: "<f4" | "<f8" | "<i4" | "|u1", shape: readonly number[], values: readonly number[]): Uint8Array {
  const size = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
  const head = `{'descr': '${type}', 'fortran_order': False, 'shape': ${size}, }`;
  const padded = head.padEnd(64 * Math.ceil((head.length + 11) / 64) - 11, " ") + "\n";
  const data = type === "<f4" ? Float32Array.from(values) : type === "<f8" ? Float64Array.from(values) : type === "<i4" ? Int32Array.from(values) : Uint8Array.from(values);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), Uint8Array.of(padded.length & 255, padded.length >> 8), Buffer.from(padded, "latin1"), new Uint8Array(data.buffer)]);
}
