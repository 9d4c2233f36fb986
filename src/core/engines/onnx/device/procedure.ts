/**
 * One procedure as a session whose arrays stay on the device: only batches go there, only scalars
 * come back.
 */
import { InferenceSession, Tensor, type SessionOptions } from "../runtime.ts";
import { isScalar, sizeOf, type Node, type NodeOf } from "../../../program/node.ts";
import { nodesOf, type Procedure } from "../../../program/program.ts";
import { checkedInput, type InputValue } from "../../engine.ts";
import { checkIndices, indexBounds } from "../../host/indexBounds.ts";
import { partition } from "../../host/partition.ts";
import { ScalarMachine } from "../../host/scalarMachine.ts";
import { lower, onnxTypeOf } from "../lowering.ts";
import { GraphWriter } from "../lowering/writer.ts";
import { encodeModel, type OnnxGraph, type OnnxValue } from "../model.ts";
import { inputTensor } from "../tensors.ts";

/** State variables by name: arrays on the device, scalars as numbers. */
export interface DeviceState {
  readonly arrays: Map<string, Tensor>;
  readonly scalars: Map<string, number>;
}

/** Frees device memory, which the garbage collector does not see. */
export function release(tensor: Tensor): void {
  if (tensor.location === "gpu-buffer") tensor.dispose();
}

const fromHost = "host";
const toHost = "results";
const inputName = (name: string) => `input ${name}`;
const stateName = (name: string) => `state ${name}`;

export class DeviceProcedure {
  readonly #name: string;
  readonly #procedure: Procedure;
  readonly #state: DeviceState;
  readonly #plan: Plan;
  readonly #bounds: ReadonlyMap<string, number>;
  readonly #session: InferenceSession | null;
  readonly #machine = new ScalarMachine();
  readonly #before: () => void;
  readonly #after: () => void;

  static async compile(name: string, procedure: Procedure, state: DeviceState, options: SessionOptions): Promise<DeviceProcedure> {
    const plan = new Plan(procedure);
    if (plan.graph.outputs.length === 0) return new DeviceProcedure(name, procedure, state, plan, null);
    const preferredOutputLocation = Object.fromEntries(plan.graph.outputs.map((output) => [output.name, output.name === toHost ? "cpu" : "gpu-buffer"] as const));
    const session = await InferenceSession.create(encodeModel(plan.graph), { ...options, preferredOutputLocation });
    return new DeviceProcedure(name, procedure, state, plan, session);
  }

  private constructor(name: string, procedure: Procedure, state: DeviceState, plan: Plan, session: InferenceSession | null) {
    this.#name = name;
    this.#procedure = procedure;
    this.#state = state;
    this.#plan = plan;
    this.#bounds = indexBounds(procedure);
    this.#session = session;
    for (const node of nodesOf(procedure)) if (isScalar(node)) this.#machine.register(node);
    this.#before = this.#machine.compile(plan.parts.before);
    this.#after = this.#machine.compile(plan.parts.after);
  }

  /** Array variables that it reads: they must be on the device before a run. */
  get reads(): readonly string[] {
    return this.#plan.arrayState.map(({ attributes }) => attributes.name);
  }

  /** Runs on the state and advances it; a failed run changes nothing. */
  async run(inputs: Readonly<Record<string, InputValue>>): Promise<Record<string, number>> {
    const { arrays, scalars } = this.#state;
    const { scalarState, scalarUpdates, arrayUpdates } = this.#plan;
    const machine = this.#machine;
    const valueOf = (node: Node) => machine.get(machine.register(node));
    for (const node of scalarState) machine.set(machine.register(node), scalars.get(node.attributes.name)!);
    for (const node of this.#procedure.inputs) {
      if (isScalar(node)) machine.set(machine.register(node), checkedInput(this.#name, node.attributes.name, 1, inputs)[0]!);
    }
    this.#before();
    const results = await this.#runDevice(inputs);
    this.#after();

    for (const { variable, output } of arrayUpdates) {
      release(arrays.get(variable)!);
      arrays.set(variable, results[output]!);
    }
    for (const [variable, node] of scalarUpdates) scalars.set(variable, valueOf(node));
    return Object.fromEntries(Object.entries(this.#procedure.outputs).map(([output, node]) => [output, valueOf(node)]));
  }

  async #runDevice(inputs: Readonly<Record<string, InputValue>>): Promise<Readonly<Record<string, Tensor>>> {
    if (!this.#session) return {};
    const { parts, arrayState } = this.#plan;
    const machine = this.#machine;
    const feeds: Record<string, Tensor> = {};
    if (parts.toDevice.length > 0) {
      const values = Float32Array.from(parts.toDevice, (node) => machine.get(machine.register(node)));
      feeds[fromHost] = new Tensor("float32", values, [values.length]);
    }
    for (const { attributes } of arrayState) feeds[stateName(attributes.name)] = this.#state.arrays.get(attributes.name)!;
    for (const { attributes, shape, dtype } of this.#procedure.inputs) {
      if (shape.length === 0) continue;
      const value = checkedInput(this.#name, attributes.name, sizeOf(shape), inputs);
      const rows = this.#bounds.get(attributes.name);
      if (rows !== undefined) checkIndices(this.#name, attributes.name, rows, value);
      feeds[inputName(attributes.name)] = inputTensor(value, dtype, shape, `${this.#name}: input ${attributes.name}`);
    }
    const results = (await this.#session.run(feeds)) as Readonly<Record<string, Tensor>>;
    const scalars = results[toHost]?.data as Float32Array | undefined;
    parts.toHost.forEach((node, i) => machine.set(machine.register(node), scalars![i]!));
    return results;
  }

  async dispose(): Promise<void> {
    await this.#session?.release();
  }
}

/** The device's graph, and the sources and destinations of its inputs and outputs. */
class Plan {
  readonly parts;
  readonly graph: OnnxGraph;
  readonly arrayState: readonly NodeOf<"state">[];
  readonly scalarState: readonly NodeOf<"state">[];
  /** Graph outputs of the array updates. */
  readonly arrayUpdates: readonly { variable: string; output: string }[];
  readonly scalarUpdates: readonly (readonly [variable: string, node: Node])[];

  constructor(procedure: Procedure) {
    this.parts = partition(procedure);
    const { device, toDevice, arraysToDevice, toHost: results } = this.parts;
    const states = nodesOf(procedure).filter((node): node is NodeOf<"state"> => node.op === "state");
    this.arrayState = states.filter((node) => !isScalar(node));
    this.scalarState = states.filter(isScalar);
    const write = new GraphWriter(null, true);
    const inputs: OnnxValue[] = [];
    const take = (name: string, node: Node) => {
      inputs.push({ name, type: onnxTypeOf[node.dtype], dims: node.shape });
      write.setName(node, name);
    };
    if (toDevice.length > 0) {
      inputs.push({ name: fromHost, type: "float", dims: [toDevice.length] });
      const names = toDevice.map((_, i) => (toDevice.length === 1 ? fromHost : `${fromHost} ${i}`));
      toDevice.forEach((node, i) => write.setName(node, names[i]!));
      if (names.length > 1) write.nodes.push({ type: "Split", inputs: [fromHost], outputs: names, attributes: { axis: { int: 0 }, num_outputs: { int: names.length } } });
    }
    for (const node of arraysToDevice) if (node.op === "input") take(inputName(node.attributes.name), node);
    for (const node of this.arrayState) take(stateName(node.attributes.name), node);
    lower(device, [...results, ...Object.values(procedure.updates)], write);

    const updates = Object.entries(procedure.updates);
    this.scalarUpdates = updates.filter(([, node]) => isScalar(node));
    const taken = new Set(inputs.map(({ name }) => name));
    this.arrayUpdates = updates.filter(([, node]) => !isScalar(node)).map(([variable, node]) => {
      // Each update gets its own output, even for a plain copy or a shared value.
      const value = write.nameOf(node);
      const output = taken.has(value) || write.isConstant(value) ? write.emit("Identity", [value]) : value;
      taken.add(output);
      return { variable, output };
    });
    const outputs: OnnxValue[] = this.arrayUpdates.map(({ variable, output }) => ({ name: output, type: "float", dims: procedure.updates[variable]!.shape }));
    if (results.length > 0) {
      write.nodes.push({ type: "Concat", inputs: results.map((node) => write.nameOf(node)), outputs: [toHost], attributes: { axis: { int: 0 } } });
      outputs.push({ name: toHost, type: "float", dims: [results.length] });
    }
    this.graph = { nodes: write.nodes, initializers: write.initializers, inputs, outputs };
  }
}
