/** Imported networks in experiments: what an experiment records of one, and whether it fits the data. */
import { z } from "zod";
import { ModelError } from "./describe.ts";
import { filledInput, outputMeanings, type Filling, type OutputMeaning } from "./graph.ts";
import { sizeOf, type DataShape, type Shape } from "./shape.ts";

/** SHA-256 of a network's file, by which experiments name it. */
export const networkHash = /^[0-9a-f]{64}$/;

const size = z.int().min(1);
const shape = z.array(size).max(8);

/** Maximum number of layers that an experiment records; the summary of the network shows all. */
export const maxRecordedLayers = 2_000;

/** Maximum number of pairs of equal parameters that are recorded. */
export const maxAlike = 20;

/** What is recorded of a network, so that an experiment can be validated, shared and stored without its file. */
export const networkFacts = z.strictObject({
  /** Whether it is the arrays of a weights file alone, which runs begin from. */
  weightsOnly: z.literal(true).optional(),
  /** Its name when the experiment was written. */
  name: z.string().max(200),
  /** One example; the steps of a sequence of symbols are null where any number works, its vocabulary where the network does not tell. */
  input: z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("values"), shape }), z.strictObject({ kind: z.literal("tokens"), steps: size.nullable(), vocabulary: size.nullable() })]),
  /** Output for one example. */
  output: shape,
  /** What the output most likely means. */
  meaning: z.enum(outputMeanings),
  /** The batch size that the file is fixed to; null where any works. */
  batch: size.nullable(),
  /** The batch size that the file was fixed to, where the network was rebuilt for any. */
  rebuilt: size.optional(),
  /** Inputs that are made from the shape of the examples. */
  filled: z.array(filledInput).max(64).optional(),
  /** Parameters' names by the other names that they have in the library that the network came from. */
  tied: z.record(z.string().max(4096), z.string().max(4096)).optional(),
  /** Pairs of parameters that begin with the same values, and most likely are one. */
  alike: z.array(z.tuple([z.string().max(4096), z.string().max(4096)])).max(maxAlike).optional(),
  /** Nodes with parameters or products, in order. */
  layers: z
    .array(
      z.strictObject({
        /** Module or node, as the exporter names it. */
        name: z.string().max(4096),
        title: z.string().max(200),
        output: shape,
        /** By full name. */
        parameters: z.array(z.strictObject({ name: z.string().max(4096), shape })).max(100),
        /** Floating-point operations of one example's forward pass, in matrix products and convolutions. */
        flops: z.number().min(0),
      }),
    )
    .max(maxRecordedLayers),
  /** Number of values that the backward pass of one example needs, estimated. */
  kept: z.number().min(0),
});
export type NetworkFacts = z.output<typeof networkFacts>;

const fillingText: Readonly<Record<Filling, string>> = { ones: "ones", zeros: "zeros", positions: "positions, from 0 on" };

/** What was decided about a network when it was imported, one sentence each. */
export function remarksOf({ batch, rebuilt, filled = [], tied = {}, alike = [] }: NetworkFacts): string[] {
  return [
    ...Object.entries(tied).map(([alias, name]) => `${alias} and ${name} are one parameter.`),
    ...filled.map((one) => `The input ${one.name} is filled with ${fillingText[one.with]}.`),
    ...(rebuilt === undefined ? [] : [`The file was fixed to batches of ${rebuilt}; the network was rebuilt for any batch size.`]),
    ...(batch === null ? [] : [`The network takes batches of exactly ${batch}: set batchSize to ${batch}. Smaller ones, at the end of a set, are filled up with their own examples, which do not count.`]),
    ...alike.map(([a, b]) => `${a} and ${b} have the same values, and train apart. If they are one parameter, import the file again with --tie ${b}=${a}; in the window write ${b}=${a}.`),
  ];
}

export interface NetworkChoice {
  readonly network: string;
  readonly facts?: NetworkFacts | undefined;
  readonly output?: OutputMeaning | undefined;
  readonly steps?: number | undefined;
}

/** @throws ModelError where the network is not known here */
export function factsOfNetwork({ network, facts }: NetworkChoice): NetworkFacts {
  if (network === "") throw new ModelError("model.network is empty: name an imported network (hypertower models lists what there is)", ["model", "network"]);
  if (!facts) throw new ModelError(`there is no imported network ${network} here: import it first (hypertower models lists what there is)`, ["model", "network"]);
  if (facts.weightsOnly) throw new ModelError(`${facts.name} holds weights without a network: a run begins from them, and cannot train them as its model`, ["model", "network"]);
  return facts;
}

export const meaningOf = (choice: NetworkChoice): OutputMeaning => choice.output ?? factsOfNetwork(choice).meaning;

/** Phrases for the choice of a meaning and for messages. */
export const meaningText: Readonly<Record<OutputMeaning, string>> = {
  logits: "logits of the classes",
  logProbabilities: "log-probabilities of the classes",
  probabilities: "probabilities of the classes",
  quantity: "a predicted quantity",
  nextSymbols: "logits of the next symbol, at every position",
};

const text = (of: Shape) => of.join(" × ");

/**
 * How examples reach the network: as they are, as one row of numbers, or with the channels of an image last; null where
 * the shapes do not fit.
 */
export function inputForm(network: Shape, example: Shape): "same" | "reshaped" | "channelsLast" | null {
  const same = (a: Shape, b: Shape) => a.length === b.length && a.every((n, axis) => n === b[axis]);
  if (same(network, example)) return "same";
  const [channels, height, width] = example;
  if (example.length === 3 && same(network, [height!, width!, channels!])) return "channelsLast";
  // Axes of size 1 do not matter: 28 × 28 is 1 × 28 × 28.
  const long = (of: Shape) => of.filter((n) => n > 1);
  if (same(long(network), long(example)) || (network.length === 1 && network[0] === sizeOf(example))) return "reshaped";
  return null;
}

const fieldOf = (name: string) => ["model", name];

/** @throws ModelError saying how the network does not fit the data */
export function requireFit(choice: NetworkChoice, { input, classes }: DataShape): void {
  const facts = factsOfNetwork(choice);
  const { name, output } = facts;
  const meaning = meaningOf(choice);
  const problem = (message: string, field = "network") => new ModelError(`the network ${name} ${message}`, fieldOf(field));
  if (input.kind === "tokens") {
    if (facts.input.kind === "values") throw problem(`takes ${text(facts.input.shape)} numbers; the data is a text, which needs a network that takes symbols`);
    const { steps, vocabulary } = facts.input;
    if (steps !== null && choice.steps !== undefined && choice.steps !== steps) throw new ModelError(`model.steps is ${choice.steps}; the network ${name} takes ${steps} symbols at a time`, fieldOf("steps"));
    if (vocabulary !== null && vocabulary < input.vocabulary) throw problem(`knows ${vocabulary} symbols; the text has ${input.vocabulary}`);
    if (meaning === "quantity") throw problem("predicts a quantity by model.output; a text needs next symbols", "output");
    if (output.length !== 2) throw problem(`gives ${text(output)} for an example; a text needs logits of the next symbol at every position: steps × symbols`);
    if (output[1]! < classes) throw problem(`predicts one of ${output[1]} symbols; the text has ${classes}`);
    return;
  }
  if (facts.input.kind === "tokens") throw problem("takes symbols; the data has numbers: choose a text");
  if (inputForm(facts.input.shape, input.shape) === null) throw problem(`takes ${text(facts.input.shape)}; the examples are ${text(input.shape)}`);
  if (meaning === "nextSymbols") throw problem("predicts next symbols by model.output, which needs a text", "output");
  const isRegression = classes === 1;
  if (isRegression !== (meaning === "quantity")) {
    if (isRegression) throw problem(`gives ${meaningText[meaning]}; the data asks for a quantity: set model.output to quantity`, "output");
    throw problem(`predicts a quantity; the data has ${classes} classes: set model.output to logits, logProbabilities or probabilities`, "output");
  }
  if (sizeOf(output) !== classes) throw problem(`has ${sizeOf(output)} outputs; the data has ${isRegression ? "one quantity" : `${classes} classes`}`);
}
