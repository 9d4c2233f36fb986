/**
 * Common base of the engines' executables: compiles procedures on first use, checks state,
 * disposes.
 */
import { mergePrograms, type Procedure, type Program, type StateVariable } from "../program/program.ts";
import { checkState, namedState, type Executable, type InputValue, type StateValues } from "./engine.ts";

type Inputs = Readonly<Record<string, InputValue>>;
type Outputs = Readonly<Record<string, number>>;

/** The engine-specific parts: where state lives, and how procedures are compiled and run. */
export interface ExecutableParts<Compiled> {
  /** Adds variables, initialized to 0. */
  declare(variables: readonly StateVariable[]): void;
  compile(name: string, procedure: Procedure): Compiled | Promise<Compiled>;
  run(compiled: Compiled, inputs: Inputs): Outputs | Promise<Outputs>;
  /** Copies in the order of `variables`. */
  read(variables: readonly StateVariable[]): readonly Float64Array[] | Promise<readonly Float64Array[]>;
  /** Copies a value of checked size into a declared variable. */
  write(name: string, value: Float64Array): void;
  /** Frees the state and every compiled procedure. */
  dispose(compiled: readonly Compiled[]): void | Promise<void>;
}

export class ProgramExecutable<Compiled> implements Executable {
  readonly #parts: ExecutableParts<Compiled>;
  readonly #compiled = new Map<string, Compiled | Promise<Compiled>>();
  #program: Program;

  constructor(program: Program, parts: ExecutableParts<Compiled>) {
    this.#program = program;
    this.#parts = parts;
    parts.declare(program.state);
  }

  async run(name: string, inputs: Inputs = {}): Promise<Outputs> {
    return this.#parts.run(await this.compiled(name), inputs);
  }

  add(program: Program): void {
    const known = new Set(this.#program.state.map(({ name }) => name));
    this.#program = mergePrograms(this.#program, program);
    this.#parts.declare(program.state.filter(({ name }) => !known.has(name)));
  }

  async state(names?: readonly string[]): Promise<StateValues> {
    const variables = this.variables(names);
    const values = await this.#parts.read(variables);
    return Object.fromEntries(variables.map(({ name }, i) => [name, values[i]!]));
  }

  restore(values: StateValues): void {
    checkState(this.#program.state, values);
    for (const [name, value] of Object.entries(values)) this.#parts.write(name, value);
  }

  async dispose(): Promise<void> {
    const all = await Promise.allSettled(this.#compiled.values());
    this.#compiled.clear();
    // A procedure that failed to compile has nothing to free.
    await this.#parts.dispose(all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
  }

  /** @throws Error naming an unknown procedure */
  protected compiled(name: string): Compiled | Promise<Compiled> {
    const known = this.#compiled.get(name);
    if (known !== undefined) return known;
    const procedure = this.#program.procedures[name];
    if (!procedure) throw new Error(`the program has no procedure ${name}`);
    const compiled = this.#parts.compile(name, procedure);
    this.#compiled.set(name, compiled);
    return compiled;
  }

  /** The named variables, all by default. @throws Error naming an unknown one */
  protected variables(names?: readonly string[]): readonly StateVariable[] {
    return names ? namedState(this.#program.state, names) : this.#program.state;
  }
}
