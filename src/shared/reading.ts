/** How a run's saved weights read one example: predictions at every position, and attention. */
import { z } from "zod";
import { kept, keptName } from "./kept.ts";

const runId = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/, "not a run id");

export const readSets = ["validation", "test"] as const;

const whole = (what: string) => z.int(`${what} must be a whole number`).min(0, `${what} must be at least 0`).max(2 ** 31 - 1, `${what} must be at most 2147483647`);

export const maxTyped = 20_000;

export const readExample = z.discriminatedUnion(
  "from",
  [
    z.strictObject({ from: z.literal("text"), set: z.enum(readSets, { error: "set must be validation or test" }).default("test"), position: whole("position").default(0) }),
    z.strictObject({ from: z.literal("typed"), text: z.string({ error: "text must be a text" }).min(1, "the text is empty; type at least one symbol").max(maxTyped, `the text may have at most ${maxTyped} characters`) }),
    z.strictObject({ from: z.literal("example"), index: whole("index").default(0) }),
  ],
  { error: "example.from must be one of: text, typed, example" },
);
export type ReadExample = z.output<typeof readExample>;

export const readingRequest = z.strictObject({
  run: runId,
  checkpoint: keptName.default("best"),
  example: readExample,
  /** Attention whose weights are sent, by its index among the modules. */
  module: whole("module").default(0),
});
export type ReadingRequest = z.output<typeof readingRequest>;

const ranked = z.array(z.object({ name: z.string(), probability: z.number() }));

export const readingReply = z.object({
  kept,
  /** Symbols of a text in the order read; empty for labelled examples. */
  symbols: z.array(
    z.object({
      name: z.string(),
      /** Of the symbol that follows; null where none does. */
      next: z.object({ name: z.string(), probability: z.number(), /** In nats. */ loss: z.number() }).nullable(),
      /** Most probable next symbols. */
      ranked,
    }),
  ),
  /** Number of symbols of the text of the dataset; null for others. */
  length: z.number().int().nullable(),
  /** Most probable classes, or the predicted value; null for texts. */
  example: z.object({ actual: z.string(), predicted: z.string(), ranked }).nullable(),
  /** Attention in the order of the forward pass. */
  modules: z.array(z.object({ name: z.string(), heads: z.number().int(), queries: z.number().int(), keys: z.number().int(), /** No query sees a later key. */ causal: z.boolean() })),
  /** `[heads, queries, keys]` of the requested module as float32, base64; null without attention. */
  weights: z.string().nullable(),
});
export type ReadingReply = z.infer<typeof readingReply>;
export type AttentionModule = ReadingReply["modules"][number];

export const readingRequests = {
  /** Reads one example with the saved weights. */
  "predictions.reading": { input: readingRequest, output: readingReply },
} as const;

/** Attention as files; without a module in pictures, the first. */
export const attentionFormats = ["npz", "csv", "json", "svg", "png"] as const;
export type AttentionFormat = (typeof attentionFormats)[number];

/** Name of a report's file with the attention on an example. */
export const attentionFile = (format: AttentionFormat): string => `attention.${format}`;

export function attentionFormatOf(file: string): AttentionFormat | undefined {
  return attentionFormats.find((format) => attentionFile(format) === file);
}

/** What a report's file with attention is of; beside its `of` and `file`. */
export const attentionOf = readingRequest.omit({ run: true }).extend({
  /** Head of a picture; null for the mean and all heads. */
  head: whole("head").or(z.literal("mean")).nullable().default(null),
});
export type AttentionOf = z.output<typeof attentionOf>;

/** Bytes of a base64 text as float32. */
export function decodeFloats(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/** A symbol as it is shown: spaces and control characters are visible. */
export function shownSymbol(name: string): string {
  if (name === " ") return "␣";
  if (name === "\n") return "⏎";
  if (name === "\t") return "⇥";
  return name.replace(/[\u0000-\u001f\u007f]/g, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** Mean over the heads. @param weights `[heads, queries, keys]` */
export function headMean(weights: Float32Array, heads: number): Float32Array {
  const size = weights.length / heads;
  return Float32Array.from({ length: size }, (_, i) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += weights[head * size + i]!;
    return sum / heads;
  });
}
