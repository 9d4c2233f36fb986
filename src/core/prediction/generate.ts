/** Generates text: reads the beginning, then samples one symbol at a time. */
import type { Experiment } from "../../shared/experiment.ts";
import { attends, textSteps } from "../../shared/models/data.ts";
import type { DataShape } from "../../shared/models/shape.ts";
import { Random } from "../models/random.ts";
import { modelOf } from "../networks/model.ts";
import { languageModelling } from "../tasks/languageModelling.ts";
import type { Alphabet } from "../../shared/alphabet.ts";
import type { NamedArray } from "../weights/file.ts";
import { buildPredictor, scoresOf } from "./program.ts";

export interface Continuation {
  /** Beginning of the text; at least one symbol. */
  readonly prime: string;
  /** Number of symbols to add. */
  readonly length: number;
  /**
   * Divides the logits: 1 as trained, lower is more conservative, 0 always takes the most probable
   * character.
   */
  readonly temperature: number;
  readonly seed: number;
}

/**
 * The continuation, without the prime; the same for the same weights and seed.
 * @param networks folder of imported networks
 * @throws Error naming characters that the training text does not contain
 */
export async function generate(experiment: Experiment, alphabet: Alphabet, weights: readonly NamedArray[], { prime, length, temperature, seed }: Continuation, networks?: string): Promise<string> {
  const codes = alphabet.codesOf(prime);
  if (codes.length === 0) throw new Error("the beginning is empty; give at least one symbol");

  const reader = await (attends(experiment.model) ? windowReader : recurrentReader)(experiment, alphabet.symbols.length, weights, networks);
  const random = new Random(seed, "generation", experiment.generator);
  try {
    const end = codes.length + length;
    // A network may know more symbols than the text has.
    while (codes.length < end) codes.push(drawn((await reader.after(codes)).subarray(0, alphabet.symbols.length), temperature, random));
    const text = alphabet.continuationOf(codes, end - length);
    return /\s$/u.test(prime) && text.startsWith(" ") ? text.slice(1) : text;
  } finally {
    await reader.dispose();
  }
}

/** Reads a text that grows at its end. */
interface Reader {
  /** Log probabilities of the symbol after `codes`, which continue those of the previous call. */
  after(codes: readonly number[]): Promise<Float64Array>;
  dispose(): Promise<void>;
}

async function predictor(experiment: Experiment, vocabulary: number, weights: readonly NamedArray[], steps: number, networks: string | undefined) {
  const data: DataShape = { input: { kind: "tokens", shape: [steps], vocabulary }, classes: vocabulary };
  const model = await modelOf(experiment.model, data, networks);
  return buildPredictor({ experiment, model, task: languageModelling({ model, steps }), batchSizes: [1], weights });
}

/** One symbol at a time: the hidden state carries the past. */
async function recurrentReader(experiment: Experiment, vocabulary: number, weights: readonly NamedArray[], networks?: string): Promise<Reader> {
  const { executable, width } = await predictor(experiment, vocabulary, weights, 1, networks);
  const scores = scoresOf(1);
  let read = 0;
  return {
    async after(codes) {
      for (; read < codes.length; read++) {
        await executable.run("predict@1", { symbols: Int32Array.of(codes[read]!), targets: Int32Array.of(0), carry: Float64Array.of(read > 0 ? 1 : 0) });
      }
      return (await executable.state([scores]))[scores]!.subarray(0, width);
    },
    dispose: () => executable.dispose(),
  };
}

/** The last symbols that fit into the context, at its beginning; what follows them cannot be seen. */
async function windowReader(experiment: Experiment, vocabulary: number, weights: readonly NamedArray[], networks?: string): Promise<Reader> {
  const context = textSteps(experiment.model);
  const { executable, width } = await predictor(experiment, vocabulary, weights, context, networks);
  const scores = scoresOf(1);
  return {
    async after(codes) {
      const seen = codes.slice(-context);
      const symbols = new Int32Array(context);
      symbols.set(seen);
      await executable.run("predict@1", { symbols, targets: new Int32Array(context) });
      return (await executable.state([scores]))[scores]!.subarray((seen.length - 1) * width, seen.length * width);
    },
    dispose: () => executable.dispose(),
  };
}

/** An index drawn with probability proportional to exp(logit / temperature). */
export function drawn(scores: Float64Array, temperature: number, random: Pick<Random, "uniform">): number {
  const best = scores.reduce((a, b) => Math.max(a, b));
  if (temperature === 0) return scores.indexOf(best);
  const weights = scores.map((score) => Math.exp((score - best) / temperature));
  let left = random.uniform() * weights.reduce((sum, weight) => sum + weight);
  const found = weights.findIndex((weight) => (left -= weight) < 0);
  // Rounding may leave a remainder at the end.
  return found >= 0 ? found : weights.findLastIndex((weight) => weight > 0);
}
