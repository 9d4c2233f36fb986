/** A program whose state lives on the device, as tensors that one step's session answers and the next one's reads. */
import { Tensor, type InferenceSession } from "onnxruntime-node";
import { isScalar, sizeOf } from "../../../program/node.ts";
import { mergePrograms, type Program, type StateVariable } from "../../../program/program.ts";
import { checkState, namedState, type Executable, type InputValue, type StateValues } from "../../engine.ts";
import { DeviceProcedure, release, type DeviceState } from "./procedure.ts";
import { Transfer } from "./transfer.ts";

export class DeviceExecutable implements Executable {
  #program: Program;
  readonly #options: InferenceSession.SessionOptions;
  readonly #transfer: Transfer;
  /** What was restored is taken to the device by the first procedure that reads it. */
  readonly #state: DeviceState = { arrays: new Map(), scalars: new Map() };
  readonly #procedures = new Map<string, Promise<DeviceProcedure>>();

  constructor(program: Program, options: InferenceSession.SessionOptions) {
    this.#program = program;
    this.#options = options;
    this.#transfer = new Transfer(options);
    this.#declare(program.state);
  }

  add(program: Program): void {
    this.#program = mergePrograms(this.#program, program);
    this.#declare(program.state);
  }

  async run(name: string, inputs: Readonly<Record<string, InputValue>> = {}): Promise<Readonly<Record<string, number>>> {
    let compiling = this.#procedures.get(name);
    if (!compiling) {
      const procedure = this.#program.procedures[name];
      if (!procedure) throw new Error(`the program has no procedure ${name}`);
      this.#procedures.set(name, (compiling = DeviceProcedure.compile(name, procedure, this.#state, this.#options)));
    }
    const compiled = await compiling;
    await this.#bring(compiled.reads);
    return compiled.run(inputs);
  }

  async state(names: readonly string[] = this.#program.state.map(({ name }) => name)): Promise<StateValues> {
    const { arrays, scalars } = this.#state;
    const variables = namedState(this.#program.state, names);
    const away = variables.filter(({ name }) => arrays.get(name)?.location === "gpu-buffer");
    const brought = new Map((await this.#transfer.toHost(away.map(({ name }) => arrays.get(name)!))).map((values, i) => [away[i]!.name, values]));
    return Object.fromEntries(
      variables.map(({ name, shape }) => [
        name,
        shape.length === 0 ? Float64Array.of(scalars.get(name)!) : Float64Array.from(brought.get(name) ?? (arrays.get(name)!.data as Float32Array)),
      ]),
    );
  }

  restore(values: StateValues): void {
    checkState(this.#program.state, values);
    const { arrays, scalars } = this.#state;
    for (const [name, value] of Object.entries(values)) {
      if (scalars.has(name)) scalars.set(name, value[0]!);
      else this.#put(name, new Tensor("float32", Float32Array.from(value), arrays.get(name)!.dims));
    }
  }

  async dispose(): Promise<void> {
    for (const tensor of this.#state.arrays.values()) release(tensor);
    this.#state.arrays.clear();
    await Promise.all([this.#transfer.dispose(), ...[...this.#procedures.values()].map(async (procedure) => (await procedure).dispose())]);
    this.#procedures.clear();
  }

  async #bring(names: readonly string[]): Promise<void> {
    const { arrays } = this.#state;
    const here = names.filter((name) => arrays.get(name)!.location === "cpu");
    (await this.#transfer.toDevice(here.map((name) => arrays.get(name)!))).forEach((tensor, i) => this.#put(here[i]!, tensor));
  }

  #declare(variables: readonly StateVariable[]): void {
    const { arrays, scalars } = this.#state;
    for (const variable of variables) {
      const { name, shape } = variable;
      if (arrays.has(name) || scalars.has(name)) continue;
      if (isScalar(variable)) scalars.set(name, 0);
      else arrays.set(name, new Tensor("float32", new Float32Array(sizeOf(shape)), shape));
    }
  }

  #put(name: string, tensor: Tensor): void {
    release(this.#state.arrays.get(name)!);
    this.#state.arrays.set(name, tensor);
  }
}
