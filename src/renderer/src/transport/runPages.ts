/** Reads run lists in pages, so that a long one blocks neither host nor window. */
import type { ListedRun } from "@shared/listedRun.ts";
import { nextPage, runsPerPage, summaryParts } from "@shared/runPages.ts";
import type { RunSummary } from "@shared/run.ts";
import { call } from "./client.ts";

/**
 * Runs, newest first. The first page may be empty; a run moved to the bin meanwhile may be missing.
 */
export async function* runPages(of: { readonly deleted: boolean; readonly study?: string | null }): AsyncGenerator<ListedRun[]> {
  for (let before: ReturnType<typeof nextPage>, more = true; more; more = before !== undefined) {
    const part = await call("runs.list", { ...of, limit: runsPerPage, ...(before && { before }) });
    yield part;
    before = nextPage(part);
  }
}

/** Runs with configurations, in the requested order; unknown ids are skipped. */
export async function runSummaries(ids: readonly string[]): Promise<RunSummary[]> {
  const found: RunSummary[] = [];
  for (const runs of summaryParts(ids)) found.push(...(await call("runs.summaries", { runs })));
  return found;
}
