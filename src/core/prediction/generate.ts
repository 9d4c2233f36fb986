/** Generates text with a character model: reads the prime, then samples one character at a time. */
import type { Experiment } from "../../shared/experiment.ts";
import { describeModel } from "../../shared/models/architecture.ts";
import type { DataShape } from "../../shared/models/shape.ts";
import { buildModel } from "../models/build.ts";
import { Random } from "../models/random.ts";
import { languageModelling } from "../tasks/languageModelling.ts";
import type { NamedArray } from "../weights/file.ts";
import { buildPredictor, scoresOf } from "./program.ts";

export interface Continuation {
  /** Beginning of the text; at least one character. */
  readonly prime: string;
  /** Number of characters to add. */
  readonly length: number;
  /**
   * Divides the logits: 1 as trained, lower is more conservative, 0 always takes the most probable
   * character.
   */
  readonly temperature: number;
  readonly seed: number;
}

/** Maximum number of characters that an error message lists. */
const maxNamed = 100;

/**
 * The continuation, without the prime; the same for the same weights and seed.
 * @throws Error naming characters that the training text does not contain
 */
export async function generate(experiment: Experiment, vocabulary: readonly string[], weights: readonly NamedArray[], { prime, length, temperature, seed }: Continuation): Promise<string> {
  const codes = new Map(vocabulary.map((character, code) => [character, code]));
  const given = Array.from(prime);
  const unknown = [...new Set(given.filter((character) => !codes.has(character)))];
  if (unknown.length > 0) throw new Error(`the training text does not contain ${unknown.slice(0, 10).map((character) => JSON.stringify(character)).join(", ")}; allowed: ${JSON.stringify(vocabulary.slice(0, maxNamed).join(""))}${vocabulary.length > maxNamed ? " and more" : ""}`);
  if (given.length === 0) throw new Error("the beginning is empty; give at least one character");

  // One character at a time: the hidden state carries the past.
  const data: DataShape = { input: { kind: "tokens", shape: [1], vocabulary: vocabulary.length }, classes: vocabulary.length };
  const model = buildModel(describeModel(experiment.model, data));
  const { executable, width } = await buildPredictor({ experiment, model, task: languageModelling({ model, steps: 1 }), batchSizes: [1], weights });
  const random = new Random(seed, "generation", experiment.generator);
  const scores = scoresOf(1);
  let carry = 0;
  const read = async (code: number) => {
    await executable.run("predict@1", { symbols: Int32Array.of(code), targets: Int32Array.of(0), carry: Float64Array.of(carry) });
    carry = 1;
  };
  try {
    for (const character of given) await read(codes.get(character)!);
    const written: string[] = [];
    while (written.length < length) {
      const code = drawn((await executable.state([scores]))[scores]!.subarray(0, width), temperature, random);
      written.push(vocabulary[code]!);
      await read(code);
    }
    return written.join("");
  } finally {
    await executable.dispose();
  }
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
