/** `hypertower storage` and `hypertower erase`: what takes the space of a store, and erasing it for good. */
import { formatBytes } from "../../../shared/format.ts";
import type { Erasure, StorageReport } from "../../../shared/storage.ts";
import { plural } from "../../../shared/text.ts";
import { spaceOf } from "../../services/doctor/index.ts";
import { UserError, type Services } from "../../services/services.ts";
import { confirmed } from "../confirm.ts";
import { findRuns } from "../find.ts";
import { table } from "../format.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";

export interface StorageCommandOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export async function storage(programFiles: ProgramFiles, options: StorageCommandOptions & { readonly vacuum?: boolean }): Promise<number> {
  const storeDir = storeDirOf(options.store);
  if (options.vacuum) {
    const { done } = await withStore(programFiles, storeDir, ({ handlers }) => whileAlive(() => handlers["storage.vacuum"]({})));
    console.log(done);
    return exitCodes.ok;
  }
  const report = await spaceOf(storeDir);
  console.log(options.json ? JSON.stringify(report) : described(report));
  return exitCodes.ok;
}

const unusedBytes = (unused: StorageReport["unusedNetworks"]): number => unused.reduce((sum, { bytes }) => sum + bytes, 0);

function described({ folder, free, total, bytes, bin, unusedNetworks, resumable, largest, backups }: StorageReport): string {
  const parts = [
    ["steps of all runs", formatBytes(bytes.log)],
    ["unused in the database", formatBytes(bytes.unused), bytes.unused > 0 ? "hypertower storage --vacuum" : ""],
    ["checkpoints", formatBytes(bytes.checkpoints), resumable > 0 ? `${plural(resumable, "run")} can be resumed` : ""],
    ["weights", formatBytes(bytes.weights)],
    ["imported networks", formatBytes(bytes.networks), unusedNetworks.length > 0 ? `${unusedNetworks.length} unused (${formatBytes(unusedBytes(unusedNetworks))}): hypertower erase --networks` : ""],
    ["datasets", formatBytes(bytes.datasets), "hypertower datasets remove"],
    ["backups", formatBytes(bytes.backups), `${backups.length}: hypertower doctor backups`],
    ["set aside", formatBytes(bytes.setAside), bytes.setAside > 0 ? `in ${folder}` : ""],
    ["of these, in the bin", formatBytes(bytes.bin), bin.runs + bin.studies > 0 ? `${plural(bin.runs, "run")}, ${plural(bin.studies, "study", "studies")}: hypertower erase --bin` : ""],
    ["free on the disk", formatBytes(free), `of ${formatBytes(total)}`],
  ];
  const runs = largest.map(({ run, name, status, inBin, steps, log, checkpoint, weights, thinnedTo }) => [run, `${status}${inBin ? ", in the bin" : ""}${thinnedTo === null ? "" : ", thinned"}`, String(steps), formatBytes(log), formatBytes(checkpoint), formatBytes(weights), name]);
  return [folder, "", table(parts.map((row) => row.map((cell) => cell ?? ""))), ...(runs.length > 0 ? ["", "Largest runs; the size of the steps is estimated from their number.", table([["RUN", "STATUS", "STEPS", "SIZE", "CHECKPOINT", "WEIGHTS", "NAME"], ...runs])] : [])].join("\n");
}

export interface EraseOptions extends StorageCommandOptions {
  readonly bin?: boolean;
  readonly checkpoints?: readonly string[];
  readonly weights?: readonly string[];
  readonly networks?: boolean;
  readonly backups?: readonly string[];
  readonly yes?: boolean;
}

export async function erase(programFiles: ProgramFiles, options: EraseOptions): Promise<number> {
  const { bin, checkpoints, weights, networks, backups } = options;
  const chosen = [bin, checkpoints, weights, networks, backups].filter(Boolean).length;
  if (chosen !== 1) throw new UserError("choose what to erase: one of --bin, --checkpoints, --weights, --networks and --backups");
  const storeDir = storeDirOf(options.store);
  return withStore(programFiles, storeDir, async (services) => {
    const report = await spaceOf(storeDir);
    let erasure: Erasure;
    let question: string;
    if (bin) {
      if (report.bin.runs + report.bin.studies === 0) {
        console.log(options.json ? JSON.stringify({ done: "The bin is empty." }) : "The bin is empty.");
        return exitCodes.ok;
      }
      erasure = { what: "bin", runs: report.bin.runs, studies: report.bin.studies };
      question = `Erase ${plural(report.bin.runs, "run")} with ${plural(report.bin.steps, "step")} and ${plural(report.bin.studies, "study", "studies")} in the bin, with their checkpoints and weights (about ${formatBytes(report.bytes.bin)})`;
    } else if (networks) {
      const unused = report.unusedNetworks;
      if (unused.length === 0) {
        const done = "Every imported network is used by a run or a study.";
        console.log(options.json ? JSON.stringify({ done }) : done);
        return exitCodes.ok;
      }
      erasure = { what: "networks", hashes: unused.map(({ hash }) => hash) };
      question = `Erase ${plural(unused.length, "imported network")} that no run and no study uses (${formatBytes(unusedBytes(unused))}): ${unused.map(({ name }) => name).join(", ")}. A draft in the window that uses one needs its ONNX file to be imported again`;
    } else if (backups) {
      erasure = { what: "backups", names: [...new Set(backups.map((name) => (name.endsWith(".sqlite") ? name : `${name}.sqlite`)))] };
      question = `Erase ${plural(erasure.names.length, "backup")}: ${erasure.names.join(", ")}`;
    } else {
      const what = checkpoints ? "checkpoints" : "weights";
      const runs = await findRuns(services, checkpoints ?? weights ?? []);
      erasure = { what, runs };
      question = what === "checkpoints" ? `Erase the checkpoints of ${plural(runs.length, "run")}: ${runs.join(", ")}. Unfinished ones can then only be restarted at their first step` : `Erase the saved weights of ${plural(runs.length, "run")}: ${runs.join(", ")}. Predictions and exports of weights are then impossible`;
    }
    if (!options.yes && !(await confirmed(`${question}? This cannot be undone. Type "erase" to go on: `, /^erase$/))) {
      console.error("Nothing was erased.");
      return exitCodes.error;
    }
    const { done } = await eraseWhole(services, erasure);
    console.log(options.json ? JSON.stringify({ done }) : done);
    return exitCodes.ok;
  });
}

/** Erases, and waits until the space is free again. */
export function eraseWhole(services: Services, erasure: Erasure): Promise<{ done: string }> {
  return whileAlive(async () => {
    const answer = await services.handlers["storage.erase"]({ erasure });
    await services.erased();
    return answer;
  });
}

/** Waits for another process, which does not keep this one alive. */
export async function whileAlive<T>(work: () => T | Promise<T>): Promise<T> {
  const waiting = setInterval(() => undefined, 1_000);
  try {
    return await work();
  } finally {
    clearInterval(waiting);
  }
}
