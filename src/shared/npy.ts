/** Values of NumPy's array files (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */

export const npyMagic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

export interface NpyType {
  /** Bytes of a value. */
  readonly size: number;
  readonly into: "byte" | "int" | "float";
  read(view: DataView, at: number, little: boolean): number;
}

/** NumPy types by code, without the order of their bytes. */
export const npyTypes: Readonly<Record<string, NpyType>> = {
  u1: { size: 1, into: "byte", read: (v, at) => v.getUint8(at) },
  b1: { size: 1, into: "byte", read: (v, at) => v.getUint8(at) },
  i1: { size: 1, into: "int", read: (v, at) => v.getInt8(at) },
  u2: { size: 2, into: "int", read: (v, at, little) => v.getUint16(at, little) },
  i2: { size: 2, into: "int", read: (v, at, little) => v.getInt16(at, little) },
  i4: { size: 4, into: "int", read: (v, at, little) => v.getInt32(at, little) },
  u4: { size: 4, into: "int", read: (v, at, little) => v.getUint32(at, little) },
  i8: { size: 8, into: "int", read: (v, at, little) => Number(v.getBigInt64(at, little)) },
  u8: { size: 8, into: "int", read: (v, at, little) => Number(v.getBigUint64(at, little)) },
  f2: { size: 2, into: "float", read: (v, at, little) => halfOf(v.getUint16(at, little)) },
  f4: { size: 4, into: "float", read: (v, at, little) => v.getFloat32(at, little) },
  f8: { size: 8, into: "float", read: (v, at, little) => v.getFloat64(at, little) },
};

/** Value of an IEEE 754 half-precision number. */
function halfOf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 0x1f, bits & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Row-major order of values that are stored with the first axis innermost. */
export function fromFortran<A extends Uint8Array | Float64Array | Float32Array | Int32Array | readonly string[]>(data: A, shape: readonly number[], into: (length: number) => A): A {
  const result = into(data.length) as { [at: number]: unknown };
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, n) => product * n, 1));
  const position = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    result[to] = data[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis]!++;
      from += strides[axis]!;
      if (position[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      position[axis] = 0;
    }
  }
  return result as unknown as A;
}
