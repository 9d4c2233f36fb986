/** One operator of ONNX as a model: computed by ONNX Runtime, and as an imported network by the reference engine. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { referenceEngine } from "../../src/core/engines/reference/engine.ts";
import { buildGraph, constantsOf } from "../../src/core/graphs/build.ts";
import { readGraph } from "../../src/core/graphs/describe.ts";
import { placeholders } from "../../src/core/graphs/placeholders.ts";
import { floatOf } from "../../src/core/graphs/values.ts";
import { cast, input } from "../../src/core/program/operations/index.ts";
import { makeProgram } from "../../src/core/program/program.ts";
import { field, floatValue, message, onnxBytes, wireNode } from "./wire.ts";

const types = { float: 1, int32: 6, int64: 7, bool: 9 } as const;
type Type = keyof typeof types;
export type TestAttribute = number | string | readonly number[] | { readonly float: number };

export interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** float by default. */
  readonly type?: Type;
}

export interface OperatorCase {
  readonly operator: string;
  /** The first input; the others are arrays of the file. */
  readonly x: Values;
  readonly others?: readonly (Values | null)[];
  readonly attributes?: Readonly<Record<string, TestAttribute>>;
  /** The output to compare; the first by default. */
  readonly output?: number;
  readonly outputs?: number;
  readonly outputType?: Type;
}

/** Values in [-1, 1) that look random, the same every time. */
export function noise(shape: readonly number[], seed = 1): Values {
  let state = seed * 7919 + 17;
  const next = () => ((state = (state * 16_807) % 2_147_483_647) / 2_147_483_647) * 2 - 1;
  return { shape, values: Array.from({ length: shape.reduce((product, n) => product * n, 1) }, next) };
}

export const ints = (values: readonly number[], shape: readonly number[] = [values.length]): Values => ({ shape, values, type: "int64" });

const stored = (type: Type, values: readonly number[]) => (type === "float" ? Float32Array.from(values) : type === "int64" ? BigInt64Array.from(values.map(BigInt)) : type === "int32" ? Int32Array.from(values) : Uint8Array.from(values));

function tensorOf(name: string, { shape, values, type = "float" }: Values): Uint8Array {
  return message(...shape.map((n) => field(1, n)), field(2, types[type]), field(8, name), field(9, new Uint8Array(stored(type, values).buffer)));
}

/** A message's floats are four bytes each, which wire.ts has no need for otherwise. */
const float = (number: number, value: number) => Buffer.concat([Uint8Array.of(number * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)]);

function attributeOf(name: string, value: TestAttribute): Uint8Array {
  if (typeof value === "number") return message(field(1, name), field(3, BigInt(value)), field(20, 2));
  if (typeof value === "string") return message(field(1, name), field(4, value), field(20, 3));
  if ("float" in value) return message(field(1, name), float(2, value.float), field(20, 1));
  return message(field(1, name), ...value.map((one) => field(8, BigInt(one))), field(20, 7));
}

export async function bothResults({ operator, x, others = [], attributes = {}, output = 0, outputs = 1, outputType = "float" }: OperatorCase): Promise<{ runtime: number[]; ours: number[]; shape: readonly number[]; ourShape: readonly number[] }> {
  const names = others.map((one, i) => (one ? `w${i}` : ""));
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const bytes = onnxBytes({
    nodes: [wireNode(operator, ["x", ...names], results, ...Object.entries(attributes).map(([name, value]) => field(5, attributeOf(name, value))))],
    initializers: others.flatMap((one, i) => (one ? [tensorOf(`w${i}`, one)] : [])),
    inputs: [floatValue("x", x.shape, types[x.type ?? "float"])],
    outputs: [message(field(1, `y${output}`), field(2, field(1, field(1, types[outputType]))))],
  });
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: "disabled" });
  const fed = x.type === "bool" ? Uint8Array.from(x.values) : stored(x.type ?? "float", x.values);
  const run = await session.run({ x: new Tensor((x.type ?? "float") === "float" ? "float32" : (x.type as "int64"), fed as Float32Array, [...x.shape]) });
  const result = run[`y${output}`]!;

  const { description, tensors } = readGraph(bytes, { folder: null });
  const given = input("x", x.shape, (x.type ?? "float") === "float" ? "float" : "int32");
  const parameters = placeholders(description, "parameter");
  const statistics = placeholders(description, "statistics");
  const built = buildGraph(description, constantsOf(description, tensors), given, { training: false, parameters, statistics, dropout: (_, node) => node });
  const node = cast(floatOf(built.output), "float");
  const program = makeProgram({ run: { outputs: {}, updates: { y: node } } }, [{ name: "y", shape: node.shape }]);
  const executable = await referenceEngine.compile(program, { threads: 1 });
  const declared = new Set(program.state.map(({ name }) => name));
  executable.restore(Object.fromEntries([...parameters.keys(), ...statistics.keys()].filter((name) => declared.has(name)).map((name) => [name, Float64Array.from(tensors.get(name)!.data)])));
  await executable.run("run", { x: Float64Array.from(x.values) });
  const { y } = await executable.state(["y"]);
  return { runtime: Array.from(result.data as ArrayLike<number | bigint>, Number), ours: [...y!], shape: result.dims, ourShape: node.shape };
}

