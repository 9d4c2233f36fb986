/**
 * Trains many runs of one program together, on any engine. Each run has a seat: an Executable of
 * its own to run, read and restore, unaware of the others. A procedure is executed for all runs at
 * once, after every active run has requested it.
 */
import { sizeOf } from "../program/node.ts";
import { batched, batchedState, membersInput, resultsOf } from "../program/batching/batched.ts";
import type { Program } from "../program/program.ts";
import { checkedInput, checkState, namedState, type CompileOptions, type Engine, type Executable, type InputValue, type StateValues } from "./engine.ts";

type Inputs = Readonly<Record<string, InputValue>>;

interface Request {
  readonly member: number;
  readonly procedure: string;
  readonly inputs: Inputs;
  readonly resolve: (outputs: Readonly<Record<string, number>>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A run's seat in a cohort. Disposing it leaves the cohort; the last one to leave ends the cohort.
 */
export interface Seat extends Executable {
  /** Stops participating: the others continue without it, and its state stays. */
  rest(): void;
  rejoin(): void;
}

/** A compiled variant of a procedure: which inputs are shared, and whether some runs are masked. */
interface Variant {
  readonly name: string;
  readonly shared: ReadonlySet<string>;
  readonly masked: boolean;
  /** Values of all runs, concatenated, by input. */
  readonly buffers: Map<string, InputValue>;
}

/**
 * @param program program of a single run
 * @param runs number of seats
 */
export async function compileCohort(engine: Engine, program: Program, runs: number, options: CompileOptions): Promise<Seat[]> {
  const executable = await engine.compile({ state: batchedState(program.state, runs), procedures: {} }, options);
  const cohort = new Cohort(program, runs, executable);
  return Array.from({ length: runs }, (_, member) => cohort.seat(member));
}

class Cohort {
  readonly #program: Program;
  readonly #runs: number;
  readonly #executable: Executable;
  readonly #variants = new Map<string, Variant>();
  /** Runs that participate, and those of them that a procedure waits for. */
  readonly #seated: Set<number>;
  readonly #takingPart: Set<number>;
  readonly #asked = new Map<number, Request>();
  /** State restored for single runs since the last execution, by variable. */
  readonly #restored = new Map<string, Map<number, Float64Array>>();
  /** Values of variables for all runs, cached until they change. */
  readonly #read = new Map<string, Promise<Float64Array>>();
  #running = false;

  constructor(program: Program, runs: number, executable: Executable) {
    this.#program = program;
    this.#runs = runs;
    this.#executable = executable;
    const all = Array.from({ length: runs }, (_, member) => member);
    this.#seated = new Set(all);
    this.#takingPart = new Set(all);
  }

  seat(member: number): Seat {
    return {
      run: (procedure, inputs = {}) => this.#ask(member, procedure, inputs),
      add: () => {
        throw new Error("procedures cannot be added to a single member of a cohort");
      },
      state: (names = this.#program.state.map(({ name }) => name)) => this.#stateOf(member, names),
      restore: (values) => {
        checkState(this.#program.state, values);
        for (const [name, value] of Object.entries(values)) {
          if (!this.#restored.has(name)) this.#restored.set(name, new Map());
          this.#restored.get(name)!.set(member, value);
        }
      },
      dispose: () => this.#leave(member),
      rest: () => {
        this.#takingPart.delete(member);
        this.#proceed();
      },
      rejoin: () => {
        if (this.#seated.has(member)) this.#takingPart.add(member);
      },
    };
  }

  #ask(member: number, procedure: string, inputs: Inputs): Promise<Readonly<Record<string, number>>> {
    return new Promise((resolve, reject) => {
      if (!this.#seated.has(member)) throw new Error(`run ${member} has left its cohort`);
      const declared = this.#program.procedures[procedure];
      if (!declared) throw new Error(`the program has no procedure ${procedure}`);
      for (const { attributes, shape } of declared.inputs) checkedInput(procedure, attributes.name, sizeOf(shape), inputs);
      this.#asked.set(member, { member, procedure, inputs, resolve, reject });
      this.#proceed();
    });
  }

  /** Executes the requests, once all participants have asked. */
  #proceed(): void {
    if (this.#running || this.#asked.size === 0) return;
    for (const member of this.#takingPart) if (!this.#asked.has(member)) return;
    this.#running = true;
    void this.#round().finally(() => {
      this.#running = false;
      this.#proceed();
    });
  }

  /**
   * Executes one procedure. Among several, the one with the fewest requests: those runs catch up
   * (an
   * evaluation, a last step) and then continue with the others.
   */
  async #round(): Promise<void> {
    const groups = [...Map.groupBy(this.#asked.values(), ({ procedure }) => procedure)];
    const [procedure, requests] = groups.reduce((least, group) => (group[1].length < least[1].length ? group : least));
    for (const { member } of requests) this.#asked.delete(member);
    try {
      const outputs = await this.#execute(procedure, requests);
      requests.forEach(({ resolve }, i) => resolve(outputs[i]!));
    } catch (error) {
      for (const { reject } of requests) reject(error);
    }
  }

  /** Outputs of a procedure for each request. */
  async #execute(procedure: string, requests: readonly Request[]): Promise<Readonly<Record<string, number>>[]> {
    await this.#writeRestored();
    const variant = this.#variant(procedure, requests);
    this.#read.clear();
    await this.#executable.run(variant.name, this.#inputs(variant, procedure, requests));
    const names = Object.keys(this.#program.procedures[procedure]!.outputs);
    if (names.length === 0) return requests.map(() => ({}));
    const results = (await this.#executable.state([resultsOf(variant.name)]))[resultsOf(variant.name)]!;
    return requests.map(({ member }) => Object.fromEntries(names.map((name, i) => [name, results[i * this.#runs + member]!])));
  }

  /** The variant of a procedure for these runs; compiled on first use. */
  #variant(procedure: string, requests: readonly Request[]): Variant {
    const asking = new Set(requests.map(({ member }) => member));
    const masked = [...this.#seated].some((member) => !asking.has(member));
    const declared = this.#program.procedures[procedure]!;
    const inputs = declared.inputs.map(({ attributes }) => attributes.name);
    const shared = new Set(inputs.filter((name) => requests.every((request) => sameView(request.inputs[name]!, requests[0]!.inputs[name]!))));
    const name = [procedure, ...(masked ? ["for some"] : []), ...(shared.size > 0 ? ["with one", [...shared].join(" and ")] : [])].join(" ");
    let variant = this.#variants.get(name);
    if (!variant) {
      const single = { state: this.#program.state, procedures: { [name]: declared } };
      this.#executable.add(batched(single, this.#runs, { masked, shared: (input) => shared.has(input) }));
      this.#variants.set(name, (variant = { name, shared, masked, buffers: new Map() }));
    }
    return variant;
  }

  #inputs({ shared, masked, buffers }: Variant, procedure: string, requests: readonly Request[]): Inputs {
    const inputs: Record<string, InputValue> = {};
    for (const { attributes: { name }, shape } of this.#program.procedures[procedure]!.inputs) {
      const first = requests[0]!.inputs[name]!;
      if (shared.has(name)) {
        inputs[name] = first;
        continue;
      }
      let all = buffers.get(name);
      if (!all) buffers.set(name, (all = emptyLike(first, this.#runs * sizeOf(shape))));
      for (const request of requests) all.set(request.inputs[name]!, request.member * sizeOf(shape));
      inputs[name] = all;
    }
    if (masked) {
      const members = new Float32Array(this.#runs);
      for (const { member } of requests) members[member] = 1;
      inputs[membersInput] = members;
    }
    return inputs;
  }

  async #stateOf(member: number, names: readonly string[]): Promise<StateValues> {
    const values = namedState(this.#program.state, names).map(async ({ name, shape }) => {
      const given = this.#restored.get(name)?.get(member);
      if (given) return [name, given.slice()] as const;
      const size = sizeOf(shape);
      return [name, (await this.#valuesOf(name)).slice(member * size, (member + 1) * size)] as const;
    });
    return Object.fromEntries(await Promise.all(values));
  }

  /** A variable of all runs; concurrent readers share one read. */
  #valuesOf(name: string): Promise<Float64Array> {
    let values = this.#read.get(name);
    if (!values) this.#read.set(name, (values = this.#executable.state([name]).then((state) => state[name]!)));
    return values;
  }

  async #writeRestored(): Promise<void> {
    for (const [name, given] of this.#restored) {
      const size = sizeOf(namedState(this.#program.state, [name])[0]!.shape);
      const all = given.size === this.#runs ? new Float64Array(this.#runs * size) : (await this.#valuesOf(name)).slice();
      for (const [member, value] of given) all.set(value, member * size);
      this.#executable.restore({ [name]: all });
    }
    this.#restored.clear();
  }

  async #leave(member: number): Promise<void> {
    if (!this.#seated.delete(member)) return;
    this.#takingPart.delete(member);
    this.#asked.delete(member);
    for (const given of this.#restored.values()) given.delete(member);
    this.#read.clear();
    if (this.#seated.size === 0) await this.#executable.dispose();
    else this.#proceed();
  }
}

/** Whether two inputs view the same memory. */
function sameView(a: InputValue, b: InputValue): boolean {
  return a === b || (a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length && a.constructor === b.constructor);
}

function emptyLike(array: InputValue, length: number): InputValue {
  if (array instanceof Uint8Array) return new Uint8Array(length);
  if (array instanceof Int32Array) return new Int32Array(length);
  return array instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}
