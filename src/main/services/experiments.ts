/** Validates experiments, fills in defaults, and checks that their dataset is available. */
import type { z } from "zod";
import type { presetInfo } from "../../shared/contract.ts";
import { ownKind, type DatasetChoice, type DatasetInfo } from "../../shared/datasets.ts";
import { asNew, experiment, validateExperiment, type Experiment } from "../../shared/experiment.ts";
import type { NetworkFacts } from "../../shared/models/network.ts";
import { presets } from "../../shared/presets.ts";
import { factsHere } from "../../core/datasets/index.ts";
import { UserError } from "./services.ts";

/** Imported networks, where a store has some. */
export interface NetworkCatalog {
  /** The network of this name, hash, or beginning of a hash. */
  find(named: string): { readonly hash: string; readonly facts: NetworkFacts } | undefined;
  /** Why an experiment's network cannot be used; null when it is ready. */
  problem(model: { readonly network: string }): string | null;
  /** Why an experiment cannot begin from its weights; null where it can, or begins fresh. */
  startingProblem(experiment: Pick<Experiment, "model" | "dataset" | "weights">): string | null;
}

export interface DatasetCatalog {
  /** Why an experiment's dataset cannot be used; null when it is ready. */
  problem(dataset: DatasetChoice): Promise<string | null>;
  list(): Promise<DatasetInfo[]>;
}

/** What experiments are made of. */
export interface Inputs extends DatasetCatalog {
  readonly networks?: NetworkCatalog;
}

/** The preset experiments, with defaults filled in. */
export function listPresets(): z.infer<typeof presetInfo>[] {
  return presets.map((preset) => ({ ...preset, experiment: experiment.parse(asNew(preset.experiment)) }));
}

export const isObject = (input: unknown): input is Readonly<Record<string, unknown>> => typeof input === "object" && input !== null && !Array.isArray(input);

/** Sets the facts that an experiment records of a user's own data, where this machine has the data. */
export async function withOwnFacts(input: unknown): Promise<unknown> {
  const dataset = isObject(input) ? input["dataset"] : undefined;
  if (!isObject(input) || !isObject(dataset) || typeof dataset["kind"] !== "string" || !ownKind.test(dataset["kind"])) return input;
  const facts = await factsHere(dataset["kind"]);
  return facts ? { ...input, dataset: { ...dataset, facts } } : input;
}

/** Names the network of an experiment by its hash and sets what the experiment records of it, where it is here. */
export function withNetworkFacts(input: unknown, networks: Pick<NetworkCatalog, "find"> | undefined): unknown {
  const model = isObject(input) ? input["model"] : undefined;
  if (!networks || !isObject(input) || !isObject(model) || model["kind"] !== "graph" || typeof model["network"] !== "string") return input;
  const found = networks.find(model["network"]);
  return found ? { ...input, model: { ...model, network: found.hash, facts: found.facts } } : input;
}

/** @throws UserError naming every invalid field, or why the dataset or the network cannot be used */
export async function usableExperiment(given: unknown, datasets: Inputs): Promise<Experiment> {
  const isRecorded = isObject(given) && isObject(given["model"]) && given["model"]["facts"] !== undefined;
  const validation = validateExperiment(isRecorded ? given : withNetworkFacts(given, datasets.networks));
  if (!validation.ok) {
    const details = validation.errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
    throw new UserError(`The experiment is not valid: ${details}.`, validation.errors);
  }
  const { kind } = validation.experiment.dataset;
  const problem = await datasets.problem(validation.experiment.dataset);
  if (problem !== null) {
    throw new UserError(`The dataset ${kind} cannot be used: ${problem}`, [{ path: "dataset.kind", message: problem }]);
  }
  const { model } = validation.experiment;
  const missing = model.kind === "graph" ? (datasets.networks?.problem(model) ?? null) : null;
  if (missing !== null) throw new UserError(`The network cannot be used: ${missing}`, [{ path: "model.network", message: missing }]);
  const unfit = datasets.networks?.startingProblem(validation.experiment) ?? null;
  if (unfit !== null) throw new UserError(`The run cannot begin from its weights: ${unfit}`, [{ path: "weights", message: unfit }]);
  return validation.experiment;
}
