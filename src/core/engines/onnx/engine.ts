/** ONNX Runtime: a whole step, backward pass and tower included, as one graph in float32, on the processor or a device. */
import { totalmem } from "node:os";
import { env, InferenceSession } from "onnxruntime-node";
import { messageOf } from "../../../shared/errors.ts";
import { isScalar } from "../../program/node.ts";
import { mergePrograms, type Program, type StateVariable } from "../../program/program.ts";
import { checkState, namedState, type Engine, type Executable, type InputValue, type StateValues } from "../engine.ts";
import type { Unavailable } from "../failures.ts";
import { deviceMemory } from "../memory.ts";
import type { Adapter } from "../webgpuAdapter.ts";
import { DeviceExecutable } from "./device/executable.ts";
import { Arena } from "./kernels/arena.ts";
import { encodeModel } from "./model.ts";
import { OnnxProcedure, type EngineState } from "./procedure.ts";
import { processor, providers, runtimeVersion, sessionOptions, type Provider } from "./providers.ts";

env.logLevel = "error";

/**
 * Where the provider can keep tensors, state stays on its device; otherwise state is in memory, the
 * host does the elementwise work on it, and only weights and gradients travel.
 */
export async function onnxEngine(provider: Provider): Promise<Engine | Unavailable> {
  const adapter = await provider.look();
  if ("unavailable" in adapter) return adapter;
  const problem = provider.name === "cpu" ? null : await tryProvider(provider);
  if (problem) return problem;
  return engineOn(provider, adapter, await deviceMemory(provider.name === "cpu" ? "processor" : "graphics"));
}

function engineOn(provider: Provider, adapter: Adapter, memory: number | null): Engine {
  return {
    describe: ({ threads }) => ({
      ...adapter,
      device: provider.name === "cpu" ? `${adapter.device} (${threads} ${threads === 1 ? "thread" : "threads"})` : adapter.device,
      precision: "float32",
      memory,
      libraries: { "onnxruntime-node": runtimeVersion() },
    }),
    compile: (program, { threads }) => {
      const options = sessionOptions(provider, threads);
      return Promise.resolve(provider.keepsTensors ? new DeviceExecutable(program, options) : new OnnxExecutable(program, options, provider.name !== "cpu"));
    },
  };
}

export const onnxCpuEngine: Engine = engineOn(providers["onnx-cpu"], { device: processor(), driver: null }, totalmem());

/** Makes a session, which is when a provider looks for its libraries and its device. */
async function tryProvider(provider: Provider): Promise<Unavailable | null> {
  const graph = {
    nodes: [{ type: "Neg", inputs: ["x"], outputs: ["y"], attributes: {} }],
    initializers: [],
    inputs: [{ name: "x", type: "float" as const, dims: [1] }],
    outputs: [{ name: "y", type: "float" as const, dims: [1] }],
  };
  try {
    const session = await InferenceSession.create(encodeModel(graph), { ...sessionOptions(provider, 1), logSeverityLevel: 4 });
    await session.release();
    return null;
  } catch (error) {
    const message = messageOf(error);
    return { unavailable: provider.explain(message) ?? message };
  }
}

class OnnxExecutable implements Executable {
  #program: Program;
  readonly #options: InferenceSession.SessionOptions;
  readonly #forDevice: boolean;
  readonly #state: EngineState = { arena: new Arena(), arrays: new Map(), scalars: new Map() };
  readonly #procedures = new Map<string, Promise<OnnxProcedure>>();

  constructor(program: Program, options: InferenceSession.SessionOptions, forDevice: boolean) {
    this.#program = program;
    this.#options = options;
    this.#forDevice = forDevice;
    this.#declare(program.state);
  }

  add(program: Program): void {
    this.#program = mergePrograms(this.#program, program);
    this.#declare(program.state);
  }

  async run(name: string, inputs: Readonly<Record<string, InputValue>> = {}): Promise<Readonly<Record<string, number>>> {
    let compiled = this.#procedures.get(name);
    if (!compiled) {
      const procedure = this.#program.procedures[name];
      if (!procedure) throw new Error(`the program has no procedure ${name}`);
      this.#procedures.set(name, (compiled = OnnxProcedure.compile(name, procedure, this.#state, this.#options, this.#forDevice)));
    }
    return (await compiled).run(inputs);
  }

  state(names: readonly string[] = this.#program.state.map(({ name }) => name)): Promise<StateValues> {
    return Promise.resolve().then(() => this.#values(names));
  }

  #values(names: readonly string[]): StateValues {
    return Object.fromEntries(
      namedState(this.#program.state, names).map(({ name, shape }) => [
        name,
        shape.length === 0 ? Float64Array.of(this.#state.scalars.get(name)!) : Float64Array.from(this.#array(name)),
      ]),
    );
  }

  restore(values: StateValues): void {
    checkState(this.#program.state, values);
    for (const [name, value] of Object.entries(values)) {
      if (this.#state.scalars.has(name)) this.#state.scalars.set(name, value[0]!);
      else this.#array(name).set(value);
    }
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#procedures.values()].map(async (procedure) => (await procedure).dispose()));
    this.#procedures.clear();
  }

  #declare(variables: readonly StateVariable[]): void {
    const { arena, arrays, scalars } = this.#state;
    const added = variables.filter(({ name }) => !arrays.has(name) && !scalars.has(name));
    for (const { name } of added.filter(isScalar)) scalars.set(name, 0);
    const addedArrays = added.filter((variable) => !isScalar(variable));
    const blocks = arena.allocate(addedArrays.flatMap(({ shape }) => [shape, shape]));
    addedArrays.forEach(({ name }, i) => arrays.set(name, { current: blocks[2 * i]!, next: blocks[2 * i + 1]! }));
  }

  #array(name: string): Float32Array {
    return this.#state.arrays.get(name)!.current.tensor.data as Float32Array;
  }
}
