/** Records what a series of commands does to the disk. */
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { shimEnvironment } from "../shim/shim.ts";
import { startCommand } from "../command.ts";
import type { ExperimentInput } from "../../../src/shared/experiment.ts";
import { addSaid, readRecording, type Entry } from "./recording.ts";
import { storeFacts, type RunFacts } from "../storeFacts.ts";

export interface Recording {
  readonly entries: readonly Entry[];
  /** Folder that was recorded. */
  readonly root: string;
  /** Facts of the store, by its folder's name, after everything. */
  readonly facts: ReadonlyMap<string, readonly RunFacts[]>;
}

/** A command of a recording. */
export interface RecordedCommand {
  /** Arguments of the built program; of `host.ts` where it begins with "host". */
  readonly args: readonly string[];
  /** Files below the root that are acknowledged when the command has ended. */
  readonly acknowledges?: readonly string[];
}

export type Recorded = (paths: Paths) => RecordedCommand;

const here = join(import.meta.dirname, "..");
const program = join(here, "../../out/main/headless.js");

/** Folder names below the root. */
export const folders = { store: "store", second: "second", data: "data", out: "out" } as const;

/**
 * Runs commands one after another in an empty folder and records its changes.
 * @param commands gets the ids of the runs so far
 * @throws Error when one fails
 */
export async function record(folder: string, experiment: ExperimentInput, commands: readonly Recorded[]): Promise<Recording> {
  const root = join(folder, "root");
  mkdirSync(root, { recursive: true });
  const paths = pathsOf(folder, experiment);
  writeFileSync(paths.table, table());
  const log = join(folder, "log");
  const said = join(folder, "said");
  for (const each of commands) {
    const { args, acknowledges = [] } = each(paths);
    const output = openSync(said, "a");
    const script = args[0] === "host" ? [join(here, "host.ts"), ...args.slice(1)] : [program, ...args];
    const command = startCommand(script, { ...environmentOf(root), ...shimEnvironment({ root, log, said }) }, output);
    const code = await command.ended;
    closeSync(output);
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${command.errors()}`);
    addSaid(log, { type: "done", command: args.join(" "), files: acknowledges });
  }
  const facts = new Map([folders.store, folders.second].flatMap((name) => {
    try {
      return [[name, storeFacts(join(root, name)).runs] as const];
    } catch {
      return [];
    }
  }));
  return { entries: readRecording(log), root, facts };
}

export interface Paths {
  readonly experiment: ExperimentInput;
  readonly store: string;
  readonly second: string;
  readonly out: string;
  /** A table of a person's own, outside the recorded folder. */
  readonly table: string;
}

const pathsOf = (folder: string, experiment: ExperimentInput): Paths => ({
  experiment,
  store: join(folder, "root", folders.store),
  second: join(folder, "root", folders.second),
  out: join(folder, "root", folders.out),
  table: join(folder, "own.csv"),
});

export const environmentOf = (root: string): Record<string, string> => ({
  HYPERTOWER_HOME: join(root, folders.store),
  HYPERTOWER_DATA: join(root, folders.data),
});

function table(): string {
  const rows = Array.from({ length: 150 }, (_, i) => `${i % 7},${(i * 13) % 11},${["a", "b", "c"][i % 3]}`);
  return `x,y,class\n${rows.join("\n")}\n`;
}

/** A run of a new store, and then two at a time, with checkpoints and weights. */
export const trainings: readonly Recorded[] = [
  ({ store, experiment }) => ({ args: ["host", store, JSON.stringify({ train: experiment })] }),
  ({ store, experiment }) => ({ args: ["host", store, JSON.stringify({ train: experiment, times: 2 })] }),
];

/** Everything else that writes files: own data, a report, an export, an archive and its import, a backup. */
export const files: readonly Recorded[] = [
  ({ store, experiment }) => ({ args: ["host", store, JSON.stringify({ train: { ...experiment, budget: { epochs: 10 } } })] }),
  ({ table }) => ({ args: ["datasets", "add", table, "--json"], acknowledges: [folders.data] }),
  ({ out }) => ({ args: ["report", "last", "--run", "--out", join(out, "report")], acknowledges: [`${folders.out}/report`] }),
  ({ out }) => ({ args: ["export", "last", "--format", "csv", "--out", join(out, "run.csv")], acknowledges: [`${folders.out}/run.csv`] }),
  ({ out }) => ({ args: ["archive", "last", "--out", join(out, "run.hypertower")], acknowledges: [`${folders.out}/run.hypertower`] }),
  ({ out, second }) => ({ args: ["import", join(out, "run.hypertower"), "--store", second, "--json"], acknowledges: [`${folders.second}/weights`] }),
  () => ({ args: ["doctor", "backup", "--json"], acknowledges: [`${folders.store}/backups`] }),
];
