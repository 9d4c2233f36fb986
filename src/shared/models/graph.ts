/**
 * An imported network as data: what an ONNX file says, without the values of its arrays.
 *
 * Weights are addressed by the names of `initializers`. In a store they are one file beside the
 * description: the values of every initializer in the order of `initializers`, row-major and
 * little-endian float32 or float64 (see `storedTypes`), each beginning at a multiple of 8 bytes. `weightsLayout`
 * gives the offsets.
 */
import { z } from "zod";

/** Bounds of what an imported file may hold. */
export const graphLimits = {
  nodes: 100_000,
  initializers: 50_000,
  /** Axes of an array. */
  rank: 8,
  /** Values of all initializers together. */
  values: 2 ** 29,
  /** Values in the attributes of one node. */
  attributeValues: 2 ** 20,
  /** Levels of graphs inside nodes (If, Loop, Scan). */
  depth: 8,
  /** Characters of a name. */
  name: 4096,
} as const;

const name = z.string().max(graphLimits.name);
/** The name of a value; "" where an optional input or output is left out. */
const valueName = name;
const whole = z.number().int().nonnegative();

/** Values are stored as floating-point numbers of 4 or 8 bytes, whichever holds every value of the type; integers beyond 2^53 are rounded. */
export const storedTypes = {
  float16: { bytes: 4, kind: "float" },
  bfloat16: { bytes: 4, kind: "float" },
  float32: { bytes: 4, kind: "float" },
  float64: { bytes: 8, kind: "float" },
  int8: { bytes: 4, kind: "int" },
  uint8: { bytes: 4, kind: "int" },
  int16: { bytes: 4, kind: "int" },
  uint16: { bytes: 4, kind: "int" },
  int32: { bytes: 8, kind: "int" },
  uint32: { bytes: 8, kind: "int" },
  int64: { bytes: 8, kind: "int" },
  uint64: { bytes: 8, kind: "int" },
  bool: { bytes: 4, kind: "bool" },
} as const;

export type GraphDType = keyof typeof storedTypes;
export type GraphKind = (typeof storedTypes)[GraphDType]["kind"];

const dtype = z.enum(Object.keys(storedTypes) as [GraphDType, ...GraphDType[]]);

/** A size, or the name of a size that the file leaves open. */
const size = z.union([whole.max(2 ** 31 - 1), z.string().max(256)]);

const value = z.strictObject({ name, dtype, shape: z.array(size).max(graphLimits.rank) });

/**
 * - `parameter`: trained
 * - `statistics`: running mean or variance of a batch normalization
 * - `buffer`: floats that are not trained, such as a mask or a position table
 * - `constant`: integers, booleans, and the numbers that the graph calculates with
 */
export const initializerRoles = ["parameter", "statistics", "buffer", "constant"] as const;
export type InitializerRole = (typeof initializerRoles)[number];

const initializer = z.strictObject({ name, dtype, shape: z.array(whole).max(graphLimits.rank), role: z.enum(initializerRoles) });

interface GraphBody {
  inputs: GraphValue[];
  outputs: GraphValue[];
  initializers: GraphInitializer[];
  nodes: GraphNode[];
}

export type GraphAttribute =
  | { kind: "int" | "float"; value: number }
  | { kind: "text"; value: string }
  | { kind: "ints" | "floats"; value: number[] }
  | { kind: "texts"; value: string[] }
  /** The body of an If, Loop or Scan; the values of its initializers are those of the outer graph, under the same names. */
  | { kind: "graph"; value: GraphBody };

export interface GraphNode {
  /** The exporter's name of the node, such as `/conv1/Conv`; shown in summaries and errors. */
  name: string;
  /** Path of the module that the node belongs to, such as `layers.0.attention`; "" where the file does not tell. */
  module: string;
  operator: string;
  /** "" for ONNX's own operators. */
  domain: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, GraphAttribute>;
}

const number = z.union([z.number(), z.literal(["Infinity", "-Infinity", "NaN"])]).transform(Number);

const attribute: z.ZodType<GraphAttribute> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("int"), value: z.number() }),
    z.strictObject({ kind: z.literal("float"), value: number }),
    z.strictObject({ kind: z.literal("text"), value: z.string().max(2 ** 16) }),
    z.strictObject({ kind: z.literal("ints"), value: z.array(z.number()).max(graphLimits.attributeValues) }),
    z.strictObject({ kind: z.literal("floats"), value: z.array(number).max(graphLimits.attributeValues) }),
    z.strictObject({ kind: z.literal("texts"), value: z.array(z.string().max(2 ** 16)).max(4096) }),
    z.strictObject({ kind: z.literal("graph"), value: z.strictObject(body) }),
  ]),
) as unknown as z.ZodType<GraphAttribute>;

const node = z.strictObject({
  name,
  module: name,
  operator: z.string().min(1).max(256),
  domain: z.string().max(256),
  inputs: z.array(valueName).max(65_536),
  outputs: z.array(valueName).max(65_536),
  attributes: z.record(z.string().max(256), attribute),
});

const body = {
  inputs: z.array(value).max(64),
  outputs: z.array(value).max(64),
  initializers: z.array(initializer).max(graphLimits.initializers),
  nodes: z.array(node).max(graphLimits.nodes),
};

/**
 * What the output means:
 * - `logits`, `logProbabilities`, `probabilities`: of the classes, on the last axis
 * - `quantity`: a predicted number
 * - `nextSymbols`: logits of the next symbol, for every position
 */
export const outputMeanings = ["logits", "logProbabilities", "probabilities", "quantity", "nextSymbols"] as const;
export type OutputMeaning = (typeof outputMeanings)[number];

/** What an input beside the examples holds: nothing of the data, only its shape. */
export const fillings = ["ones", "zeros", "positions"] as const;
export type Filling = (typeof fillings)[number];

export const filledInput = z.strictObject({ name, with: z.enum(fillings) });

export const graphDescription = z.strictObject({
  format: z.literal(1),
  producer: z.strictObject({ name: z.string().max(256), version: z.string().max(256) }),
  /** Version of ONNX's own operators. */
  opset: whole,
  ...body,
  /** The input that takes the examples; every other input is filled in or has an initializer. */
  input: z.strictObject({
    name,
    /** Position of the examples' axis; 1 for sequences step by step. */
    batchAxis: whole.max(graphLimits.rank),
    /** The batch size that the file is fixed to; null where any size works. */
    batch: whole.min(1).nullable(),
    /** The batch size that the file was fixed to, where its nodes were rebuilt for any. */
    rebuilt: whole.min(1).optional(),
  }),
  /** Inputs that nodes of the graph make from the shape of the examples. */
  filled: z.array(filledInput).max(64).optional(),
  /** Parameters' names by the other names that they have in the library that the network came from. */
  tied: z.record(name, name).optional(),
  /** The output that is trained. */
  output: z.strictObject({ name, meaning: z.enum(outputMeanings) }),
});

export type GraphValue = z.output<typeof value>;
export type GraphInitializer = z.output<typeof initializer>;
export type GraphDescription = z.output<typeof graphDescription>;

/** Where each initializer's values are in the weights file, in bytes. */
export function weightsLayout(initializers: readonly GraphInitializer[]): { readonly offsets: readonly number[]; readonly bytes: number } {
  const offsets: number[] = [];
  let bytes = 0;
  for (const { dtype, shape } of initializers) {
    offsets.push(bytes);
    const size = shape.reduce((product, n) => product * n, 1) * storedTypes[dtype].bytes;
    bytes += 8 * Math.ceil(size / 8);
  }
  return { offsets, bytes };
}
