/** The model of an experiment: built of layers, or an imported network. */
import { describeModel } from "../../shared/models/architecture.ts";
import { describedModel } from "../../shared/models/described.ts";
import { factsOfNetwork, meaningOf } from "../../shared/models/network.ts";
import type { ModelConfig, ModelConfigOf } from "../../shared/models/schema.ts";
import type { DataShape } from "../../shared/models/shape.ts";
import { graphModel } from "../graphs/model.ts";
import { buildModel } from "../models/build.ts";
import type { Model } from "../models/model.ts";
import { NetworkError } from "./file.ts";
import { loadNetwork } from "./folder.ts";

/**
 * @param networks folder of imported networks
 * @throws ModelError where the model does not fit the data, NetworkError where the network cannot be read
 */
export async function modelOf(config: ModelConfig, data: DataShape, networks?: string): Promise<Model> {
  return config.kind === "graph" ? importedModel(config, data, networks) : buildModel(describeModel(config, data));
}

async function importedModel(config: ModelConfigOf<"graph">, data: DataShape, networks: string | undefined): Promise<Model> {
  const { parameters } = describedModel(config, data);
  const facts = factsOfNetwork(config);
  if (networks === undefined) throw new NetworkError(`the network ${facts.name} is not here: no store has been opened`);
  const { description, tensors } = await loadNetwork(networks, config.network);
  const meant = { ...description, output: { ...description.output, meaning: meaningOf(config) } };
  const model = graphModel(meant, tensors, { start: config.start, exampleShape: data.input.shape });
  requireSame(facts.name, parameters, model.parameters);
  return { ...model, buffers: model.buffers.map((buffer) => ({ ...buffer, initial: model.bufferValues[buffer.name] ?? buffer.initial })) };
}

type Named = readonly { readonly name: string; readonly shape: readonly number[] }[];

/** @throws NetworkError where the experiment records other parameters than the file has */
function requireSame(name: string, recorded: Named, found: Named): void {
  const text = (list: Named) => new Map(list.map((one) => [one.name, one.shape.join(" × ")]));
  const [a, b] = [text(recorded), text(found)];
  const wrong = [...new Set([...a.keys(), ...b.keys()])].find((parameter) => a.get(parameter) !== b.get(parameter));
  if (wrong === undefined) return;
  throw new NetworkError(`the experiment records another network than the file of ${name}: ${wrong} is ${a.get(wrong) ?? "missing"} in the experiment and ${b.get(wrong) ?? "missing"} in the file; choose the network again`);
}
