/** Whose file it is: the run, and the experiment as far as the trajectory depends on it. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { dataset, experiment as experimentSchema, fieldErrors, type Experiment } from "../../shared/experiment.ts";
import type { RunSummary } from "../../shared/run.ts";
import { CheckpointError } from "./container.ts";

/** The experiment a file was written with; files of older versions have its hash instead. */
export const writtenExperiment = z.union([z.string(), z.record(z.string(), z.unknown())]);

export interface Owner {
  readonly run: string;
  readonly experiment: z.infer<typeof writtenExperiment>;
}

/** All that the trajectory depends on: neither the name nor when it is evaluated. */
export function trajectoryOf({ name: _name, evaluation: _evaluation, ...rest }: Experiment): Record<string, unknown> {
  return rest;
}

/**
 * A field that did not exist yet when a file was written is at its default there.
 * @throws CheckpointError naming what differs, unless it was written by this run with this experiment
 */
export function requireOwner(file: Owner, run: Pick<RunSummary, "id" | "experiment">): void {
  if (file.run !== run.id) throw new CheckpointError(`it belongs to run ${file.run}`);
  if (typeof file.experiment === "string") {
    if (!hashesOf(run.experiment).includes(file.experiment)) throw new CheckpointError("it belongs to another experiment");
    return;
  }
  const written = experimentSchema.safeParse(file.experiment);
  if (!written.success) {
    const [{ path, message }] = fieldErrors(written.error) as [{ path: string; message: string }];
    throw new CheckpointError(`it was written by another version of Hypertower: ${path}: ${message}`);
  }
  const [difference] = differences(trajectoryOf(written.data), trajectoryOf(run.experiment));
  if (!difference) return;
  const [path, there, here] = difference;
  throw new CheckpointError(`it belongs to another experiment: ${path} is ${text(there)} there and ${text(here)} in the run`);
}

const text = (value: unknown) => (value === undefined ? "not given" : JSON.stringify(value));

type Difference = readonly [path: string, a: unknown, b: unknown];

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function differences(a: unknown, b: unknown, path = ""): Difference[] {
  if (isDeepStrictEqual(a, b)) return [];
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return [[path, a, b]];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) => differences(a[key], b[key], path ? `${path}.${key}` : key));
}

/** Fields of the dataset that came after files had hashes: a hash was taken with or without them. */
const laterFields = ["validation", "augmentation", "splitSeed"] as const;

/** The SHA-256 that files of older versions may have of an experiment. */
function hashesOf(experiment: Experiment): string[] {
  const { kind, facts } = experiment.dataset;
  const defaults = dataset.parse({ kind, facts });
  let datasets: Partial<Experiment["dataset"]>[] = [experiment.dataset];
  for (const field of laterFields) {
    if (!isDeepStrictEqual(experiment.dataset[field], defaults[field])) continue;
    datasets = datasets.flatMap((one) => [one, without(one, field)]);
  }
  const { shuffle, model, generator, ...rest } = trajectoryOf(experiment);
  // Files with a hash are older than the second generator.
  if (generator !== 1) return [];
  // Shuffled and without dropout goes without saying: it was so before there was a choice.
  return datasets.map((one) => hashOf({ ...rest, ...(shuffle ? {} : { shuffle }), model: withoutNoDropout(model), dataset: one }));
}

/** The same without every `dropout` of 0. */
function withoutNoDropout(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNoDropout);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (key === "dropout" && inner === 0 ? [] : [[key, withoutNoDropout(inner)]])));
}

function without<T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> {
  const { [key]: _left, ...rest } = object;
  return rest;
}

const hashOf = (value: unknown) => createHash("sha256").update(JSON.stringify(sorted(value))).digest("hex");

/** The same values with the fields of every object in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
