/** One procedure as an ONNX Runtime session plus the host's work around it. */
import { InferenceSession, Tensor, type SessionOptions } from "./runtime.ts";
import { isScalar, sizeOf, type Node, type NodeOf } from "../../program/node.ts";
import { nodesOf, type Procedure } from "../../program/program.ts";
import { checkedInput, type InputValue } from "../engine.ts";
import { blockSize } from "./blockSize.ts";
import { compileHostWork, type Store } from "./hostWork.ts";
import type { Arena, Block } from "./kernels/arena.ts";
import { isKernelWork } from "./kernels/kernel.ts";
import { lower, onnxTypeOf } from "./lowering.ts";
import { GraphWriter } from "./lowering/writer.ts";
import { encodeModel, type OnnxGraph, type OnnxValue } from "./model.ts";
import { inputTensor } from "./tensors.ts";
import { partition } from "../host/partition.ts";
import { ScalarMachine } from "../host/scalarMachine.ts";

/**
 * Double buffer of a state variable: the current value, and the one being computed. Swapped when a
 * procedure completes.
 */
export interface StateArray {
  current: Block;
  next: Block;
}

/** Engine state: float32 arrays in the arena, scalars as numbers. */
export interface EngineState {
  readonly arena: Arena;
  readonly arrays: Map<string, StateArray>;
  readonly scalars: Map<string, number>;
}

/** Average bytes of a graph's arrays above which memory matters more than microseconds. */
const large = 2 ** 20;

const toDeviceName = "host";
const inputName = (name: string) => `input ${name}`;

interface ScalarBinding {
  readonly name: string;
  readonly register: number;
}

export class OnnxProcedure {
  readonly #name: string;
  readonly #procedure: Procedure;
  readonly #state: EngineState;
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
  readonly #results: string | null;
  readonly #arrayInputs: { name: string; block: () => Block }[];
  readonly #arrayOutputs: { output: string; array: StateArray }[];
  /** Arrays whose new value is in `next` after a run. */
  readonly #updated: StateArray[];
  readonly #feeds: Record<string, Tensor> = {};
  readonly #hostVector: Float32Array;
  readonly #resultVector: Float32Array;

  static async compile(name: string, procedure: Procedure, state: EngineState, options: SessionOptions, forDevice: boolean): Promise<OnnxProcedure> {
    const plan = new Plan(procedure, forDevice ? new GraphWriter(null, true) : new GraphWriter(await blockSize()));
    const { device } = plan.parts;
    const averageBytes = (4 * device.reduce((sum, { shape }) => sum + sizeOf(shape), 0)) / device.length;
    const memory = {
      // A session's arena holds its memory between calls.
      enableCpuMemArena: !procedure.transient,
      // A memory pattern saves time on small arrays, but its block adds to the first call's memory,
      // which was allocated without it.
      enableMemPattern: averageBytes < large,
    };
    const session = plan.graph.outputs.length > 0 ? await InferenceSession.create(encodeModel(plan.graph), { ...memory, ...options }) : null;
    return new OnnxProcedure(name, procedure, state, plan, session);
  }

  private constructor(name: string, procedure: Procedure, state: EngineState, plan: Plan, session: InferenceSession | null) {
    this.#name = name;
    this.#procedure = procedure;
    this.#state = state;
    this.#session = session;
    const { parts } = plan;
    const machine = this.#machine;
    const bind = (entries: [string, Node][]): ScalarBinding[] =>
      entries.filter(([, node]) => isScalar(node)).map(([key, node]) => ({ name: key, register: machine.register(node) }));
    const stateNodes = nodesOf(procedure).filter((node): node is NodeOf<"state"> => node.op === "state");

    this.#toDevice = parts.toDevice.map((node) => machine.register(node));
    this.#toHost = parts.toHost.map((node) => machine.register(node));
    this.#results = plan.results;
    this.#scalarOutputs = bind(Object.entries(procedure.outputs));
    this.#scalarUpdates = bind(Object.entries(procedure.updates));
    this.#scalarInputs = bind(procedure.inputs.map((node) => [node.attributes.name, node as Node]));
    this.#scalarState = bind(stateNodes.map((node) => [node.attributes.name, node]));

    const array = (variable: string) => state.arrays.get(variable)!;
    const next = (variable: string) => () => array(variable).next;
    const places = new Map<Node, () => Block>();
    for (const node of stateNodes) if (!isScalar(node)) places.set(node, () => array(node.attributes.name).current);
    const hostWork = (nodes: readonly Node[], stores: readonly Store[]) =>
      compileHostWork({ nodes, stores, inMemory: places, machine, arena: state.arena });

    const early = new Set<Node>([...parts.before, ...stateNodes]);
    const scratch = state.arena.allocate(plan.scratch.map(({ shape }) => shape));
    const storesBefore = [
      ...plan.hostUpdates.filter(({ node }) => early.has(node)).map(({ variable, node }) => ({ node, to: next(variable) })),
      ...plan.scratch.map((node, i) => ({ node, to: () => scratch[i]! })),
    ];
    this.#before = hostWork(parts.before, storesBefore);
    for (const { node, to } of storesBefore) if (!places.has(node)) places.set(node, to);
    for (const { variable } of plan.deviceUpdates) places.set(procedure.updates[variable]!, next(variable));
    this.#after = hostWork(
      parts.after,
      plan.hostUpdates.filter(({ node }) => !early.has(node)).map(({ variable, node }) => ({ node, to: next(variable) })),
    );

    this.#arrayInputs = plan.arrayInputs.map(({ name, node }) => ({ name, block: places.get(node)! }));
    this.#arrayOutputs = plan.deviceUpdates.map(({ variable, output }) => ({ output, array: array(variable) }));
    this.#updated = [...plan.hostUpdates, ...plan.deviceUpdates].map(({ variable }) => array(variable));
    this.#hostVector = new Float32Array(this.#toDevice.length);
    this.#resultVector = new Float32Array(this.#toHost.length);
    if (this.#toDevice.length > 0) this.#feeds[toDeviceName] = new Tensor("float32", this.#hostVector, [this.#toDevice.length]);
  }

  /** Runs on the state and advances it; a failed run changes nothing. */
  async run(inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, number>> {
    const machine = this.#machine;
    const { scalars } = this.#state;
    for (const { name, register } of this.#scalarState) machine.set(register, scalars.get(name)!);
    for (const { name, register } of this.#scalarInputs) machine.set(register, checkedInput(this.#name, name, 1, inputs)[0]!);
    this.#before();
    await this.#runDevice(inputs);
    this.#after();

    for (const array of this.#updated) [array.current, array.next] = [array.next, array.current];
    for (const { name, register } of this.#scalarUpdates) scalars.set(name, machine.get(register));
    const outputs: Record<string, number> = {};
    for (const { name, register } of this.#scalarOutputs) outputs[name] = machine.get(register);
    return outputs;
  }

  async #runDevice(inputs: Readonly<Record<string, InputValue>>): Promise<void> {
    if (!this.#session) return;
    const feeds = this.#feeds;
    const machine = this.#machine;
    this.#toDevice.forEach((register, i) => (this.#hostVector[i] = machine.get(register)));
    for (const { name, block } of this.#arrayInputs) feeds[name] = block().tensor;
    for (const { attributes, shape, dtype } of this.#procedure.inputs) {
      if (shape.length === 0) continue;
      const value = checkedInput(this.#name, attributes.name, sizeOf(shape), inputs);
      feeds[inputName(attributes.name)] = inputTensor(value, dtype, shape, `${this.#name}: input ${attributes.name}`);
    }
    const fetches: Record<string, Tensor> = {};
    for (const { output, array } of this.#arrayOutputs) fetches[output] = array.next.tensor;
    if (this.#results !== null) fetches[this.#results] = new Tensor("float32", this.#resultVector, [this.#toHost.length]);

    const results = await this.#session.run(feeds, fetches);
    for (const { output, array } of this.#arrayOutputs) disposeCopy(results[output]!, array.next.tensor);
    this.#toHost.forEach((register, i) => machine.set(register, this.#resultVector[i]!));
  }

  async dispose(): Promise<void> {
    await this.#session?.release();
  }
}

/**
 * Disposes an output that ONNX Runtime returned for a preallocated tensor: it writes there, and
 * also copies the values to memory of its own. The garbage collector counts that memory, so
 * waiting for it would trigger a collection every few dozen steps.
 */
function disposeCopy(answered: Tensor, given: Tensor): void {
  const { buffer } = answered.data as Float32Array;
  if (buffer instanceof ArrayBuffer && buffer !== (given.data as Float32Array).buffer) buffer.transfer(0);
}

/** The device's graph, and the sources and destinations of its inputs and outputs. */
class Plan {
  readonly parts;
  readonly graph: OnnxGraph;
  /** Nodes that the host computes for the graph only, not as new state. */
  readonly scratch: readonly Node[];
  /** Graph inputs that are arrays in memory. */
  readonly arrayInputs: readonly { name: string; node: Node }[];
  /** Graph outputs of the array updates made on the device. */
  readonly deviceUpdates: readonly { variable: string; output: string }[];
  /** Output with the scalars that the host needs. */
  readonly results: string | null = null;
  /** Array updates made on the host. */
  readonly hostUpdates: readonly { variable: string; node: Node }[];

  constructor(procedure: Procedure, write: GraphWriter) {
    this.parts = partition(procedure, isKernelWork);
    const { before, device, after, toDevice, toHost, arraysToDevice } = this.parts;
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
    const arrays = arraysToDevice.map((node, i) => ({ name: node.op === "input" ? inputName(node.attributes.name) : `array ${i}`, node }));
    for (const { name, node } of arrays) {
      inputs.push({ name, type: onnxTypeOf[node.dtype], dims: node.shape });
      write.setName(node, name);
    }
    lower(device, [...toHost, ...Object.values(procedure.updates)], write);

    const updates = Object.entries(procedure.updates).flatMap(([variable, node]) => (isScalar(node) ? [] : [{ variable, node }]));
    const made = new Set([...before, ...after]);
    const byHost = ({ node }: { node: Node }) => made.has(node) || node.op === "state";
    const taken = new Set(inputs.map(({ name }) => name));
    this.hostUpdates = updates.filter(byHost);
    this.deviceUpdates = updates.filter((update) => !byHost(update)).map(({ variable, node }) => {
      // Each update gets its own output, even for a plain copy or a shared value.
      const value = write.nameOf(node);
      const output = taken.has(value) || write.isConstant(value) ? write.emit("Identity", [value]) : value;
      taken.add(output);
      return { variable, output };
    });
    const outputs: OnnxValue[] = this.deviceUpdates.map(({ variable, output }) => ({ name: output, type: "float", dims: procedure.updates[variable]!.shape }));
    if (toHost.length > 0) {
      const names = toHost.map((node) => write.nameOf(node));
      this.results = names.length === 1 ? names[0]! : write.emit("Concat", names, { axis: { int: 0 } });
      outputs.push({ name: this.results, type: "float", dims: [toHost.length] });
    }
    this.graph = { nodes: write.nodes, initializers: write.initializers, inputs, outputs };
    this.arrayInputs = arrays.filter(({ node }) => node.op !== "input");
    const kept = new Set(this.hostUpdates.map(({ node }) => node));
    this.scratch = this.arrayInputs.flatMap(({ node }) => (node.op === "state" || kept.has(node) ? [] : [node]));
  }
}
