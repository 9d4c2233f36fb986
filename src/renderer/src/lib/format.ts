/** How numbers, times and names are written, everywhere the same. */
import { format, formatDistanceStrict } from "date-fns";
import { formatHyperparameter } from "@shared/tower.ts";
import type { RunStatus, RunSummary } from "@shared/run.ts";
import { missing } from "@shared/format.ts";

export { formatBytes, formatCompact, formatCount, formatFlops, formatMeasure, formatPercent, formatSeconds, formatStepTime, missing } from "@shared/format.ts";

/** A field of an experiment: hyperparameters as step sizes are written, counts and names as they are. */
export function formatField(path: string, value: string | number | undefined): string {
  if (value === undefined) return missing;
  return typeof value === "number" && path.startsWith("tower.") ? formatHyperparameter(value) : String(value);
}

export function formatAgo(at: number, now = Date.now()): string {
  return now - at < 5000 ? "just now" : formatDistanceStrict(at, now, { addSuffix: true });
}

export function formatTime(at: number): string {
  return format(at, "yyyy-MM-dd HH:mm:ss");
}

/** How long a run has trained, in seconds; null before it has started. */
export function durationOf({ trained }: Pick<RunSummary, "trained">): number | null {
  return trained === null ? null : trained.milliseconds / 1000;
}

/** A message as a sentence: capital letter, full stop. */
export function asSentence(text: string): string {
  const trimmed = text.trim();
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** A run's name, or its stack where it has none. */
export function titleOf(run: Pick<RunSummary, "name" | "stack">): string {
  return run.name === "" ? run.stack : run.name;
}

export const statusLabels: Record<RunStatus, string> = {
  queued: "Starting",
  running: "Running",
  paused: "Paused",
  finished: "Finished",
  stopped: "Stopped",
  diverged: "Diverged",
  failed: "Failed",
  interrupted: "Interrupted",
};
