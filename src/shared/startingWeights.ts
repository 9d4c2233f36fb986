/** Weights of a file that a run begins from, in experiments. */
import { z } from "zod";
import { networkHash } from "./models/network.ts";
import type { ModelConfig } from "./models/schema.ts";

const sha256 = z.string().regex(networkHash, "not a SHA-256");
const parameterName = z.string().max(4096);

export const startingWeights = z.strictObject(
  {
    /** SHA-256 of the arrays as the store keeps them, in `networks/`. */
    stored: sha256,
    /** SHA-256 of the file that they were read from. */
    sha256,
    /** Its name, for people. */
    file: z.string().max(300),
    /** Parameters and running statistics that the file gave. */
    given: z.array(parameterName).max(100_000),
    /** Those that it lacks, or has in another shape: they begin fresh. */
    fresh: z.array(parameterName).max(100_000),
  },
  { error: "weights must be the record of a file: begin from one with hypertower train --weights FILE" },
);
export type StartingWeights = z.output<typeof startingWeights>;

/** What of an experiment names networks' files. */
export interface NetworkChoices {
  readonly model: ModelConfig;
  readonly weights?: StartingWeights | undefined;
}

export interface NamedNetwork {
  readonly hash: string;
  readonly name: string;
}

/** The files of `networks/` that an experiment needs: an imported network, and the weights that it begins from. */
export function networksOf({ model, weights }: NetworkChoices): NamedNetwork[] {
  const trained = model.kind === "graph" ? [{ hash: model.network, name: model.facts?.name ?? model.network.slice(0, 12) }] : [];
  const begun = weights ? [{ hash: weights.stored, name: weights.file.slice(0, 100) }] : [];
  return [...trained, ...begun];
}

/** `begun from weights.safetensors (SHA-256 0123456789ab)`. */
export function startingText({ file, sha256, fresh }: StartingWeights): string {
  return `begun from the weights of ${file} (SHA-256 ${sha256.slice(0, 12)})${fresh.length > 0 ? `; fresh: ${fresh.slice(0, 10).join(", ")}${fresh.length > 10 ? ` and ${fresh.length - 10} more` : ""}` : ""}`;
}
