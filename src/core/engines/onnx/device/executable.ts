/** State that lives on the device, as tensors that one step's session answers and the next one's reads. */
import { Tensor, type SessionOptions } from "../runtime.ts";
import { isScalar, sizeOf } from "../../../program/node.ts";
import type { Procedure, StateVariable } from "../../../program/program.ts";
import type { InputValue } from "../../engine.ts";
import type { ExecutableParts } from "../../executable.ts";
import { DeviceProcedure, release, type DeviceState } from "./procedure.ts";
import { Transfer } from "./transfer.ts";

export class DeviceParts implements ExecutableParts<DeviceProcedure> {
  readonly #options: SessionOptions;
  readonly #transfer: Transfer;
  /** A restored array is copied to the device by the first procedure that reads it. */
  readonly #state: DeviceState = { arrays: new Map(), scalars: new Map() };

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#transfer = new Transfer(options);
  }

  declare(variables: readonly StateVariable[]): void {
    const { arrays, scalars } = this.#state;
    for (const variable of variables) {
      const { name, shape } = variable;
      if (isScalar(variable)) scalars.set(name, 0);
      else arrays.set(name, new Tensor("float32", new Float32Array(sizeOf(shape)), shape));
    }
  }

  compile(name: string, procedure: Procedure): Promise<DeviceProcedure> {
    return DeviceProcedure.compile(name, procedure, this.#state, this.#options);
  }

  async run(compiled: DeviceProcedure, inputs: Readonly<Record<string, InputValue>>): Promise<Readonly<Record<string, number>>> {
    await this.#bring(compiled.reads);
    return compiled.run(inputs);
  }

  async read(variables: readonly StateVariable[]): Promise<readonly Float64Array[]> {
    const { arrays, scalars } = this.#state;
    const away = variables.filter(({ name }) => arrays.get(name)?.location === "gpu-buffer");
    const brought = new Map((await this.#transfer.toHost(away.map(({ name }) => arrays.get(name)!))).map((values, i) => [away[i]!.name, values]));
    return variables.map((variable) => {
      const { name } = variable;
      return isScalar(variable) ? Float64Array.of(scalars.get(name)!) : Float64Array.from(brought.get(name) ?? (arrays.get(name)!.data as Float32Array));
    });
  }

  write(name: string, value: Float64Array): void {
    const { arrays, scalars } = this.#state;
    if (scalars.has(name)) scalars.set(name, value[0]!);
    else this.#put(name, new Tensor("float32", Float32Array.from(value), arrays.get(name)!.dims));
  }

  async dispose(compiled: readonly DeviceProcedure[]): Promise<void> {
    for (const tensor of this.#state.arrays.values()) release(tensor);
    this.#state.arrays.clear();
    await Promise.all([this.#transfer.dispose(), ...compiled.map((procedure) => procedure.dispose())]);
  }

  async #bring(names: readonly string[]): Promise<void> {
    const { arrays } = this.#state;
    const here = names.filter((name) => arrays.get(name)!.location === "cpu");
    (await this.#transfer.toDevice(here.map((name) => arrays.get(name)!))).forEach((tensor, i) => this.#put(here[i]!, tensor));
  }

  #put(name: string, tensor: Tensor): void {
    release(this.#state.arrays.get(name)!);
    this.#state.arrays.set(name, tensor);
  }
}
