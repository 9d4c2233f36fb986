/** One procedure of a program as an ONNX Runtime session plus the scalar work around it. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import { sizeOf, type Node } from "../../program/node.ts";
import { nodesOf, type Procedure } from "../../program/program.ts";
import { checkedInput, type InputValue } from "../engine.ts";
import { GraphWriter, lower, onnxShape, onnxTypeOf } from "./lowering.ts";
import { encodeModel, type OnnxGraph, type OnnxValue } from "./model.ts";
import { partition } from "./partition.ts";
import { ScalarMachine } from "./scalarMachine.ts";

/** State as the engine keeps it: arrays as float32 tensors, scalars as numbers. */
export interface EngineState {
  readonly arrays: Map<string, Tensor>;
  readonly scalars: Map<string, number>;
}

const toDeviceName = "host";
const toHostName = "results";

interface ScalarBinding {
  readonly name: string;
  readonly register: number;
}

export class OnnxProcedure {
  readonly #name: string;
  readonly #procedure: Procedure;
  readonly #session: InferenceSession | null;
  readonly #machine = new ScalarMachine();
  readonly #before: () => void;
  readonly #after: () => void;
  readonly #scalarInputs: ScalarBinding[];
  readonly #scalarState: ScalarBinding[];
  readonly #scalarOutputs: ScalarBinding[];
  readonly #scalarUpdates: ScalarBinding[];
  readonly #toDevice: number[];
  readonly #toHost: number[];
  readonly #arrayState: string[];
  /** Output value in the graph of each array update. */
  readonly #arrayUpdates: { variable: string; output: string; dims: readonly number[] }[];
  /** Buffers the next call writes its array updates to; they trade places with the state's. */
  readonly #spare = new Map<string, Tensor>();
  readonly #feeds: Record<string, Tensor> = {};
  readonly #hostVector: Float32Array;
  readonly #resultVector: Float32Array;

  static async compile(name: string, procedure: Procedure, options: InferenceSession.SessionOptions): Promise<OnnxProcedure> {
    const plan = new Plan(procedure);
    const session = plan.graph.nodes.length > 0 ? await InferenceSession.create(encodeModel(plan.graph), options) : null;
    return new OnnxProcedure(name, procedure, plan, session);
  }

  private constructor(name: string, procedure: Procedure, plan: Plan, session: InferenceSession | null) {
    this.#name = name;
    this.#procedure = procedure;
    this.#session = session;
    const { parts } = plan;
    const machine = this.#machine;
    const bind = (entries: [string, Node][]): ScalarBinding[] =>
      entries.filter(([, node]) => node.shape.length === 0).map(([key, node]) => ({ name: key, register: machine.register(node) }));

    this.#toDevice = parts.toDevice.map((node) => machine.register(node));
    this.#toHost = parts.toHost.map((node) => machine.register(node));
    this.#scalarOutputs = bind(Object.entries(procedure.outputs));
    this.#scalarUpdates = bind(Object.entries(procedure.updates));
    this.#before = machine.compile(parts.before);
    this.#after = machine.compile(parts.after);
    this.#scalarInputs = bind(procedure.inputs.map((node) => [node.attributes.name, node as Node]));
    this.#scalarState = bind(plan.hostState.map((node) => [node.attributes.name, node]));
    this.#arrayState = plan.arrayState;
    this.#arrayUpdates = plan.arrayUpdates;
    for (const { variable, dims } of plan.arrayUpdates) {
      this.#spare.set(variable, new Tensor("float32", new Float32Array(sizeOf(dims)), dims));
    }
    this.#hostVector = new Float32Array(this.#toDevice.length);
    this.#resultVector = new Float32Array(this.#toHost.length);
    if (this.#toDevice.length > 0) this.#feeds[toDeviceName] = new Tensor("float32", this.#hostVector, [this.#toDevice.length]);
  }

  /** Runs on the state and advances it; nothing changes when it throws. */
  async run(state: EngineState, inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, number>> {
    const machine = this.#machine;
    for (const { name, register } of this.#scalarState) machine.set(register, state.scalars.get(name)!);
    for (const { name, register } of this.#scalarInputs) machine.set(register, checkedInput(this.#name, name, 1, inputs)[0]!);
    this.#before();
    await this.#runDevice(state, inputs);
    this.#after();

    for (const { name, register } of this.#scalarUpdates) state.scalars.set(name, machine.get(register));
    const outputs: Record<string, number> = {};
    for (const { name, register } of this.#scalarOutputs) outputs[name] = machine.get(register);
    return outputs;
  }

  async #runDevice(state: EngineState, inputs: Readonly<Record<string, InputValue>>): Promise<void> {
    if (!this.#session) return;
    const feeds = this.#feeds;
    const machine = this.#machine;
    this.#toDevice.forEach((register, i) => (this.#hostVector[i] = machine.get(register)));
    for (const variable of this.#arrayState) feeds[variable] = state.arrays.get(variable)!;
    for (const { attributes, shape, dtype } of this.#procedure.inputs) {
      if (shape.length === 0) continue;
      const value = checkedInput(this.#name, attributes.name, sizeOf(shape), inputs);
      feeds[`input ${attributes.name}`] = inputTensor(value, dtype, shape, `${this.#name}: input ${attributes.name}`);
    }
    const fetches: Record<string, Tensor> = {};
    for (const { variable, output } of this.#arrayUpdates) fetches[output] = this.#spare.get(variable)!;
    if (this.#toHost.length > 0) fetches[toHostName] = new Tensor("float32", this.#resultVector, [this.#toHost.length]);

    await this.#session.run(feeds, fetches);

    for (const { variable, output } of this.#arrayUpdates) {
      this.#spare.set(variable, state.arrays.get(variable)!);
      state.arrays.set(variable, fetches[output]!);
    }
    this.#toHost.forEach((register, i) => machine.set(register, this.#resultVector[i]!));
  }

  async dispose(): Promise<void> {
    await this.#session?.release();
  }
}

function inputTensor(value: InputValue, dtype: Node["dtype"], shape: readonly number[], what: string): Tensor {
  if (dtype === "uint8" && value instanceof Uint8Array) return new Tensor("uint8", value, shape);
  if (dtype === "int32" && value instanceof Int32Array) return new Tensor("int32", value, shape);
  if (dtype === "float" && value instanceof Float32Array) return new Tensor("float32", value, shape);
  if (dtype === "float" && value instanceof Float64Array) return new Tensor("float32", Float32Array.from(value), shape);
  throw new Error(`${what} must hold ${dtype} values, not a ${value.constructor.name}`);
}

/** The device's graph and where its inputs and outputs come from and go to. */
class Plan {
  readonly parts;
  readonly graph: OnnxGraph;
  readonly arrayState: string[];
  readonly arrayUpdates: { variable: string; output: string; dims: readonly number[] }[];
  readonly hostState: Extract<Node, { op: "state" }>[];

  constructor(procedure: Procedure) {
    this.parts = partition(procedure);
    const { device, toDevice, toHost, sources } = this.parts;
    const write = new GraphWriter();
    const inputs: OnnxValue[] = [];

    if (toDevice.length > 0) {
      inputs.push({ name: toDeviceName, type: "float", dims: [toDevice.length] });
      const names = toDevice.map((node, i) => {
        write.setName(node, `host${i}`);
        return `host${i}`;
      });
      if (names.length === 1) write.setName(toDevice[0]!, toDeviceName);
      else write.nodes.push({ type: "Split", inputs: [toDeviceName], outputs: names, attributes: { axis: { int: 0 }, num_outputs: { int: names.length } } });
    }
    for (const source of sources) {
      if (source.op !== "input" && source.op !== "state") continue;
      const name = source.op === "input" ? `input ${source.attributes.name}` : source.attributes.name;
      inputs.push({ name, type: onnxTypeOf[source.dtype], dims: onnxShape(source.shape) });
      write.setName(source, name);
    }
    lower(device, write);

    const updates = Object.entries(procedure.updates).filter(([, node]) => node.shape.length > 0);
    const taken = new Set(inputs.map(({ name }) => name));
    this.arrayUpdates = updates.map(([variable, node]) => {
      // An output of its own for every update, also where one is a plain copy or two take the same value.
      const value = write.nameOf(node);
      const output = taken.has(value) ? write.emit("Identity", [value]) : value;
      taken.add(output);
      return { variable, output, dims: node.shape };
    });
    const outputs: OnnxValue[] = this.arrayUpdates.map(({ output, dims }) => ({ name: output, type: "float", dims }));
    if (toHost.length > 0) {
      write.nodes.push({ type: "Concat", inputs: toHost.map((node) => write.nameOf(node)), outputs: [toHostName], attributes: { axis: { int: 0 } } });
      outputs.push({ name: toHostName, type: "float", dims: [toHost.length] });
    }
    this.graph = { nodes: write.nodes, initializers: write.initializers, inputs, outputs };
    this.arrayState = sources.flatMap((source) => (source.op === "state" ? [source.attributes.name] : []));
    this.hostState = hostStateOf(procedure, sources);
  }
}

function hostStateOf(procedure: Procedure, sources: readonly Node[]): Extract<Node, { op: "state" }>[] {
  const found = new Set<Extract<Node, { op: "state" }>>();
  for (const node of nodesOf(procedure)) if (node.op === "state" && !sources.includes(node)) found.add(node);
  return [...found];
}
