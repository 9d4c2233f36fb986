/** Owner of a file: the run, and the part of its experiment that the trajectory depends on. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { dataset, experiment as experimentSchema, fieldErrors, type Experiment } from "../../shared/experiment.ts";
import type { RunSummary } from "../../shared/run.ts";
import { CheckpointError } from "./container.ts";

/** The experiment that wrote the file; older files have its hash instead. */
export const writtenExperiment = z.union([z.string(), z.record(z.string(), z.unknown())]);

export interface Owner {
  readonly run: string;
  readonly experiment: z.infer<typeof writtenExperiment>;
}

/** Everything that the trajectory depends on: all but the name and the evaluation schedule. */
export function trajectoryOf({ name: _name, evaluation: _evaluation, ...rest }: Experiment): Record<string, unknown> {
  return rest;
}

/**
 * A field newer than the file counts as its default.
 * @throws CheckpointError naming the difference, unless this run wrote the file with this
 * experiment
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

/** Dataset fields that are newer than hashes: a hash may include them or not. */
const laterFields = ["validation", "augmentation", "splitSeed"] as const;

/** SHA-256 hashes that older versions may have stored for an experiment. */
function hashesOf(experiment: Experiment): string[] {
  const { kind, facts } = experiment.dataset;
  const defaults = dataset.parse({ kind, facts });
  let datasets: Partial<Experiment["dataset"]>[] = [experiment.dataset];
  for (const field of laterFields) {
    if (!isDeepStrictEqual(experiment.dataset[field], defaults[field])) continue;
    datasets = datasets.flatMap((one) => [one, without(one, field)]);
  }
  const { shuffle, model, generator, ...rest } = trajectoryOf(experiment);
  // Files with a hash predate the second generator.
  if (generator !== 1) return [];
  // Shuffling and no dropout were implied before they became options.
  return datasets.map((one) => hashOf({ ...rest, ...(shuffle ? {} : { shuffle }), model: withoutNoDropout(model), dataset: one }));
}

/** The same value without any `dropout: 0`. */
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

/** The same value with object keys in sorted order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}
