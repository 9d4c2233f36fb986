/** ONNX Runtime on the CPU: a whole step, backward pass and tower included, as one graph in float32. */
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { env, type InferenceSession } from "onnxruntime-node";
import { isScalar } from "../../program/node.ts";
import { mergePrograms, type Program, type StateVariable } from "../../program/program.ts";
import { checkState, namedState, type CompileOptions, type Engine, type Executable, type InputValue, type StateValues } from "../engine.ts";
import { Arena } from "./kernels/arena.ts";
import { OnnxProcedure, type EngineState } from "./procedure.ts";

env.logLevel = "error";

function runtimeVersion(): string {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  return version;
}

export const onnxCpuEngine: Engine = {
  describe: ({ threads }) => ({
    device: `${cpus()[0]?.model.trim() ?? "CPU"} (${threads} ${threads === 1 ? "thread" : "threads"})`,
    libraries: { "onnxruntime-node": runtimeVersion() },
  }),
  compile: (program, options) => Promise.resolve(new OnnxExecutable(program, options)),
};

class OnnxExecutable implements Executable {
  #program: Program;
  readonly #options: InferenceSession.SessionOptions;
  readonly #state: EngineState = { arena: new Arena(), arrays: new Map(), scalars: new Map() };
  readonly #procedures = new Map<string, Promise<OnnxProcedure>>();

  constructor(program: Program, { threads }: CompileOptions) {
    this.#program = program;
    this.#options = {
      executionProviders: ["cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      // Waiting threads would spin against Node's own on small machines.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    };
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
      this.#procedures.set(name, (compiled = OnnxProcedure.compile(name, procedure, this.#state, this.#options)));
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
