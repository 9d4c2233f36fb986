/** Texts about fleets, units and workers. */
import type { FleetEstimate } from "@shared/fleet/estimate.ts";
import type { FleetUnit } from "@shared/fleet/requests.ts";
import type { WorkerState } from "@shared/fleet/worker.ts";
import { engineTitle } from "@shared/engines.ts";
import { plural } from "@shared/text.ts";
import type { Tone } from "@/components/common/ToneTag.vue";
import { formatBytes, formatCount, formatSeconds } from "./format.ts";

/** A fleet's name for people: `Slurm: gpu`, `Queue at db.example/hypertower`. */
export function fleetTitle(name: string): string {
  const [, kind, rest = ""] = /^([a-z]+)(?::(.*))?$/s.exec(name) ?? [];
  if (kind === "local") return "This machine";
  if (kind === "slurm") return `Slurm: ${rest}`;
  if (kind === "folder") return `Shared folder ${rest}`;
  if (kind !== "queue") return name;
  if (rest === "") return "Queue on this machine";
  return URL.canParse(rest) ? `Queue at ${new URL(rest).host}${new URL(rest).pathname}` : `Queue at ${rest}`;
}

export const unitTones: Record<FleetUnit["state"], Tone> = { submitting: "neutral", waiting: "neutral", running: "accent", ended: "good", failed: "bad", canceled: "neutral", unknown: "warn" };
export const unitLabels: Record<FleetUnit["state"], string> = { submitting: "Being handed over", waiting: "Waiting", running: "Running", ended: "Being taken in", failed: "Failed", canceled: "Canceled", unknown: "Unknown to the fleet" };

/** `2 running, 14 waiting, 1 failed`; null for none. */
export function countsInWords(units: readonly FleetUnit[]): string | null {
  const order = ["running", "waiting", "submitting", "ended", "failed", "canceled", "unknown"] as const;
  const parts = order.flatMap((state) => {
    const count = units.filter((unit) => unit.state === state).length;
    return count === 0 ? [] : [`${formatCount(count)} ${unitLabels[state].toLowerCase()}`];
  });
  return parts.length === 0 ? null : parts.join(", ");
}

export const enginesInWords = ({ machine }: WorkerState): string =>
  // Memory of its own has a graphics card alone.
  machine.engines.map(({ kind, memory }) => `${engineTitle(kind)}${memory === null || Math.abs(memory - machine.memory) < 0.05 * machine.memory ? "" : ` (${formatBytes(memory)})`}`).join(" · ") || "no engine works";

export function seenInWords({ seenAt }: WorkerState, now: number): string {
  const seconds = Math.max(0, Math.round((now - seenAt) / 1000));
  return seconds < 5 ? "now" : `${formatSeconds(seconds)} ago`;
}

/** Time of a study at a fleet, and what it rests on. */
export function timeInWords({ places, duration, from }: FleetEstimate): string {
  if (places === null) return "How many train at the same time is not known: the cluster decides. Set “Jobs at the same time” in its profile for an estimate.";
  const rests = from === "atOnce" ? `${plural(places, "job")} at the same time, as its profile allows` : `room for ${plural(places, "program")} at its workers`;
  return duration === null ? `${rests}; the time is not measured yet` : `About ${formatSeconds(duration / 1000)}: ${rests}, each as fast as this machine; without waiting`;
}

