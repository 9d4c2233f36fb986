/** How numbers, times and names are written, everywhere the same. */
import { format, formatDistanceToNowStrict } from "date-fns";
import type { Experiment } from "@shared/experiment.ts";
import { formatHyperparameter } from "@shared/tower.ts";
import type { RunStatus, RunSummary } from "@shared/run.ts";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
const percent = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const missing = "–";

export function formatCount(value: number): string {
  return whole.format(value);
}

/** Short counts for axes: 1.2K, 60K. */
export function formatCompact(value: number): string {
  return compact.format(value);
}

/** A percentage given in percent: `3.03 %`. */
export function formatPercent(value: number | null | undefined): string {
  return value === null || value === undefined ? missing : `${percent.format(value)} %`;
}

/** Four significant digits, for losses and other measured values. */
export function formatMeasure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  const magnitude = Math.abs(value);
  if (value !== 0 && (magnitude < 1e-4 || magnitude >= 1e6)) return value.toExponential(3).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

/** A field of an experiment: hyperparameters as step sizes are written, counts and names as they are. */
export function formatField(path: string, value: string | number | undefined): string {
  if (value === undefined) return missing;
  return typeof value === "number" && path.startsWith("tower.") ? formatHyperparameter(value) : String(value);
}

/** Seconds in words: `8 s`, `1 min 12 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return missing;
  if (seconds < 1) return "under 1 s";
  const total = Math.round(seconds);
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return total % 60 === 0 ? `${minutes} min` : `${minutes} min ${total % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function formatAgo(at: number): string {
  return Date.now() - at < 5000 ? "just now" : formatDistanceToNowStrict(at, { addSuffix: true });
}

export function formatTime(at: number): string {
  return format(at, "yyyy-MM-dd HH:mm:ss");
}

/** Wall time of a run so far, in seconds; null before it has started. */
export function durationOf(run: Pick<RunSummary, "startedAt" | "finishedAt">, now: number): number | null {
  return run.startedAt === null ? null : ((run.finishedAt ?? now) - run.startedAt) / 1000;
}

/** A message as it stands alone: capital letter, full stop. */
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

export const datasetTitles: Record<Experiment["dataset"]["kind"], string> = { mnist: "MNIST" };
export const engineTitles: Record<Experiment["engine"]["kind"], string> = {
  "onnx-cpu": "ONNX Runtime, CPU",
  reference: "Reference, float64",
};
/** For narrow columns. */
export const engineNames: Record<Experiment["engine"]["kind"], string> = { "onnx-cpu": "ONNX CPU", reference: "Reference" };
