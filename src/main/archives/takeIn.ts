/** Takes runs and studies into a store: all of a selection, or nothing. */
import { statfsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { formatBytes } from "../../shared/format.ts";
import { newRunId } from "../hosting/newRun.ts";
import type { PortableRun, PortableSource, PortableStudy } from "../store/portable.ts";
import type { Receiver } from "../store/receiver.ts";
import { ArchiveError } from "./errors.ts";
import { StagedNetworks } from "./networks.ts";
import { removeLeftovers, StagedFiles } from "./runFiles.ts";
import { isSameRun } from "./same.ts";

/** What became of a run or study. */
export interface TakenIn {
  readonly id: string;
  readonly name: string;
  /** Its id here: another one where the id was taken by something else. Null where it was here already. */
  readonly as: string | null;
}

export interface Report {
  readonly studies: TakenIn[];
  /** Runs, those of studies included. */
  readonly runs: TakenIn[];
}

export interface Selection {
  readonly studies: readonly PortableStudy[];
  readonly runs: Iterable<PortableSource>;
  /** Archive or folder that they come from. */
  readonly from: string;
}

/** Bytes of the store for a logged value while it is written: in the write-ahead log and in the file. */
const bytesPerValue = 48;

/** Bytes to leave free. */
const spare = 64 << 20;

export function takeIn(receiver: Receiver, folder: string, { studies, runs, from }: Selection): Report {
  removeLeftovers(folder);
  const report: Report = { studies: [], runs: [] };
  const taken = new Set<string>();
  const studyIds = new Map<string, string>();
  for (const study of studies) {
    const as = isStudyHere(receiver, study, runs) ? null : freeId(study, taken, (id) => receiver.hasStudy(id));
    if (as !== null) studyIds.set(study.id, as);
    report.studies.push({ id: study.id, name: study.name, as });
  }
  const ids = new Map<string, string>();
  let needed = 0;
  for (const source of runs) {
    const { run } = source;
    const isHere = run.study === null ? isRunHere(receiver, source) : !studyIds.has(run.study);
    const as = isHere ? null : freeId(run, taken, (id) => receiver.runs.has(id));
    if (as !== null) {
      ids.set(run.id, as);
      needed += (source.networks?.() ?? []).reduce((sum, { size }) => sum + size, 0) + run.logged * run.metrics.length * bytesPerValue + source.files().reduce((sum, { size }) => sum + size, 0);
    }
    report.runs.push({ id: run.id, name: run.name, as });
  }
  if (ids.size === 0 && studyIds.size === 0) return report;
  requireSpace(folder, needed);
  const staged = new StagedFiles(folder, receiver.token);
  const networks = new StagedNetworks(folder, from);
  const missing = { *[Symbol.iterator]() { for (const source of runs) if (ids.has(source.run.id)) yield source; } };
  const renamed = {
    *[Symbol.iterator](): Generator<PortableSource> {
      for (const source of missing) {
        const { run } = source;
        yield { ...source, run: { ...run, id: ids.get(run.id)!, study: run.study === null ? null : studyIds.get(run.study)! } };
      }
    },
  };
  try {
    for (const source of missing) {
      for (const file of source.files()) staged.add(source.run, ids.get(source.run.id)!, file);
      networks.add(source, receiver);
    }
    receiver.receive(
      { studies: studies.flatMap((study) => (studyIds.has(study.id) ? [{ ...study, id: studyIds.get(study.id)! }] : [])), runs: renamed, networks: networks.rows },
      () => {
        networks.place();
        staged.place();
      },
    );
  } catch (error) {
    staged.remove();
    networks.remove();
    throw error;
  }
  return report;
}

/** The run's own id, or a new one where that is taken. */
function freeId({ id, createdAt }: Pick<PortableRun, "id" | "createdAt">, taken: Set<string>, isTaken: (id: string) => boolean): string {
  let free = id;
  while (taken.has(free) || isTaken(free)) free = newRunId(new Date(Number.isFinite(createdAt) && Math.abs(createdAt) < 8e15 ? createdAt : Date.now()));
  taken.add(free);
  return free;
}

/** The run as it is in the store; undefined if it is not there. */
function sourceHere(receiver: Receiver, id: string): PortableSource | undefined {
  const detail = receiver.runs.get(id);
  if (!detail) return undefined;
  const { portable } = receiver;
  const { run } = portable.run(detail);
  return portable.source(run);
}

function isRunHere(receiver: Receiver, source: PortableSource): boolean {
  const here = sourceHere(receiver, source.run.id);
  return here !== undefined && isSameRun(here, source);
}

/** Whether the store has the study with exactly these runs. */
function isStudyHere(receiver: Receiver, { id, study }: PortableStudy, runs: Iterable<PortableSource>): boolean {
  const here = receiver.hasStudy(id) ? receiver.study(id) : undefined;
  if (!here || !isDeepStrictEqual(JSON.parse(JSON.stringify(here.study)), JSON.parse(JSON.stringify(study)))) return false;
  const left = new Set(receiver.portable.runsOf(id));
  for (const source of runs) if (source.run.study === id && !(left.delete(source.run.id) && isRunHere(receiver, source))) return false;
  return left.size === 0;
}

/** @throws ArchiveError */
function requireSpace(folder: string, needed: number): void {
  let free: number;
  try {
    const { bavail, bsize } = statfsSync(folder);
    free = bavail * bsize;
  } catch {
    return;
  }
  if (needed + spare <= free) return;
  throw new ArchiveError(`The runs need about ${formatBytes(needed + spare)} in ${folder}, but its disk has only ${formatBytes(free)} left. Nothing was imported.`);
}
