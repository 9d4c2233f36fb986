/** Compares an ONNX file's network with another library's results on a batch. */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { readBatch } from "../../core/graphs/batchFile.ts";
import { checkGraphOn, type GraphCheck } from "../../core/graphs/check.ts";
import { readGraph } from "../../core/graphs/describe.ts";
import type { Fillings } from "../../core/graphs/fill.ts";
import type { Ties } from "../../core/graphs/ties.ts";
import { GraphError } from "../../core/graphs/errors.ts";
import type { EngineKind } from "../../shared/engines.ts";
import { messageOf } from "../../shared/errors.ts";
import { UserError } from "./services.ts";

export interface GraphCheckOrder {
  /** The ONNX file. */
  readonly file: string;
  /** The .npz file with x, y, loss and gradients. */
  readonly batch: string;
  readonly engine: EngineKind;
  /** Largest relative difference allowed; by default, what the precision of engine and files allows. */
  readonly tolerance?: number;
  /** The output to compare; the first by default. */
  readonly output?: string;
  readonly ties?: Ties;
  readonly fillings?: Fillings;
}

export interface GraphCheckResult extends GraphCheck {
  readonly agrees: boolean;
  readonly tolerance: number;
  readonly engine: EngineKind;
  readonly warnings: readonly string[];
}

/**
 * Tolerances of doubles throughout, and where anything is float32. PyTorch's own gradients of
 * doubles have errors of 3e-8 where a kernel keeps a constant as float32, such as hardsigmoid's 1/6.
 */
export const defaultTolerances = { double: 1e-7, single: 1e-3 } as const;

/** @throws UserError where a file cannot be read or does not fit */
export async function checkNetwork(order: GraphCheckOrder): Promise<GraphCheckResult> {
  const [file, batch] = await Promise.all([bytesOf(order.file), bytesOf(order.batch)]);
  try {
    const { description, tensors, warnings } = readGraph(file, { folder: dirname(order.file), ...(order.output === undefined ? {} : { output: order.output }), ...(order.ties ? { ties: order.ties } : {}), ...(order.fillings ? { fillings: order.fillings } : {}) });
    const check = await checkGraphOn(order.engine, description, tensors, readBatch(batch));
    const tolerance = order.tolerance ?? (check.double && order.engine === "reference" ? defaultTolerances.double : defaultTolerances.single);
    const agrees = check.largestRelativeDifference <= tolerance && check.missing.length === 0;
    return { ...check, agrees, tolerance, engine: order.engine, warnings };
  } catch (error) {
    if (error instanceof GraphError) throw new UserError(`${order.file}: ${error.message}`, undefined, { cause: error });
    throw error;
  }
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${messageOf(error)}`, undefined, { cause: error });
  }
}
