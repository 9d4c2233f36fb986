/** Weights file: the weights of an evaluation, used for predictions. */
import { z } from "zod";
import { evaluation } from "../../shared/run.ts";
import { arrayEntry, CheckpointError, decodeContainer, encodeContainer, packArrays, readHeader, type Container, type ReadBytes } from "../checkpoint/container.ts";
import { writtenExperiment } from "../checkpoint/owner.ts";
import { widthOf, type Dtype } from "../checkpoint/stateCodec.ts";

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
export async function readWeightsHeader(read: ReadBytes, size: number): Promise<WeightsHeader> {
  return (await readWeightsLayout(read, size)).header;
}

/** Where an array lies in a weights file: little-endian, row-major. */
export interface StoredArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  readonly length: number;
  /** First byte, and the one after the last. */
  readonly at: number;
  readonly end: number;
}

/** Reads the header and where each array lies. @throws CheckpointError saying what is wrong with the file */
export async function readWeightsLayout(read: ReadBytes, size: number): Promise<{ readonly header: WeightsHeader; readonly arrays: readonly StoredArray[] }> {
  const { header: head, end } = await readHeader(container, read, size, ({ arrays }) => arrays);
  const { arrays, ...rest } = head;
  let at = end;
  const stored = arrays.map((array) => {
    requireShape(array);
    const start = at;
    return { ...array, at: start, end: (at += array.length * widthOf[array.dtype]) };
  });
  return { header: rest, arrays: stored };
}

function requireShape({ name, shape, length }: Pick<StoredArray, "name" | "shape" | "length">): void {
  if (shape.reduce((size, n) => size * n, 1) !== length) throw new CheckpointError(`it is damaged: ${name} has ${length} values for a shape of ${shape.join(" × ")}`);
}

/** @throws CheckpointError saying what is wrong with the file */
export function decodeWeights(file: Buffer): Weights {
  const { header: head, arrays } = decodeContainer(container, file, (of) => of.arrays);
  return {
    ...head,
    arrays: head.arrays.map((array) => {
      requireShape(array);
      return { name: array.name, shape: array.shape, values: arrays.get(array.name)! };
    }),
  };
}
