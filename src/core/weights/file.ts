/** Weights file: the weights of an evaluation, used for predictions. */
import { z } from "zod";
import { evaluation } from "../../shared/run.ts";
import { arrayEntry, CheckpointError, decodeContainer, encodeContainer, packArrays, readHeader, type Container } from "../checkpoint/container.ts";
import { writtenExperiment } from "../checkpoint/owner.ts";

const header = z.strictObject({
  run: z.string(),
  experiment: writtenExperiment,
  savedAt: z.number(),
  /** Result of evaluating these weights. */
  evaluation,
  arrays: z.array(arrayEntry.extend({ shape: z.array(z.int().min(0)) })),
});
type Header = z.infer<typeof header>;

/** A parameter or running statistic under PyTorch's name. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float64Array;
}

export interface Weights extends Omit<Header, "arrays"> {
  readonly arrays: readonly NamedArray[];
}

const container: Container<Header> = { magic: "HYPTWGTS", what: "weights file of Hypertower", version: 1, header };

export function encodeWeights({ arrays, ...rest }: Weights): Buffer {
  const { entries, bytes } = packArrays(arrays.map(({ name, values }) => [name, values] as const));
  return encodeContainer(container, { ...rest, arrays: entries.map((entry, i) => ({ ...entry, shape: [...arrays[i]!.shape] })) }, bytes);
}

/** Header of a weights file, without its array entries. */
export type WeightsHeader = Omit<Header, "arrays">;

/**
 * Reads the header only; see readHeader. @throws CheckpointError saying what is wrong with the file
 */
export async function readWeightsHeader(read: (at: number, length: number) => Promise<Buffer>, size: number): Promise<WeightsHeader> {
  const { arrays: _arrays, ...rest } = await readHeader(container, read, size, ({ arrays }) => arrays);
  return rest;
}

/** @throws CheckpointError saying what is wrong with the file */
export function decodeWeights(file: Buffer): Weights {
  const { header: head, arrays } = decodeContainer(container, file, (of) => of.arrays);
  return {
    ...head,
    arrays: head.arrays.map(({ name, shape, length }) => {
      if (shape.reduce((size, n) => size * n, 1) !== length) throw new CheckpointError(`it is damaged: ${name} has ${length} values for a shape of ${shape.join(" × ")}`);
      return { name, shape, values: arrays.get(name)! };
    }),
  };
}
