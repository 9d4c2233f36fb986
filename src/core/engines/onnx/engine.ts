/**
 * ONNX Runtime: a whole step, with backward pass and tower, as one float32 graph on the processor
 * or a device.
 */
import { totalmem } from "node:os";
import { env, InferenceSession, type SessionOptions } from "./runtime.ts";
import { messageOf } from "../../../shared/errors.ts";
import { plural } from "../../../shared/text.ts";
import { isScalar } from "../../program/node.ts";
import type { Procedure, StateVariable } from "../../program/program.ts";
import type { Engine, InputValue } from "../engine.ts";
import { ProgramExecutable, type ExecutableParts } from "../executable.ts";
import type { Unavailable } from "../failures.ts";
import { deviceMemory } from "../memory.ts";
import type { Adapter } from "../webgpuAdapter.ts";
import { DeviceParts } from "./device/executable.ts";
import { Arena } from "./kernels/arena.ts";
import { encodeModel } from "./model.ts";
import { OnnxProcedure, type EngineState } from "./procedure.ts";
import { processor, providers, runtimeVersion, sessionOptions, type Provider } from "./providers.ts";

env.logLevel = "error";

/**
 * Where the provider can keep tensors, state stays on its device; otherwise it is in host memory,
 * the host does elementwise work on it, and only weights and gradients are transferred.
 */
export async function onnxEngine(provider: Provider): Promise<Engine | Unavailable> {
  const adapter = await provider.probe();
  if ("unavailable" in adapter) return adapter;
  const problem = provider.name === "cpu" ? null : await tryProvider(provider);
  if (problem) return problem;
  return engineOn(provider, adapter, await deviceMemory(provider.name === "cpu" ? "processor" : "graphics"));
}

function engineOn(provider: Provider, adapter: Adapter, memory: number | null): Engine {
  return {
    describe: ({ threads }) => ({
      ...adapter,
      device: provider.name === "cpu" ? `${adapter.device} (${plural(threads, "thread")})` : adapter.device,
      precision: "float32",
      memory,
      libraries: { "onnxruntime-node": runtimeVersion() },
    }),
    compile: (program, { threads }) => {
      const options = sessionOptions(provider, threads);
      if (provider.keepsTensors) return Promise.resolve(new ProgramExecutable(program, new DeviceParts(options)));
      return Promise.resolve(new ProgramExecutable(program, new HostParts(options, provider.name !== "cpu")));
    },
  };
}

export const onnxCpuEngine: Engine = engineOn(providers["onnx-cpu"], { device: processor(), driver: null }, totalmem());

/** Creates a session, because that is when a provider looks for its libraries and device. */
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

/** State in host memory, shared by sessions and the host's kernels. */
class HostParts implements ExecutableParts<OnnxProcedure> {
  readonly #options: SessionOptions;
  readonly #forDevice: boolean;
  readonly #state: EngineState = { arena: new Arena(), arrays: new Map(), scalars: new Map() };

  constructor(options: SessionOptions, forDevice: boolean) {
    this.#options = options;
    this.#forDevice = forDevice;
  }

  declare(variables: readonly StateVariable[]): void {
    const { arena, arrays, scalars } = this.#state;
    for (const { name } of variables.filter(isScalar)) scalars.set(name, 0);
    const added = variables.filter((variable) => !isScalar(variable));
    const blocks = arena.allocate(added.flatMap(({ shape }) => [shape, shape]));
    added.forEach(({ name }, i) => arrays.set(name, { current: blocks[2 * i]!, next: blocks[2 * i + 1]! }));
  }

  compile(name: string, procedure: Procedure): Promise<OnnxProcedure> {
    return OnnxProcedure.compile(name, procedure, this.#state, this.#options, this.#forDevice);
  }

  run(compiled: OnnxProcedure, inputs: Readonly<Record<string, InputValue>>): Promise<Readonly<Record<string, number>>> {
    return compiled.run(inputs);
  }

  read(variables: readonly StateVariable[]): Float64Array[] {
    return variables.map((variable) => (isScalar(variable) ? Float64Array.of(this.#state.scalars.get(variable.name)!) : Float64Array.from(this.#array(variable.name))));
  }

  write(name: string, value: Float64Array): void {
    if (this.#state.scalars.has(name)) this.#state.scalars.set(name, value[0]!);
    else this.#array(name).set(value);
  }

  async dispose(compiled: readonly OnnxProcedure[]): Promise<void> {
    await Promise.all(compiled.map((procedure) => procedure.dispose()));
  }

  #array(name: string): Float32Array {
    return this.#state.arrays.get(name)!.current.tensor.data as Float32Array;
  }
}
