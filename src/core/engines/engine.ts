/** Engines execute programs and keep their state; they know nothing of towers. */
import type { Program, StateVariable } from "../program/program.ts";
import { sizeOf } from "../program/node.ts";

export type InputValue = Float64Array | Float32Array | Int32Array | Uint8Array;

/** State variables by name, row-major; float64 represents every engine's precision exactly. */
export type StateValues = Readonly<Record<string, Float64Array>>;

export type Precision = "float32" | "float64";

export interface EngineDescription {
  /** Description of the device, such as the processor and the number of threads. */
  readonly device: string;
  /** Device memory in bytes; null where unknown. */
  readonly memory: number | null;
  /** Driver and version; null where unknown. */
  readonly driver: string | null;
  readonly precision: Precision;
  /** Versions of the libraries in use, by package name. */
  readonly libraries: Readonly<Record<string, string>>;
}

export interface CompileOptions {
  /** Threads one step may use. */
  readonly threads: number;
}

export interface Engine {
  describe(options: CompileOptions): EngineDescription;
  /** Compiles a program; all state starts at 0. */
  compile(program: Program, options: CompileOptions): Promise<Executable>;
}

export interface Executable {
  /**
   * Runs one procedure on the state.
   * @param inputs row-major values of the sizes and types that the procedure declares
   * @returns the procedure's outputs by name
   * @throws Error naming a missing or wrongly sized input
   */
  run(procedure: string, inputs?: Readonly<Record<string, InputValue>>): Promise<Readonly<Record<string, number>>>;
  /**
   * Adds the procedures of another program over the same state; new variables start at 0.
   * @throws Error when a shared variable differs or a procedure exists already
   */
  add(program: Program): void;
  /** A copy of the named state variables, all by default. */
  state(names?: readonly string[]): Promise<StateValues>;
  /** Overwrites the named state variables; the others stay. */
  restore(values: StateValues): void;
  dispose(): Promise<void>;
}

/** The named state variables. @throws Error naming an unknown one */
export function namedState(variables: readonly StateVariable[], names: readonly string[]): StateVariable[] {
  return names.map((name) => {
    const variable = variables.find((v) => v.name === name);
    if (!variable) throw new Error(`there is no state variable named ${name}`);
    return variable;
  });
}

/** @throws Error naming a value that is not a state variable or has another size */
export function checkState(variables: readonly StateVariable[], values: StateValues): void {
  for (const [name, value] of Object.entries(values)) {
    const [variable] = namedState(variables, [name]) as [StateVariable];
    if (value.length !== sizeOf(variable.shape)) {
      throw new Error(`state ${name} has ${value.length} values instead of ${sizeOf(variable.shape)}`);
    }
  }
}

/** @throws Error naming an input that is missing or has another size */
export function checkedInput(
  procedure: string,
  name: string,
  size: number,
  inputs: Readonly<Record<string, InputValue>>,
): InputValue {
  const value = inputs[name];
  if (!value) throw new Error(`${procedure}: input ${name} is missing`);
  if (value.length !== size) throw new Error(`${procedure}: input ${name} has ${value.length} values instead of ${size}`);
  return value;
}
