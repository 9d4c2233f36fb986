/** Validates experiments, fills in defaults, and checks that their dataset is available. */
import type { z } from "zod";
import type { presetInfo } from "../../shared/contract.ts";
import { ownKind, type DatasetChoice, type DatasetInfo } from "../../shared/datasets.ts";
import { asNew, experiment, validateExperiment, type Experiment } from "../../shared/experiment.ts";
import { presets } from "../../shared/presets.ts";
import { factsHere } from "../../core/datasets/index.ts";
import { UserError } from "./services.ts";

export interface DatasetCatalog {
  /** Why an experiment's dataset cannot be used; null when it is ready. */
  problem(dataset: DatasetChoice): Promise<string | null>;
  list(): Promise<DatasetInfo[]>;
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

/** @throws UserError naming every invalid field, or why the dataset cannot be used */
export async function usableExperiment(input: unknown, datasets: DatasetCatalog): Promise<Experiment> {
  const validation = validateExperiment(input);
  if (!validation.ok) {
    const details = validation.errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
    throw new UserError(`The experiment is not valid: ${details}.`, validation.errors);
  }
  const { kind } = validation.experiment.dataset;
  const problem = await datasets.problem(validation.experiment.dataset);
  if (problem !== null) {
    throw new UserError(`The dataset ${kind} cannot be used: ${problem}`, [{ path: "dataset.kind", message: problem }]);
  }
  return validation.experiment;
}
