/** Copies the runs and studies of another store into a store. The other store is only read. */
import { existsSync, readSync, openSync, closeSync, statSync, realpathSync } from "node:fs";
import { isActive } from "../../shared/run.ts";
import { OtherStore } from "../store/otherStore.ts";
import { runFileKinds, type PortableFile, type PortableSource, type PortableStudy } from "../store/portable.ts";
import { Receiver } from "../store/receiver.ts";
import { ArchiveError } from "./errors.ts";
import { networksIn } from "./networks.ts";
import { pathOf, usableFiles } from "./runFiles.ts";
import { takeIn, type Report } from "./takeIn.ts";

/**
 * Takes in one study or single run after the other, each whole or not at all; what is there already is skipped, so a
 * merge that was cut off is completed by repeating it.
 * @param onRemark called for what is left out
 * @throws ArchiveError or StoreError; what was taken in before stays
 */
export async function mergeInto(from: string, folder: string, onRemark: (remark: string) => void = () => undefined): Promise<Report> {
  if (existsSync(from) && existsSync(folder) && realpathSync(from) === realpathSync(folder)) throw new ArchiveError(`${from} is the store to merge into; name another one.`);
  const receiver = new Receiver(folder);
  const report: Report = { studies: [], runs: [] };
  try {
    const other = await OtherStore.open(from, folder);
    try {
      const take = async (studies: readonly PortableStudy[], ids: readonly string[]) => {
        const runs = await sourcesOf(other, from, ids, onRemark);
        if (runs === null) return;
        const part = takeIn(receiver, folder, { studies, runs, from });
        report.studies.push(...part.studies);
        report.runs.push(...part.runs);
      };
      for (const id of other.portable.studyIds()) {
        const study = other.study(id)!;
        if (study.status === "running" || study.status === "paused") onRemark(`Study ${id} is ${study.status} in ${from} and was left out. Stop it and merge again.`);
        else await take([other.portable.study(study)], other.portable.runsOf(id));
      }
      for (const id of other.portable.runsOf(null)) await take([], [id]);
    } finally {
      other.close();
    }
  } finally {
    receiver.close();
  }
  return report;
}

/** The runs, each read when it is asked for; null where one of them is being trained. */
async function sourcesOf(other: OtherStore, folder: string, ids: readonly string[], onRemark: (remark: string) => void): Promise<Iterable<PortableSource> | null> {
  const files = new Map<string, readonly PortableFile[]>();
  for (const id of ids) {
    const run = other.run(id)!;
    if (run.imported) {
      onRemark(`Run ${id} was imported from ${run.imported.path} and was left out. Import that record again.`);
      return null;
    }
    if (isActive(run.status)) {
      onRemark(`Run ${id} is ${run.status} in ${folder}; it${run.study === null ? "" : ` and its study ${run.study}`} was left out. Stop it and merge again.`);
      return null;
    }
    const { usable, problems } = await usableFiles(run, runFileKinds.flatMap((kind) => fileAt(pathOf(folder, id, kind), kind)));
    problems.forEach(onRemark);
    files.set(id, usable);
  }
  const { portable } = other;
  return {
    *[Symbol.iterator]() {
      for (const id of ids) {
        const { run } = portable.run(other.run(id)!);
        yield { ...portable.source(run, () => files.get(id)!), networks: () => networksIn(folder, run.experiment) };
      }
    },
  };
}

/** A file that is opened for each read: a study has more files than a process may have open. */
function fileAt(path: string, kind: PortableFile["kind"]): PortableFile[] {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return [];
  const read = (at: number, target: Uint8Array) => {
    const descriptor = openSync(path, "r");
    try {
      return readSync(descriptor, target, 0, target.length, at);
    } finally {
      closeSync(descriptor);
    }
  };
  return [{ kind, size, read }];
}
