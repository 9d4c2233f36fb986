/** Checks whole stores: the database, and the files of its runs. Never writes the store that it reads. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import type { Finding } from "../../shared/verification.ts";
import { CheckpointError, requireIntact, type ReadBytes } from "../../core/checkpoint/container.ts";
import { readCheckpointHeader } from "../../core/checkpoint/file.ts";
import { requireOwner, type Owner } from "../../core/checkpoint/owner.ts";
import { verifyOwn } from "../../core/datasets/own.ts";
import { readWeightsHeader } from "../../core/weights/file.ts";
import { storeFileName } from "../store/database.ts";
import { damageAdvice, type VerifyReport } from "../store/verify/findings.ts";
import { checkStoreRows, type StoreCheckOptions } from "../store/verify/storeCheck.ts";
import { runSummaries } from "../store/verify/readOnly.ts";
import { checkNetworks } from "./networkCheck.ts";
import { headerOf } from "./runFiles.ts";

export { runsLike } from "../store/verify/readOnly.ts";
export interface VerifyOptions extends StoreCheckOptions {
  /** Folder of the user's own datasets, which are checked too unless `runs` is given. */
  readonly data?: string | undefined;
}

/**
 * Checks the store in `folder`: its file, every run, checkpoints, weights and imported networks.
 * @param options `runs`: only these, without the file as a whole
 * @throws StoreError where there is no store
 */
export async function verifyStore(folder: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const path = join(folder, storeFileName);
  const report = await checkStoreRows(path, options);
  const datasets = options.runs ? [] : await checkDatasets(options.data);
  return { ...report, findings: [...report.findings, ...(await checkRunFiles(folder, path, options.runs)), ...(options.runs ? [] : await checkNetworks(folder, path)), ...datasets] };
}

async function checkDatasets(folder: string | undefined): Promise<Finding[]> {
  return (await verifyOwn(folder)).map(({ path, problem }) => ({
    part: "dataset",
    severity: "damage",
    run: null,
    study: null,
    where: path,
    problem,
    meaning: "Runs would train on other data than was imported.",
    advice: "Import the dataset again, or restore its folder from a backup.",
  }));
}

/** A checkpoint or weights file in a folder of a store. */
export interface RunFile {
  readonly part: "checkpoint" | "weights";
  readonly run: string;
  readonly path: string;
}

const kinds = [
  { part: "checkpoint", folder: "checkpoints", name: /^([0-9A-Za-z_-]+)\.checkpoint$/, header: readCheckpointHeader },
  { part: "weights", folder: "weights", name: /^([0-9A-Za-z_-]+)\.(?:best|last)\.weights$/, header: readWeightsHeader },
] as const;

/** The checkpoints and weights of a store. */
export async function runFilesOf(folder: string): Promise<RunFile[]> {
  const found: RunFile[] = [];
  for (const { part, folder: inside, name } of kinds) {
    for (const file of (await readdir(join(folder, inside)).catch(() => [])).sort()) {
      const run = name.exec(file)?.[1];
      if (run !== undefined) found.push({ part, run, path: join(folder, inside, file) });
    }
  }
  return found;
}

/** Reads a file as a whole. @returns its owner @throws CheckpointError saying what is wrong with it */
export async function requireSound({ part, path }: Pick<RunFile, "part" | "path">): Promise<Owner> {
  const { header: read } = kinds.find((kind) => kind.part === part)!;
  const { header } = await headerOf(path, async (bytes: ReadBytes, size) => {
    const owner: Owner = await read(bytes, size);
    await requireIntact(bytes, size);
    return owner;
  });
  return header;
}

const meanings = {
  checkpoint: "The run cannot be resumed from it; it can restart at its first step.",
  weights: "Nothing can be predicted with these weights.",
} as const;

async function checkRunFiles(folder: string, path: string, runs: readonly string[] | undefined): Promise<Finding[]> {
  const findings: Finding[] = [];
  const files = (await runFilesOf(folder)).filter(({ run }) => !runs || runs.includes(run));
  if (files.length === 0) return findings;
  const summaryOf = runSummaries(path);
  try {
    for (const file of files) {
      const add = (severity: Finding["severity"], problem: string, meaning: string, advice: string) =>
        findings.push({ part: file.part, severity, run: file.run, study: null, where: file.path, problem, meaning, advice });
      try {
        const owner = await requireSound(file);
        const run = summaryOf.get(file.run);
        if (run === "missing") add("warning", `the store has no run ${file.run}`, "Either its row was lost, or the file was left over.", damageAdvice);
        else if (run) requireOwner(owner, run);
      } catch (error) {
        // A run that ends or saves meanwhile replaces its files.
        if ((error as NodeJS.ErrnoException).code === "ENOENT") continue;
        add("damage", messageOf(error), meanings[file.part], error instanceof CheckpointError ? "Restore the file from a backup, or move it away." : damageAdvice);
      }
    }
  } finally {
    summaryOf.close();
  }
  return findings;
}
