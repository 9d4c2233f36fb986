/** ONNX Runtime on the CPU: a whole step, backward pass and tower included, as one graph in float32. */
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { env, Tensor, type InferenceSession } from "onnxruntime-node";
import { sizeOf } from "../../program/node.ts";
import type { Program } from "../../program/program.ts";
import { checkState, type CompileOptions, type Engine, type Executable, type InputValue, type StateValues } from "../engine.ts";
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
  readonly #program: Program;
  readonly #options: InferenceSession.SessionOptions;
  readonly #state: EngineState = { arrays: new Map(), scalars: new Map() };
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
    for (const { name, shape } of program.state) {
      if (shape.length === 0) this.#state.scalars.set(name, 0);
      else this.#state.arrays.set(name, new Tensor("float32", new Float32Array(sizeOf(shape)), shape));
    }
  }

  async run(name: string, inputs: Readonly<Record<string, InputValue>> = {}): Promise<Readonly<Record<string, number>>> {
    let compiled = this.#procedures.get(name);
    if (!compiled) {
      const procedure = this.#program.procedures[name];
      if (!procedure) throw new Error(`the program has no procedure ${name}`);
      this.#procedures.set(name, (compiled = OnnxProcedure.compile(name, procedure, this.#options)));
    }
    return (await compiled).run(this.#state, inputs);
  }

  state(): StateValues {
    return Object.fromEntries(
      this.#program.state.map(({ name, shape }) => [
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

  #array(name: string): Float32Array {
    return this.#state.arrays.get(name)!.data as Float32Array;
  }
}
