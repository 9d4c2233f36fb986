/** `hypertower queue`: makes the queue of units in a PostgreSQL, and shows what it holds. */
import { formatBytes, formatSeconds } from "../../../shared/format.ts";
import { plural } from "../../../shared/text.ts";
import { chosenUrl } from "../../fleet/queue/address.ts";
import { initializeQueue } from "../../fleet/queue/init.ts";
import { queueStatus, type QueueStatus } from "../../fleet/queue/status.ts";
import { exitCodes } from "../exitCodes.ts";
import { table } from "../format.ts";

export interface QueueInitOptions {
  readonly newPasswords?: boolean;
  readonly json?: boolean;
}

export interface QueueStatusOptions {
  readonly json?: boolean;
}

/** Programs like ps show a process by its title, in place of its arguments with the password. */
function hideArguments(title: string): void {
  process.title = title;
}

export async function queueInit(url: string | undefined, options: QueueInitOptions): Promise<number> {
  hideArguments("hypertower queue init");
  const made = await initializeQueue(chosenUrl(url), { newPasswords: options.newPasswords ?? false });
  if (options.json) {
    console.log(JSON.stringify(made));
    return exitCodes.ok;
  }
  const [coordinator, worker] = made.roles;
  console.log(`The queue at ${made.place} is ready (version ${made.version}).\n`);
  for (const [whose, role] of [["The machine with the store", coordinator], ["Workers", worker]] as const) console.log(`${whose}:\n  ${role.url ?? `role ${role.role}, with the password that it has; --new-passwords gives another`}`);
  if (coordinator.url !== null) console.log("\nThe passwords are shown this once. Keep both URLs; the workers' one can take units and hand in results, no more.");
  return exitCodes.ok;
}

export async function showQueueStatus(url: string | undefined, options: QueueStatusOptions): Promise<number> {
  hideArguments("hypertower queue status");
  const status = await queueStatus(chosenUrl(url));
  console.log(options.json ? JSON.stringify(status) : textOf(status));
  return exitCodes.ok;
}

function textOf({ place, counts, segments, units, workers }: QueueStatus): string {
  const { waiting, running, failed, ended, canceled } = counts;
  const lines = [`Queue at ${place}: ${waiting} waiting, ${running} running, ${failed} failed, ${ended} ended, ${canceled} canceled`];
  if (segments.count > 0) lines.push(`${plural(segments.count, "segment")} (${formatBytes(segments.bytes)}) to be taken in by the coordinator`);
  if (units.length > 0) lines.push("", table([["UNIT", "STUDY", "RUNS", "STATE", "ATTEMPTS", "WHERE", "WHY"], ...units.map(({ unit, study, runs, state, attempts, where, reason, silent }) => [unit, study, String(runs), state, String(attempts), where ?? "", reason ?? (silent !== null && silent > 30_000 ? `no sign of life for ${formatSeconds(silent / 1000)}` : "")])]));
  lines.push("", workers.length === 0 ? "No worker: start some with hypertower worker --queue URL" : table([["WORKER", "HOST", "CORES", "LOAD", "ENGINES", "UNITS", ""], ...workers.map(({ id, machine, load, units: trained, draining }) => [id, machine.host, String(machine.cores), load === null ? "" : load.toFixed(1), machine.engines.map(({ kind }) => kind).join(", "), trained.join(", "), draining ? "takes no further unit" : ""])]));
  return lines.join("\n");
}
