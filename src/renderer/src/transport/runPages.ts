/** Lists of runs, a part at a time, so that neither the host nor the window is blocked by a long one. */
import type { ListedRun } from "@shared/listedRun.ts";
import { nextPage, runsPerPage, summaryParts } from "@shared/runPages.ts";
import type { RunSummary } from "@shared/run.ts";
import { call } from "./client.ts";

/** Runs, newest first. The first part may be empty; a run that moves to the bin meanwhile may be in none. */
export async function* runPages(of: { readonly deleted: boolean; readonly study?: string | null }): AsyncGenerator<ListedRun[]> {
  for (let before: ReturnType<typeof nextPage>, more = true; more; more = before !== undefined) {
    const part = await call("runs.list", { ...of, limit: runsPerPage, ...(before && { before }) });
    yield part;
    before = nextPage(part);
  }
}

/** Runs with their configurations, in the order asked for, without those that are not there. */
export async function runSummaries(ids: readonly string[]): Promise<RunSummary[]> {
  const found: RunSummary[] = [];
  for (const runs of summaryParts(ids)) found.push(...(await call("runs.summaries", { runs })));
  return found;
}
