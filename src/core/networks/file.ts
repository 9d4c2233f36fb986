/**
 * A file of an imported network: its description and the values of its arrays. The SHA-256 of the file is the network's
 * name everywhere.
 *
 * Eight bytes of magic, the description's length (uint32, little-endian), four bytes of zeros, the description as JSON
 * padded with spaces to a multiple of 8 bytes, and the values by `weightsLayout`, little-endian.
 */
import { createHash } from "node:crypto";
import { graphDescription, storedTypes, weightsLayout, type GraphDescription } from "../../shared/models/graph.ts";
import { fieldErrors } from "../../shared/experiment.ts";
import type { GraphTensor, GraphTensors } from "../graphs/tensors.ts";

/** A network's file that cannot be used; the message says why. */
export class NetworkError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "NetworkError";
  }
}

export interface Network {
  readonly description: GraphDescription;
  readonly tensors: GraphTensors;
}

const magic = "HYPTNETW";
const prefixLength = 16;

/** Maximum size of a network's file. */
export const maxNetworkBytes = 2 ** 31 - 1;
/** Maximum size of the description in it. */
const maxDescriptionBytes = 256 << 20;

/** SHA-256, hexadecimal. */
export const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** The same network always gives the same bytes. */
export function encodeNetwork({ description, tensors }: Network): Buffer {
  const text = Buffer.from(JSON.stringify(description, (_, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value)));
  const start = padded(prefixLength + text.length);
  const { offsets, bytes } = weightsLayout(description.initializers);
  const file = Buffer.alloc(start + bytes);
  file.write(magic, "latin1");
  file.writeUInt32LE(text.length, magic.length);
  text.copy(file, prefixLength);
  file.fill(" ", prefixLength + text.length, start);
  description.initializers.forEach(({ name, dtype }, i) => {
    const values = tensors.get(name);
    if (!values) throw new Error(`the network has no values of ${name}`);
    const width = storedTypes[dtype].bytes;
    const stored = width === 4 ? Float32Array.from(values.data) : Float64Array.from(values.data);
    Buffer.from(stored.buffer).copy(file, start + offsets[i]!);
  });
  return file;
}

const padded = (length: number) => 8 * Math.ceil(length / 8);

/** @throws NetworkError saying what is wrong with the file */
export function decodeNetwork(file: Uint8Array): Network {
  const { description, start } = decodeDescription(file, file.length);
  const { offsets } = weightsLayout(description.initializers);
  const tensors = new Map<string, GraphTensor>();
  description.initializers.forEach(({ name, dtype, shape }, i) => {
    const length = shape.reduce((product, n) => product * n, 1);
    const from = start + offsets[i]!;
    const { bytes } = storedTypes[dtype];
    // Copied, because typed arrays need an aligned start.
    const { buffer } = Uint8Array.from(file.subarray(from, from + length * bytes));
    if (tensors.has(name)) throw new NetworkError(`two of its arrays are named ${name}`);
    tensors.set(name, { dtype, shape, data: bytes === 4 ? new Float32Array(buffer) : new Float64Array(buffer) });
  });
  return { description, tensors };
}

/** @param size size of the whole file, whose beginning is given */
export function decodeDescription(file: Uint8Array, size: number): { readonly description: GraphDescription; readonly start: number } {
  const head = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (head.length < prefixLength || head.toString("latin1", 0, magic.length) !== magic) throw new NetworkError("it is not a network's file of Hypertower");
  const length = head.readUInt32LE(magic.length);
  if (length > maxDescriptionBytes || prefixLength + length > head.length) throw new NetworkError("it is damaged: it ends too early");
  let read: unknown;
  try {
    read = JSON.parse(head.toString("utf8", prefixLength, prefixLength + length));
  } catch (error) {
    throw new NetworkError("it is damaged: its description cannot be read", { cause: error });
  }
  const parsed = graphDescription.safeParse(read);
  if (!parsed.success) {
    const [first] = fieldErrors(parsed.error);
    throw new NetworkError(`it is damaged or written by another version of Hypertower: ${first!.path}: ${first!.message}`);
  }
  const start = padded(prefixLength + length);
  const { bytes } = weightsLayout(parsed.data.initializers);
  if (start + bytes !== size) throw new NetworkError(`it is damaged: it has ${size} bytes instead of ${start + bytes}`);
  return { description: parsed.data, start };
}
