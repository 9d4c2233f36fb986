/** TensorFlow.js as an engine: array work as its kernels, in float32 on its device; scalar work on the host, in float64. */
import * as tf from "@tensorflow/tfjs-core";
import { isScalar, sizeOf, type Shape } from "../../program/node.ts";
import { mergePrograms, type Program, type StateVariable } from "../../program/program.ts";
import { checkState, namedState, type Engine, type Executable, type InputValue, type StateValues } from "../engine.ts";
import type { Unavailable } from "../failures.ts";
import { deviceMemory } from "../memory.ts";
import { versionOf, type Backend } from "./backends.ts";
import { TfjsProcedure, type EngineState } from "./procedure.ts";

export async function tfjsEngine(backend: Backend): Promise<Engine | Unavailable> {
  const problem = await backend.load();
  if (problem) return problem;
  const memory = await deviceMemory(backend.runsOn);
  const libraries = Object.fromEntries(["@tensorflow/tfjs-core", ...backend.packages].map((name) => [name, versionOf(name)]));
  return {
    describe: () => ({ device: backend.device(), driver: null, memory, precision: "float32", libraries }),
    compile: async (program) => {
      await activate(backend);
      return new TfjsExecutable(program, backend);
    },
  };
}

async function activate({ name }: Backend): Promise<void> {
  if (tf.getBackend() !== name) await tf.setBackend(name);
}

class TfjsExecutable implements Executable {
  #program: Program;
  readonly #backend: Backend;
  readonly #state: EngineState = { arrays: new Map(), scalars: new Map() };
  readonly #procedures = new Map<string, TfjsProcedure>();

  constructor(program: Program, backend: Backend) {
    this.#program = program;
    this.#backend = backend;
    this.#declare(program.state);
  }

  add(program: Program): void {
    this.#program = mergePrograms(this.#program, program);
    this.#declare(program.state);
  }

  async run(name: string, inputs: Readonly<Record<string, InputValue>> = {}): Promise<Readonly<Record<string, number>>> {
    await activate(this.#backend);
    let compiled = this.#procedures.get(name);
    if (!compiled) {
      const procedure = this.#program.procedures[name];
      if (!procedure) throw new Error(`the program has no procedure ${name}`);
      this.#procedures.set(name, (compiled = new TfjsProcedure(name, procedure)));
    }
    return compiled.run(this.#state, inputs);
  }

  async state(names: readonly string[] = this.#program.state.map(({ name }) => name)): Promise<StateValues> {
    const { arrays, scalars } = this.#state;
    const values = namedState(this.#program.state, names).map(async ({ name, shape }) => [
      name,
      shape.length === 0 ? Float64Array.of(scalars.get(name)!) : Float64Array.from(await arrays.get(name)!.data()),
    ] as const);
    return Object.fromEntries(await Promise.all(values));
  }

  restore(values: StateValues): void {
    checkState(this.#program.state, values);
    for (const [name, value] of Object.entries(values)) {
      if (this.#state.scalars.has(name)) this.#state.scalars.set(name, value[0]!);
      else this.#put(name, Float32Array.from(value), this.#state.arrays.get(name)!.shape);
    }
  }

  dispose(): Promise<void> {
    for (const tensor of this.#state.arrays.values()) tensor.dispose();
    for (const procedure of this.#procedures.values()) procedure.dispose();
    this.#state.arrays.clear();
    this.#procedures.clear();
    return Promise.resolve();
  }

  #declare(variables: readonly StateVariable[]): void {
    const { arrays, scalars } = this.#state;
    for (const variable of variables) {
      if (arrays.has(variable.name) || scalars.has(variable.name)) continue;
      if (isScalar(variable)) scalars.set(variable.name, 0);
      else this.#put(variable.name, new Float32Array(sizeOf(variable.shape)), variable.shape);
    }
  }

  #put(name: string, value: Float32Array, shape: Shape): void {
    this.#state.arrays.get(name)?.dispose();
    this.#state.arrays.set(name, tf.tensor(value, [...shape], "float32"));
  }
}

