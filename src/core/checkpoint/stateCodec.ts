/**
 * State values as bytes: float32 where that is exact, float64 otherwise. Little-endian, like every
 * supported machine.
 */

export type Dtype = "float32" | "float64";

export const widthOf: Record<Dtype, number> = { float32: 4, float64: 8 };

export function encodeValues(values: Float64Array): { readonly dtype: Dtype; readonly bytes: Buffer } {
  const single = new Float32Array(values);
  // Scalars stay float64: saving four bytes is not worth it.
  const exact = values.length > 1 && values.every((value, i) => Object.is(value, single[i]));
  const { buffer, byteOffset, byteLength } = exact ? single : values;
  return { dtype: exact ? "float32" : "float64", bytes: Buffer.from(buffer, byteOffset, byteLength) };
}

/** @param bytes a whole number of values */
export function decodeValues(dtype: Dtype, bytes: Uint8Array): Float64Array {
  // Copy, because typed arrays need an aligned start.
  const { buffer } = Uint8Array.from(bytes);
  return dtype === "float32" ? new Float64Array(new Float32Array(buffer)) : new Float64Array(buffer);
}
