/** A training's state as JSON: everything that later steps depend on, exactly. */
import { z } from "zod";
import { fieldErrors } from "../shared/experiment.ts";
import { tower, type Level } from "../shared/tower.ts";

const format = "hypertower-training";
const version = 1;

/** Row-major values, little-endian; float32 where that is exact. */
const encodedArray = z.strictObject({ dtype: z.enum(["float32", "float64"]), base64: z.base64() });
type EncodedArray = z.infer<typeof encodedArray>;

const schema = z.strictObject({
  format: z.literal(format),
  version: z.literal(version),
  /** Steps completed. */
  step: z.int().min(0),
  /** Levels of the optimizer in the form of an experiment file. */
  tower,
  parameters: z.array(z.strictObject({ name: z.string(), shape: z.array(z.int().min(1)) })),
  /** State by name; the names belong to this version. */
  state: z.record(z.string(), encodedArray),
});

/** Plain JSON: pass it to `JSON.stringify`, and the result of `JSON.parse` to `restore`. */
export type Snapshot = z.infer<typeof schema>;

/** A decoded snapshot. */
export interface TrainingState {
  readonly step: number;
  readonly levels: readonly Level[];
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly state: Readonly<Record<string, Float64Array>>;
}

export function encodeSnapshot({ step, levels, parameters, state }: TrainingState): Snapshot {
  return {
    format,
    version,
    step,
    tower: structuredClone([...levels]),
    parameters: parameters.map(({ name, shape }) => ({ name, shape: [...shape] })),
    state: Object.fromEntries(Object.entries(state).map(([name, values]) => [name, encode(values)])),
  };
}

/** @throws Error saying what is wrong with it, and where */
export function decodeSnapshot(snapshot: unknown): TrainingState {
  const head = z.looseObject({ format: z.literal(format), version: z.number() }).safeParse(snapshot);
  if (!head.success) throw new Error(`restore: this is not a snapshot: its format is not "${format}"`);
  if (head.data.version !== version) throw new Error(`restore: the snapshot has version ${head.data.version}; this Hypertower reads version ${version}`);
  const parsed = schema.safeParse(snapshot);
  if (!parsed.success) {
    const [first] = fieldErrors(parsed.error);
    throw new Error(`restore: the snapshot is damaged: ${first!.path}: ${first!.message}`);
  }
  const { step, tower: levels, parameters, state } = parsed.data;
  return { step, levels, parameters, state: Object.fromEntries(Object.entries(state).map(([name, array]) => [name, decode(name, array)])) };
}

function encode(values: Float64Array): EncodedArray {
  const single = Float32Array.from(values);
  const exact = values.every((value, i) => Object.is(value, single[i]));
  const bytes = new DataView(new ArrayBuffer(values.length * (exact ? 4 : 8)));
  values.forEach((value, i) => (exact ? bytes.setFloat32(4 * i, value, true) : bytes.setFloat64(8 * i, value, true)));
  return { dtype: exact ? "float32" : "float64", base64: Buffer.from(bytes.buffer).toString("base64") };
}

function decode(name: string, { dtype, base64 }: EncodedArray): Float64Array {
  const buffer = Buffer.from(base64, "base64");
  const width = dtype === "float32" ? 4 : 8;
  if (buffer.length % width !== 0) throw new Error(`restore: the snapshot is damaged: state.${name} has ${buffer.length} bytes, not a multiple of ${width}`);
  const bytes = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  return Float64Array.from({ length: buffer.length / width }, (_, i) =>
    dtype === "float32" ? bytes.getFloat32(4 * i, true) : bytes.getFloat64(8 * i, true),
  );
}
