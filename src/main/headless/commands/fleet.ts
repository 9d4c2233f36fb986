/** `hypertower fleet`: fleets with their units and workers, and requests to them. */
import { setTimeout as delay } from "node:timers/promises";
import type { FleetInfo } from "../../../shared/fleet/requests.ts";
import type { WorkerState } from "../../../shared/fleet/worker.ts";
import { plural } from "../../../shared/text.ts";
import { UserError, type Services } from "../../services/services.ts";
import { confirmed } from "../confirm.ts";
import { table } from "../format.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";

export interface FleetOptions {
  readonly store?: string;
  readonly json?: boolean;
  /** Not to ask. */
  readonly yes?: boolean;
}

export interface UnitsOptions extends FleetOptions {
  /** Only of this fleet. */
  readonly fleet?: string;
  readonly failed?: boolean;
}

/** Milliseconds within which new units are handed over, or handed over by the next host. */
const handedOverWithin = 60_000;

const withFleets = <T>(programFiles: ProgramFiles, { store }: FleetOptions, work: (services: Services) => Promise<T>) => withStore(programFiles, storeDirOf(store), work);
const print = (json: boolean | undefined, objects: readonly unknown[], text: string): number => {
  if (!json) console.log(text);
  else for (const object of objects) console.log(JSON.stringify(object));
  return exitCodes.ok;
};

export function listFleets(programFiles: ProgramFiles, options: FleetOptions): Promise<number> {
  return withFleets(programFiles, options, async ({ fleets }) => {
    const all = await fleets.describe();
    const rows = all.map(({ name, workers, units, problem }) => [name, String(workers.length), ...(["waiting", "running", "failed"] as const).map((state) => String(countOf(units, state))), problem ?? ""]);
    const summary = all.map(({ workers, units, ...fleet }) => ({ ...fleet, workers: workers.length, units: Object.fromEntries([...Map.groupBy(units, ({ state }) => state)].map(([state, of]) => [state, of.length])) }));
    return print(options.json, summary, table([["FLEET", "WORKERS", "WAITING", "RUNNING", "FAILED", "PROBLEM"], ...rows]));
  });
}

export function listUnits(programFiles: ProgramFiles, options: UnitsOptions): Promise<number> {
  // The store knows the units; no fleet is asked.
  return withFleets(programFiles, options, ({ fleets }) => {
    const units = chosen(fleets.list(), options.fleet).flatMap((fleet) => fleet.units).filter(({ state }) => !options.failed || state === "failed");
    const rows = units.map(({ id, fleet, study, state, runs, attempts, job, place, reason, heldUpBy }) => [id, fleet, study, state, String(runs), String(attempts), job ?? "", place ?? "", heldUpBy ?? reason ?? ""]);
    return Promise.resolve(print(options.json, units, rows.length === 0 ? "no units at any fleet" : table([["UNIT", "FLEET", "STUDY", "STATE", "RUNS", "ATTEMPTS", "JOB", "WHERE", "REASON"], ...rows])));
  });
}

export function listWorkers(programFiles: ProgramFiles, options: UnitsOptions): Promise<number> {
  return withFleets(programFiles, options, async ({ fleets }) => {
    const all = chosen(await fleets.describe(), options.fleet);
    const now = Date.now();
    const rows = all.flatMap(({ name, workers }) => workers.map((worker) => [worker.id, name, ...machineRow(worker), `${Math.max(0, Math.round((now - worker.seenAt) / 1000))} s ago`, worker.draining ? "takes no further unit" : ""]));
    for (const { name, problem } of all) if (problem !== null && (options.fleet !== undefined || rows.length === 0)) console.error(`${name}: ${problem}`);
    return print(options.json, all.flatMap(({ name, workers }) => workers.map((worker) => ({ fleet: name, ...worker }))), rows.length === 0 ? "no workers gave a sign of life" : table([["WORKER", "FLEET", "MACHINE", "CORES", "ENGINES", "LOAD", "UNITS", "SEEN", ""], ...rows]));
  });
}

export function retryUnits(programFiles: ProgramFiles, wanted: readonly string[], options: FleetOptions): Promise<number> {
  return withFleets(programFiles, options, async ({ fleets }) => {
    const units = findUnits(fleets, wanted);
    const studies = [...new Set(units.map(({ study }) => study))];
    await fleets.retry(units.map(({ id }) => id));
    const handedOver = () => fleets.list().every((fleet) => fleet.units.every(({ study, state }) => !studies.includes(study) || state !== "submitting"));
    const until = Date.now() + handedOverWithin;
    // Units are made a moment after the retry.
    do await delay(500);
    while (!handedOver() && Date.now() < until);
    const next = studies.map((study) => `hypertower study --resume ${study}`).join(", ");
    return print(options.json, [{ retried: units.map(({ id }) => id), studies }], `${plural(units.length, "unit")} tried again; to take in what comes: ${next}`);
  });
}

export function cancelUnits(programFiles: ProgramFiles, wanted: readonly string[], options: FleetOptions): Promise<number> {
  return withFleets(programFiles, options, async ({ fleets }) => {
    const units = findUnits(fleets, wanted);
    const runs = units.reduce((sum, unit) => sum + unit.runs, 0);
    if (!options.yes && !(await confirmed(`Cancel ${plural(units.length, "unit")} with ${plural(runs, "run")}? [y/N] `, /^y(es)?$/i))) {
      console.error("nothing was canceled");
      return exitCodes.error;
    }
    await fleets.cancel(units.map(({ id }) => id));
    return print(options.json, [{ canceled: units.map(({ id }) => id) }], `${plural(units.length, "unit")} canceled`);
  });
}

export function drainWorker(programFiles: ProgramFiles, fleet: string, wanted: string, options: FleetOptions & { readonly undo?: boolean }): Promise<number> {
  return withFleets(programFiles, options, async ({ fleets }) => {
    const worker = only(await fleets.workers(fleet), wanted, `worker of ${fleet}`);
    const draining = options.undo !== true;
    await fleets.drain(fleet, worker.id, draining);
    return print(options.json, [{ fleet, worker: worker.id, draining }], `${worker.id} takes ${draining ? "no further unit" : "units again"}`);
  });
}

const countOf = (units: FleetInfo["units"], state: string) => units.filter((unit) => unit.state === state || (state === "waiting" && unit.state === "submitting")).length;

const machineRow = ({ machine, load, units }: WorkerState) => [machine.host, String(machine.cores), machine.engines.map(({ kind }) => kind).join(", "), load === null ? "" : load.toFixed(1), String(units.length)];

function chosen<T extends { readonly name: string }>(fleets: readonly T[], name: string | undefined): readonly T[] {
  if (name === undefined) return fleets;
  const found = fleets.filter((fleet) => fleet.name === name);
  if (found.length === 0) throw new UserError(`There is no fleet ${name}; there ${fleets.length === 1 ? "is" : "are"} ${fleets.map((fleet) => fleet.name).join(", ") || "none"}.`);
  return found;
}

const findUnits = (fleets: Services["fleets"], wanted: readonly string[]) => {
  const all = fleets.list().flatMap(({ units }) => units);
  return [...new Map(wanted.map((id) => [id, only(all, id, "unit at any fleet")])).values()];
};

/** The one with this id, or whose id alone begins so. */
function only<T extends { readonly id: string }>(all: readonly T[], wanted: string, what: string): T {
  const exact = all.find(({ id }) => id === wanted);
  const found = exact ? [exact] : all.filter(({ id }) => id.startsWith(wanted));
  if (found.length === 1) return found[0]!;
  throw new UserError(found.length === 0 ? `There is no ${what} whose id begins with ${wanted}.` : `${wanted} begins the ids of ${found.length}: ${found.slice(0, 5).map(({ id }) => id).join(", ")}${found.length > 5 ? ", …" : ""}`);
}
