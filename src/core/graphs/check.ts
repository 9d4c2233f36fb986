/** Compares a network's loss and gradients on a batch with those that another library computed. */
import { storedTypes, type GraphDescription } from "../../shared/models/graph.ts";
import type { EngineKind } from "../../shared/engines.ts";
import type { Engine, InputValue } from "../engines/engine.ts";
import { EngineUnavailable } from "../engines/failures.ts";
import { loadEngine } from "../engines/index.ts";
import { sizeOf, type Node } from "../program/node.ts";
import { gradients } from "../program/gradients.ts";
import { cast, constant, dot, input, logSoftmax, mul, oneHot, reshape, state, sub, transpose } from "../program/operations/index.ts";
import { makeProgram } from "../program/program.ts";
import type { BatchArray } from "./batchFile.ts";
import { buildGraph, constantsOf } from "./build.ts";
import { GraphError } from "./errors.ts";
import { matchedNames, type GradientMatch } from "./matching.ts";
import type { GraphTensors } from "./tensors.ts";
import { floatOf } from "./values.ts";

export interface ComparedNumber {
  readonly ours: number;
  readonly given: number;
  readonly relativeDifference: number;
}

export interface ComparedGradient {
  /** Largest difference, relative to the largest entry of the gradient given. */
  readonly relativeDifference: number;
  readonly largestEntry: number;
  /** The array's name in the file, where it differs. */
  readonly file?: string;
  /** Whether the gradient is 0 up to rounding: the difference is relative to the largest of all gradients. */
  readonly zero?: true;
}

export interface GraphCheck {
  readonly loss: ComparedNumber;
  readonly gradients: Readonly<Record<string, ComparedGradient>>;
  readonly largestRelativeDifference: number;
  /** Gradients of the batch that belong to no array of the file. */
  readonly missing: readonly string[];
  /** Arrays of floats without a gradient in the batch, which count as buffers. */
  readonly buffers: readonly string[];
  /** Whether file and batch hold doubles. */
  readonly double: boolean;
}

const prefix = "grad.";

/** @throws GraphError where this machine lacks the engine, too */
export async function checkGraphOn(kind: EngineKind, description: GraphDescription, tensors: GraphTensors, batch: ReadonlyMap<string, BatchArray>): Promise<GraphCheck> {
  let engine: Engine;
  try {
    engine = await loadEngine[kind]();
  } catch (error) {
    throw error instanceof EngineUnavailable ? new GraphError(error.message) : error;
  }
  return checkGraph(description, tensors, batch, engine);
}

export async function checkGraph(description: GraphDescription, tensors: GraphTensors, batch: ReadonlyMap<string, BatchArray>, engine: Engine, threads = 1): Promise<GraphCheck> {
  const need = (name: string): BatchArray => {
    const found = batch.get(name);
    if (!found) throw new GraphError(`the batch has no array "${name}"; it must have x, y, loss and grad.NAME for every parameter (it has ${[...batch.keys()].slice(0, 8).join(", ")})`);
    return found;
  };
  const [x, y, loss] = [need("x"), need("y"), need("loss")];
  const given = new Map([...batch].filter(([name]) => name.startsWith(prefix)).map(([name, array]) => [name.slice(prefix.length), array]));
  const floats = description.initializers.filter(({ role, dtype }) => storedTypes[dtype].kind === "float" && role !== "statistics");
  const trained = floats.filter(({ role, name }) => role === "parameter" || given.has(name));
  const typed: GraphDescription = { ...description, initializers: description.initializers.map((one) => (given.has(one.name) && storedTypes[one.dtype].kind === "float" ? { ...one, role: "parameter" } : one)) };

  const nodes = new Map(typed.initializers.filter(({ role }) => role === "parameter").map(({ name, shape }) => [name, state(name, shape)]));
  const statistics = new Map(typed.initializers.filter(({ role }) => role === "statistics").map(({ name, shape }) => [name, state(name, shape)]));
  const { dtype } = typed.inputs.find(({ name }) => name === typed.input.name)!;
  const isFloat = storedTypes[dtype].kind === "float";
  requireFit(typed, x);
  const built = buildGraph(typed, constantsOf(typed, tensors), input("x", x.shape, isFloat ? "float" : "int32"), { training: true, parameters: nodes, statistics, dropout: (_, value) => value });
  const total = lossOf(floatOf(built.output), y);
  const slots = [...nodes.keys()];
  const slopes = gradients(total, [...nodes.values()]);
  const program = makeProgram({ check: { outputs: { loss: total }, updates: Object.fromEntries(slots.map((name, i) => [`${prefix}${name}`, cast(slopes[i]!, "float")])) } });

  const executable = await engine.compile(program, { threads });
  try {
    const declared = new Set(program.state.map(({ name }) => name));
    executable.restore(Object.fromEntries([...nodes.keys(), ...statistics.keys()].filter((name) => declared.has(name)).map((name) => [name, Float64Array.from(tensors.get(name)!.data)])));
    const single = engine.describe({ threads }).precision === "float32";
    const inputs: Record<string, InputValue> = { x: isFloat ? (single ? Float32Array.from(x.data) : x.data) : Int32Array.from(x.data), y: y.kind === "float" ? (single ? Float32Array.from(y.data) : y.data) : Int32Array.from(y.data) };
    const outputs = await executable.run("check", inputs);
    const computed = await executable.state(slots.map((name) => `${prefix}${name}`));
    const ours = new Map(slots.map((name) => [name, computed[`${prefix}${name}`]!]));
    const shapes = new Map(trained.map(({ name, shape }) => [name, shape]));
    return compared({ tied: typed.tied ?? {}, loss: outputs["loss"]!, given: loss, ours, shapes, gradients: given, double: loss.double && (x.double || !isFloat) && typed.initializers.some(({ role, dtype: type }) => role === "parameter" && type === "float64") });
  } finally {
    await executable.dispose();
  }
}

function requireFit({ inputs, input: { name } }: GraphDescription, x: BatchArray): void {
  const { shape } = inputs.find((one) => one.name === name)!;
  if (shape.length !== x.shape.length || shape.some((size, axis) => typeof size === "number" && size !== x.shape[axis])) {
    throw new GraphError(`x has the shape [${x.shape.join(", ")}], and the network's input "${name}" takes [${shape.map((size) => (size === "" ? "any" : size)).join(", ")}]; give a batch of that shape`);
  }
}

/** Mean cross-entropy of the output as logits; mean squared error for targets that are floats. */
function lossOf(output: Node, y: BatchArray): Node {
  if (y.kind === "float") {
    if (sizeOf(output.shape) !== y.data.length) throw new GraphError(`y has ${y.data.length} floats, and the output has the shape [${output.shape.join(", ")}]; targets that are floats must be as many as the output's values`);
    const errors = sub(reshape(output, [y.data.length]), input("y", [y.data.length]));
    return mul(constant(1 / y.data.length), dot(errors, errors));
  }
  const logits = classesLast(output, y.shape);
  const count = y.data.length;
  const classes = logits.shape.at(-1)!;
  const counted = y.data.filter((value) => value >= 0).length;
  const outside = y.data.find((value) => value >= classes || (value < 0 && value !== -100));
  if (outside !== undefined) throw new GraphError(`y has the class ${outside}, and the output has ${classes} classes; allowed: 0 to ${classes - 1}, and -100 for positions that do not count`);
  // A class of -100 has no entry of 1, as cross_entropy's ignore_index has it.
  const hot = cast(oneHot(input("y", [count], "int32"), classes), "float");
  return mul(constant(-1 / counted), dot(logSoftmax(reshape(logits, [count, classes])), hot));
}

/** The output with the classes on the last axis: they are there, or on axis 1 as PyTorch has them. */
function classesLast(output: Node, targets: readonly number[]): Node {
  const same = (a: readonly number[]) => a.length === targets.length && a.every((n, axis) => n === targets[axis]);
  const { shape } = output;
  const axes = shape.map((_, axis) => axis);
  if (same(shape.slice(0, -1))) return output;
  if (shape.length > 2 && same([shape[0]!, ...shape.slice(2)])) return transpose(output, [0, ...axes.slice(2), 1]);
  if (sizeOf(shape.slice(0, -1)) === sizeOf(targets)) return output;
  throw new GraphError(`y has the shape [${targets.join(", ")}], and the output [${shape.join(", ")}]; one class for every row of logits is needed: y of the shape [${shape.slice(0, -1).join(", ")}]`);
}

interface Results {
  readonly loss: number;
  readonly given: BatchArray;
  readonly ours: ReadonlyMap<string, Float64Array>;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly gradients: ReadonlyMap<string, BatchArray>;
  readonly double: boolean;
  readonly tied: Readonly<Record<string, string>>;
}

const largest = (values: Float64Array) => values.reduce((max, value) => (Math.abs(value) > max || Number.isNaN(value) ? Math.abs(value) : max), 0);

function compared({ loss, given, ours, shapes, gradients: theirs, double, tied }: Results): GraphCheck {
  const reference = given.data[0] ?? Number.NaN;
  const { matches, missing, unmatched } = matchedNames(ours, shapes, theirs, tied);
  const all = Math.max(0, ...matches.map(({ given: array }) => largest(array)));
  const negligible = all * (double ? 1e-11 : 1e-5);
  const entry = ({ file, name, ours: a, given: b }: GradientMatch): ComparedGradient => {
    const scale = largest(b);
    const zero = scale <= negligible && largest(a) <= all * 1e-5;
    const difference = largest(a.map((value, i) => value - b[i]!));
    return { relativeDifference: relative(difference, zero ? all : scale), largestEntry: scale, ...(file === name ? {} : { file }), ...(zero ? { zero: true } : {}) };
  };
  const entries = Object.fromEntries(matches.map((match) => [match.name, entry(match)]));
  const lossEntry = { ours: loss, given: reference, relativeDifference: relative(Math.abs(loss - reference), Math.abs(reference)) };
  const worst = [lossEntry, ...Object.values(entries)].reduce((max, { relativeDifference }) => (relativeDifference > max || Number.isNaN(relativeDifference) ? relativeDifference : max), 0);
  return { loss: lossEntry, gradients: entries, largestRelativeDifference: worst, missing, buffers: unmatched, double };
}

const relative = (difference: number, scale: number) => (difference === 0 ? 0 : scale === 0 ? Infinity : difference / scale);
