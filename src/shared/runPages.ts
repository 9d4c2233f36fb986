/** How long lists of runs are divided. */
import { idParts } from "./requestLists.ts";

/** Runs in a part of a list: some milliseconds in the host. */
export const runsPerPage = 250;

/** Runs whose configurations are asked for at once. */
export const mostSummaries = 100;

/** Ids in parts that one request for configurations takes. */
export function summaryParts(ids: readonly string[]): string[][] {
  return idParts(ids, mostSummaries);
}

interface Listed {
  readonly id: string;
  readonly createdAt: number;
}

/** Where the part after this one begins; undefined when this is the last. */
export function nextPage(part: readonly Listed[]): Listed | undefined {
  const last = part.length < runsPerPage ? undefined : part.at(-1);
  return last && { id: last.id, createdAt: last.createdAt };
}
