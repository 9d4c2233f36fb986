/** A model that begins from the weights of a file. */
import type { Experiment } from "../../shared/experiment.ts";
import type { Model } from "../models/model.ts";
import { NetworkError } from "./file.ts";
import { loadNetwork } from "./folder.ts";

/**
 * The model with the running statistics of the file, and the parameters that the file gives.
 * @param networks folder of imported networks
 * @throws NetworkError where the file cannot be read or lacks what the experiment says it gave
 */
export async function begunModel(model: Model, { weights }: Pick<Experiment, "weights">, networks: string | undefined): Promise<{ readonly model: Model; readonly values: Readonly<Record<string, Float64Array>> }> {
  if (!weights) return { model, values: {} };
  if (networks === undefined) throw new NetworkError(`the weights of ${weights.file} are not here: no store has been opened`);
  const { tensors } = await loadNetwork(networks, weights.stored);
  const fresh = new Set(weights.fresh);
  const valuesOf = ({ name, shape }: { readonly name: string; readonly shape: readonly number[] }): Float64Array | undefined => {
    if (fresh.has(name)) return undefined;
    const found = tensors.get(name);
    const shapes = [found?.shape, shape].map((of) => of?.join(" × "));
    if (!found || shapes[0] !== shapes[1]) throw new NetworkError(`the weights of ${weights.file} do not fit the model: ${name} is ${shapes[1] || "one number"} in the model and ${found ? shapes[0] || "one number" : "missing"} in the file; choose the file again`);
    return Float64Array.from(found.data);
  };
  const values = model.parameters.flatMap((parameter) => {
    const found = valuesOf(parameter);
    return found ? [[parameter.name, found] as const] : [];
  });
  const buffers = model.buffers.map((buffer) => (buffer.role === "carried" ? buffer : { ...buffer, initial: valuesOf(buffer) ?? buffer.initial }));
  return { model: { ...model, buffers }, values: Object.fromEntries(values) };
}
