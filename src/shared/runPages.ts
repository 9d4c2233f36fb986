/** How long lists of runs are divided. */
import { idParts } from "./requestLists.ts";

/** Runs per page, which take the host a few milliseconds. */
export const runsPerPage = 250;

/** Maximum number of configurations per request. */
export const maxSummaries = 100;

/** Splits ids into requests for configurations. */
export function summaryParts(ids: readonly string[]): string[][] {
  return idParts(ids, maxSummaries);
}

interface Listed {
  readonly id: string;
  readonly createdAt: number;
}

/** Cursor of the next page; undefined after the last. */
export function nextPage(part: readonly Listed[]): Listed | undefined {
  const last = part.length < runsPerPage ? undefined : part.at(-1);
  return last && { id: last.id, createdAt: last.createdAt };
}
