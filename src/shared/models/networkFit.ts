/** Which datasets an imported network can learn. */
import { ownFactsOf, type DatasetInfo } from "../datasets.ts";
import { dataShape } from "./data.ts";
import { ModelError } from "./describe.ts";
import { requireFit, type NetworkChoice } from "./network.ts";

/** Why a network cannot learn a dataset; null if it can. */
export function misfit(network: NetworkChoice, info: Omit<DatasetInfo, "bytesHere">): string | null {
  const facts = ownFactsOf(info);
  try {
    requireFit(network, dataShape({ dataset: { kind: info.kind, ...(facts ? { facts } : {}) }, model: { kind: "graph", ...network } }));
    return null;
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
}
