/** `hypertower import-model` and `hypertower models`: imported networks. */
import { resolve } from "node:path";
import type { DatasetInfo } from "../../../shared/datasets.ts";
import { formatBytes, formatCount, formatFlops } from "../../../shared/format.ts";
import { meaningText, remarksOf, type NetworkFacts } from "../../../shared/models/network.ts";
import type { Filling } from "../../../shared/models/graph.ts";
import { misfit } from "../../../shared/models/networkFit.ts";
import { weightCount } from "../../../shared/models/described.ts";
import type { NetworkInfo } from "../../../shared/networks.ts";
import { UserError, type Services } from "../../services/services.ts";
import { table } from "../format.ts";
import { closing, exitCodes, openServices, storeDirOf, type ProgramFiles } from "../session.ts";

export interface ModelsOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export interface ImportModelOptions extends ModelsOptions {
  readonly name?: string;
  readonly output?: string;
  readonly tie?: Record<string, string>;
  readonly fill?: Record<string, Filling>;
}

async function withServices(programFiles: ProgramFiles, { store }: ModelsOptions, work: (services: Services) => Promise<void>): Promise<number> {
  const services = await openServices(programFiles, storeDirOf(store));
  await closing(services, () => work(services));
  return exitCodes.ok;
}

const inputText = ({ input }: NetworkFacts) => (input.kind === "values" ? input.shape.join("x") : `${input.steps ?? "any number of"} symbols`);

function print(networks: readonly NetworkInfo[], json: boolean | undefined): void {
  if (json) {
    for (const network of networks) console.log(JSON.stringify(network));
    return;
  }
  const rows = networks.map(({ name, hash, facts, weights, bytes, problem }) => [name, hash.slice(0, 12), inputText(facts), facts.output.join("x") || "1", formatCount(weights), formatBytes(bytes), problem ?? (facts.weightsOnly ? "weights alone" : "ready")]);
  console.log(table([["NETWORK", "SHA-256", "INPUT", "OUTPUT", "PARAMETERS", "SIZE", "STATE"], ...rows]));
}

/** Imports an ONNX file into the store. */
export function importModel(programFiles: ProgramFiles, file: string, options: ImportModelOptions): Promise<number> {
  return withServices(programFiles, options, async ({ handlers }) => {
    const { network, added, warnings } = await handlers["networks.import"]({ path: resolve(file), name: options.name, output: options.output, ties: options.tie, fillings: options.fill });
    for (const warning of warnings) console.error(`warning: ${warning}`);
    if (options.json) {
      console.log(JSON.stringify({ network, added, warnings }));
      return;
    }
    if (!added) console.error(`The same network is here already, as ${network.name}.`);
    console.log(described(network, await handlers["datasets.list"]({})));
    console.log(`\ntrain it: hypertower train --set model.kind=graph --set model.network=${JSON.stringify(network.name)} --set dataset.kind=NAME`);
  });
}

export function listModels(programFiles: ProgramFiles, options: ModelsOptions): Promise<number> {
  return withServices(programFiles, options, async ({ handlers }) => {
    const networks = await handlers["networks.list"]({});
    if (networks.length === 0 && !options.json) console.error("no network has been imported yet: hypertower import-model FILE.onnx");
    else print(networks, options.json);
  });
}

export function showModel(programFiles: ProgramFiles, named: string, options: ModelsOptions & { readonly nodes?: boolean }): Promise<number> {
  return withServices(programFiles, options, async (services) => {
    const { handlers } = services;
    const detail = await handlers["networks.get"]({ network: await hashOf(services, named) });
    if (options.json) {
      console.log(JSON.stringify(detail));
      return;
    }
    console.log(described(detail, await handlers["datasets.list"]({})));
    const { runs, studies } = detail.usedBy;
    console.log(`\nused by ${runs} runs and ${studies} studies`);
    if (!options.nodes) return;
    console.log(`\n${table([["NODE", "OPERATOR", "MODULE"], ...detail.nodes.map(({ name, operator, module }) => [name || "–", operator, module || "–"])])}`);
    if (detail.nodeCount > detail.nodes.length) console.log(`and ${detail.nodeCount - detail.nodes.length} more`);
  });
}

export function renameModel(programFiles: ProgramFiles, named: string, name: string, options: ModelsOptions): Promise<number> {
  return withServices(programFiles, options, async (services) => {
    const renamed = await services.handlers["networks.rename"]({ network: await hashOf(services, named), name });
    if (options.json) console.log(JSON.stringify(renamed));
    else print([renamed], false);
  });
}

export function removeModel(programFiles: ProgramFiles, named: string, options: ModelsOptions): Promise<number> {
  return withServices(programFiles, options, async (services) => {
    print(await services.handlers["networks.remove"]({ network: await hashOf(services, named) }), options.json);
  });
}

/** @throws UserError where no network or several have this name or beginning of a hash */
async function hashOf({ handlers }: Services, named: string): Promise<string> {
  const networks = await handlers["networks.list"]({});
  const byHash = /^[0-9a-f]{6,64}$/.test(named) ? networks.filter(({ hash }) => hash.startsWith(named)) : [];
  const found = byHash.length > 0 ? byHash : networks.filter(({ name }) => name === named);
  const [first, ...more] = found;
  if (!first) throw new UserError(`there is no imported network ${named}; ${networks.length === 0 ? "none has been imported yet" : `known: ${networks.map(({ name }) => name).join(", ")}`}`);
  if (more.length > 0) throw new UserError(`${found.length} networks fit ${named}: ${found.map(({ name, hash }) => `${name} (${hash.slice(0, 12)})`).join(", ")}`);
  return first.hash;
}

function described(network: NetworkInfo, datasets: readonly DatasetInfo[]): string {
  const { facts } = network;
  const flops = facts.layers.reduce((sum, layer) => sum + layer.flops, 0);
  const fits = datasets.map((info) => ({ info, problem: misfit({ network: network.hash, facts }, info) }));
  const fitting = fits.filter(({ problem }) => problem === null).map(({ info }) => info.kind);
  const head: [string, string][] = [
    ["network", network.name],
    ["SHA-256", network.hash],
    ["imported from", network.source],
    ["exporter", network.producer || "unknown"],
    ["input", inputText(facts)],
    ["output", `${facts.output.join(" x ") || "1"}: ${meaningText[facts.meaning]} (guessed; set model.output to say otherwise)`],
    ["parameters", formatCount(network.weights)],
    ["operations", `${formatFlops(flops)} for an example's forward pass`],
    ["fits", fitting.length > 0 ? fitting.join(", ") : `none of the datasets here: ${fits[0]?.problem ?? ""}`],
    ...(network.problem === null ? [] : [["problem", network.problem] as [string, string]]),
  ];
  const rows = facts.layers.flatMap(({ name, title, output, parameters }) => [[name, title, output.join(" x "), formatCount(weightCount({ parameters }))], ...parameters.map((parameter) => [`  ${parameter.name}`, "", parameter.shape.join(" x "), ""])]);
  const remarks = remarksOf(facts);
  return [table(head), ...(remarks.length > 0 ? ["", ...remarks] : []), "", table([["LAYER", "OPERATOR", "SHAPE", "PARAMETERS"], ...rows])].join("\n");
}
