/** Writes Protocol Buffers' wire format, to build ONNX files that are wrong. */

function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return bytes;
}

/** A field: a varint for a number, a length and bytes for text, bytes and messages. */
export function field(number: number, value: number | bigint | string | Uint8Array): Uint8Array {
  if (typeof value === "number" || typeof value === "bigint") return Uint8Array.from([...varint(number * 8), ...varint(value)]);
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return Buffer.concat([Uint8Array.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
}

export const message = (...fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields);

/** A value of type float with named or fixed sizes. */
export function floatValue(name: string, sizes: readonly (number | string)[], type = 1): Uint8Array {
  const dims = sizes.map((size) => field(1, typeof size === "number" ? field(1, size) : field(2, size)));
  return message(field(1, name), field(2, field(1, message(field(1, type), field(2, message(...dims))))));
}

export function wireNode(operator: string, inputs: readonly string[], outputs: readonly string[], ...more: readonly Uint8Array[]): Uint8Array {
  return message(...inputs.map((name) => field(1, name)), ...outputs.map((name) => field(2, name)), field(3, `the ${operator}`), field(4, operator), ...more);
}

/** An int64 or float tensor. */
export function tensor(name: string, dims: readonly number[], values: readonly number[], type: 1 | 7 = 1): Uint8Array {
  const data = type === 1 ? Float32Array.from(values) : BigInt64Array.from(values.map(BigInt));
  return message(...dims.map((n) => field(1, n)), field(2, type), field(8, name), field(9, new Uint8Array(data.buffer)));
}

export interface WireGraph {
  readonly nodes: readonly Uint8Array[];
  readonly initializers?: readonly Uint8Array[];
  readonly inputs?: readonly Uint8Array[];
  readonly outputs?: readonly Uint8Array[];
  /** Fields of the model beside its graph, such as functions. */
  readonly more?: readonly Uint8Array[];
}

export function graphMessage({ nodes, initializers = [], inputs = [floatValue("x", ["batch", 4])], outputs = [floatValue("y", ["batch", 4])] }: WireGraph): Uint8Array {
  return message(...nodes.map((one) => field(1, one)), ...initializers.map((one) => field(5, one)), ...inputs.map((one) => field(11, one)), ...outputs.map((one) => field(12, one)));
}

/** The bytes of an .onnx file. */
export function onnxBytes(graph: WireGraph): Uint8Array {
  return message(field(1, 9), field(2, "test"), field(7, graphMessage(graph)), field(8, message(field(1, ""), field(2, 20))), ...(graph.more ?? []));
}
