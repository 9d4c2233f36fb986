/** TensorFlow.js: arrays in float32 on its device; scalars on the host in float64. */
import { isScalar, sizeOf, type Shape } from "../../program/node.ts";
import type { Procedure, StateVariable } from "../../program/program.ts";
import type { Engine, InputValue } from "../engine.ts";
import { ProgramExecutable, type ExecutableParts } from "../executable.ts";
import type { Unavailable } from "../failures.ts";
import { deviceMemory } from "../memory.ts";
import { extraVersion } from "../../extras/index.ts";
import type { Backend } from "./backends.ts";
import { TfjsProcedure, type EngineState } from "./procedure.ts";
import { tf } from "./core.ts";

export async function tfjsEngine(backend: Backend): Promise<Engine | Unavailable> {
  const problem = await backend.load();
  if (problem) return problem;
  const memory = await deviceMemory(backend.runsOn);
  const libraries = Object.fromEntries(["@tensorflow/tfjs-core", ...backend.packages].map((name) => [name, extraVersion(name)]));
  return {
    describe: () => ({ device: backend.device(), driver: null, memory, precision: "float32", libraries }),
    compile: async (program) => {
      await activate(backend);
      return new ProgramExecutable(program, new TfjsParts(backend));
    },
  };
}

async function activate({ name }: Backend): Promise<void> {
  if (tf.getBackend() !== name) await tf.setBackend(name);
}

class TfjsParts implements ExecutableParts<TfjsProcedure> {
  readonly #backend: Backend;
  readonly #state: EngineState = { arrays: new Map(), scalars: new Map() };

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  declare(variables: readonly StateVariable[]): void {
    for (const variable of variables) {
      if (isScalar(variable)) this.#state.scalars.set(variable.name, 0);
      else this.#put(variable.name, new Float32Array(sizeOf(variable.shape)), variable.shape);
    }
  }

  async compile(name: string, procedure: Procedure): Promise<TfjsProcedure> {
    await activate(this.#backend);
    return new TfjsProcedure(name, procedure);
  }

  async run(compiled: TfjsProcedure, inputs: Readonly<Record<string, InputValue>>): Promise<Readonly<Record<string, number>>> {
    await activate(this.#backend);
    return compiled.run(this.#state, inputs);
  }

  read(variables: readonly StateVariable[]): Promise<readonly Float64Array[]> {
    const { arrays, scalars } = this.#state;
    return Promise.all(
      variables.map(async (variable) => (isScalar(variable) ? Float64Array.of(scalars.get(variable.name)!) : Float64Array.from(await arrays.get(variable.name)!.data()))),
    );
  }

  write(name: string, value: Float64Array): void {
    if (this.#state.scalars.has(name)) this.#state.scalars.set(name, value[0]!);
    else this.#put(name, Float32Array.from(value), this.#state.arrays.get(name)!.shape);
  }

  dispose(compiled: readonly TfjsProcedure[]): void {
    for (const tensor of this.#state.arrays.values()) tensor.dispose();
    for (const procedure of compiled) procedure.dispose();
    this.#state.arrays.clear();
  }

  #put(name: string, value: Float32Array, shape: Shape): void {
    this.#state.arrays.get(name)?.dispose();
    this.#state.arrays.set(name, tf.tensor(value, [...shape], "float32"));
  }
}
