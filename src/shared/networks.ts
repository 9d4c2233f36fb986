/** Imported networks in requests: a list, details, import, rename and removal. */
import { z } from "zod";
import { fillings } from "./models/graph.ts";
import { networkFacts, networkHash } from "./models/network.ts";
import { startingWeights } from "./startingWeights.ts";

const hash = z.string().regex(networkHash, "not the SHA-256 of a network");
const one = z.strictObject({ network: hash });
const name = z.string().trim().min(1, "a name is needed").max(100, "at most 100 characters");

/** Files of this ending are offered. */
export const networkFileSuffix = ".onnx";

export const networkInfo = z.object({
  /** SHA-256 of its file, by which experiments name it. */
  hash,
  name: z.string(),
  /** File that it was imported from, or the archive or store that it came with. */
  source: z.string(),
  /** Program that exported it. */
  producer: z.string(),
  bytes: z.number(),
  /** Milliseconds since 1970. */
  createdAt: z.number(),
  /** Number of weights. */
  weights: z.number(),
  facts: networkFacts,
  /** Why it cannot be used; null when it is ready. */
  problem: z.string().nullable(),
});
export type NetworkInfo = z.infer<typeof networkInfo>;

/** Maximum number of nodes that a request answers. */
export const maxShownNodes = 2_000;

const shape = z.array(z.number().int());

/** A node that the input reaches. */
export const networkNode = z.object({
  /** As the exporter names it. */
  name: z.string(),
  /** Path of its module; "" where the file does not tell. */
  module: z.string(),
  operator: z.string(),
  /** Operator and what is particular about it: `Conv 3 × 3, stride 2`. */
  title: z.string(),
  /** Values by name; those that other nodes or the input make. */
  inputs: z.array(z.string()),
  outputs: z.array(z.string()),
  /** Of the first output, for one example. */
  shape,
  /** Those that it is the first to use, by full name. */
  parameters: z.array(z.object({ name: z.string(), shape })),
});
export type NetworkNode = z.infer<typeof networkNode>;

export const networkDetail = networkInfo.extend({
  /** Runs and studies that use it, those in the bin included. */
  usedBy: z.object({ runs: z.number().int(), studies: z.number().int() }),
  /** Nodes as the exporter names them, in order. */
  nodes: z.array(z.object({ name: z.string(), module: z.string(), operator: z.string() })),
  nodeCount: z.number().int(),
});
export type NetworkDetail = z.infer<typeof networkDetail>;

/** What the picture of a network shows. */
export const networkPicture = z.object({
  nodes: z.array(networkNode),
  /** Names of the values that come in and that are trained. */
  input: z.string(),
  output: z.string(),
});
export type NetworkPicture = z.infer<typeof networkPicture>;

export const networkImport = z.object({
  network: networkInfo,
  /** False where the same network was here already. */
  added: z.boolean(),
  /** What a user should know before training. */
  warnings: z.array(z.string()),
});
export type NetworkImport = z.infer<typeof networkImport>;

const arrayName = z.string().trim().min(1, "a name is needed").max(4096);

export const networkImportRequest = z.strictObject({
  path: z.string().trim().min(1, "a path is needed").max(4096),
  name: name.optional(),
  /** Output to train; the first by default. */
  output: z.string().max(4096).optional(),
  /** Arrays that are one parameter: its name by its other names. */
  ties: z.record(arrayName, arrayName).optional(),
  /** What inputs beside the examples hold; those of well-known names are filled in anyway. */
  fillings: z.record(arrayName, z.enum(fillings)).optional(),
});
export type NetworkImportRequest = z.infer<typeof networkImportRequest>;

export const beginRequest = z.strictObject({
  experiment: z.unknown(),
  /** A .safetensors or .npz file of the host's machine, or the last evaluated weights of a run. */
  from: z.union([z.strictObject({ path: z.string().trim().min(1, "a path is needed").max(4096) }), z.strictObject({ run: z.string().min(1).max(200) })]),
  /** Whether parameters that the file lacks, or has in another shape, begin fresh. */
  partial: z.boolean().default(false),
  /** Whether arrays of other names are taken by their shapes. */
  byShape: z.boolean().default(false),
});
export type BeginRequest = z.output<typeof beginRequest>;

export const beginning = z.object({
  /** What the experiment records. */
  weights: startingWeights,
  /** What a user should know before training. */
  remarks: z.array(z.string()),
});
export type Beginning = z.infer<typeof beginning>;

/** Requests about imported networks; part of the contract. */
export const networkRequests = {
  "networks.list": { input: z.strictObject({}).default({}), output: z.array(networkInfo) },
  "networks.get": { input: one, output: networkDetail },
  /** Refused for a network of more than `maxShownNodes` nodes. */
  "networks.picture": { input: one, output: networkPicture },
  /** Imports an ONNX file of the host's machine: all of it, or nothing. By default it is named after the file. */
  "networks.import": { input: networkImportRequest, output: networkImport },
  /** Keeps weights that runs of the experiment can begin from: all that is needed, or nothing. */
  "networks.begin": { input: beginRequest, output: beginning },
  "networks.rename": { input: one.extend({ name }), output: networkInfo },
  /** Refused while a run or study uses it, those in the bin included. */
  "networks.remove": { input: one, output: z.array(networkInfo) },
} as const;

export const networkEvents = {
  /** A network was imported, renamed or removed here. */
  "networks.changed": z.object({}),
} as const;
