/** Sorting and filtering the list of runs. */
import type { ListedRun } from "@shared/listedRun.ts";
import { isActive, type RunStatus } from "@shared/run.ts";
import { durationOf, statusLabels, titleOf } from "./format.ts";

export const runColumns = ["status", "name", "stack", "seed", "engine", "result", "loss", "steps", "created", "duration", "tags"] as const;
export type RunColumn = (typeof runColumns)[number];

export interface Sorting {
  readonly column: RunColumn;
  readonly order: "asc" | "desc";
}

type SortKey = string | number | null;

function sortKey(run: ListedRun, column: RunColumn): SortKey {
  switch (column) {
    case "status":
      return statusLabels[run.status];
    case "name":
      return titleOf(run).toLowerCase();
    case "stack":
      return run.stack.toLowerCase();
    case "seed":
      return run.seed;
    case "engine":
      return run.engine;
    case "result":
      return run.result.value;
    case "loss":
      return run.loss;
    case "steps":
      return run.steps;
    case "created":
      return run.createdAt;
    case "duration":
      return durationOf(run);
    case "tags":
      return run.tags?.join(" ") ?? null;
  }
}

/** Sorted copy; runs without a value come last in either order, equal ones newest first. */
export function sortRuns(runs: readonly ListedRun[], { column, order }: Sorting): ListedRun[] {
  const sign = order === "asc" ? 1 : -1;
  const keyed = runs.map((run) => ({ run, key: sortKey(run, column) }));
  keyed.sort((a, b) => {
    if (a.key === b.key) return b.run.createdAt - a.run.createdAt;
    if (a.key === null) return 1;
    if (b.key === null) return -1;
    return a.key < b.key ? -sign : sign;
  });
  return keyed.map(({ run }) => run);
}

export type StatusFilter = RunStatus | "active" | "all";

/**
 * Runs of a status, with a tag, whose name, stack, seed, engine, dataset, model, tags or id contains every word of the
 * text.
 * @param tag empty for any
 */
export function filterRuns(runs: readonly ListedRun[], text: string, status: StatusFilter, tag = ""): ListedRun[] {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return runs.filter((run) => {
    if (status === "active" ? !isActive(run.status) : status !== "all" && run.status !== status) return false;
    if (tag !== "" && !run.tags?.includes(tag)) return false;
    if (words.length === 0) return true;
    const all = `${run.name} ${run.stack} seed ${run.seed} ${run.engine} ${run.dataset} ${run.model} ${run.tags?.join(" ") ?? ""} ${run.id} ${statusLabels[run.status]}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
