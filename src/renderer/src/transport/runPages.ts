/** Lists of runs, a part at a time, so that neither the host nor the window is blocked by a long one. */
import { nextPage, runsPerPage } from "@shared/runPages.ts";
import type { RunSummary } from "@shared/run.ts";
import { call } from "./client.ts";

/** Runs, newest first. The first part may be empty; a run that moves to the bin meanwhile may be in none. */
export async function* runPages(of: { readonly deleted: boolean; readonly study?: string | null }): AsyncGenerator<RunSummary[]> {
  for (let before: ReturnType<typeof nextPage>, more = true; more; more = before !== undefined) {
    const part = await call("runs.list", { ...of, limit: runsPerPage, ...(before && { before }) });
    yield part;
    before = nextPage(part);
  }
}
