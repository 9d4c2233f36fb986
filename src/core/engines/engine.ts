/** What every engine is: it executes programs, keeps their state, and knows nothing of towers. */
import type { Program, StateVariable } from "../program/program.ts";
import { sizeOf } from "../program/node.ts";

export type InputValue = Float64Array | Float32Array | Int32Array | Uint8Array;

/** Values of state variables by name, row-major; float64 holds every engine's precision exactly. */
export type StateValues = Readonly<Record<string, Float64Array>>;

export type Precision = "float32" | "float64";

export interface EngineDescription {
  /** Device in words, e.g. the processor's name and the number of threads. */
  readonly device: string;
  /** Memory of the device in bytes, where the system says so. */
  readonly memory: number | null;
  /** Driver of the device with its version, where it has one that says so. */
  readonly driver: string | null;
  readonly precision: Precision;
  /** Versions of the libraries at work, by package name. */
  readonly libraries: Readonly<Record<string, string>>;
}

export interface CompileOptions {
  /** Threads one step may use. */
  readonly threads: number;
}

export interface Engine {
  describe(options: CompileOptions): EngineDescription;
  /** All state starts at 0. */
  compile(program: Program, options: CompileOptions): Promise<Executable>;
}

export interface Executable {
  /**
   * Runs one procedure on the state it keeps.
   * @param inputs row-major values, of the size and type the procedure's inputs declare
   * @returns the procedure's outputs by name
   * @throws Error naming a missing or wrongly sized input
   */
  run(procedure: string, inputs?: Readonly<Record<string, InputValue>>): Promise<Readonly<Record<string, number>>>;
  /**
   * Adds the procedures of another program over the same state; variables it brings along start at 0.
   * @throws Error when it disagrees about a variable or brings a procedure that is there
   */
  add(program: Program): void;
  /** A copy of the state, or of the variables that are named. */
  state(names?: readonly string[]): Promise<StateValues>;
  /** Overwrites the state variables that are named; the others stay. */
  restore(values: StateValues): void;
  dispose(): Promise<void>;
}

/** The state variables that are named. @throws Error naming one that is none */
export function namedState(variables: readonly StateVariable[], names: readonly string[]): StateVariable[] {
  return names.map((name) => {
    const variable = variables.find((v) => v.name === name);
    if (!variable) throw new Error(`there is no state variable named ${name}`);
    return variable;
  });
}

/** @throws Error naming a value that is no state variable or of another size. */
export function checkState(variables: readonly StateVariable[], values: StateValues): void {
  for (const [name, value] of Object.entries(values)) {
    const [variable] = namedState(variables, [name]) as [StateVariable];
    if (value.length !== sizeOf(variable.shape)) {
      throw new Error(`state ${name} has ${value.length} values instead of ${sizeOf(variable.shape)}`);
    }
  }
}

/** @throws Error naming an input that is missing or of another size. */
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
