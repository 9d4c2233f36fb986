/** `hypertower studies list` and `studies show`: the studies of the store, newest first by default. */
import { studyStatuses } from "../../../shared/study/result.ts";
import { trainedText } from "../../../shared/trainedTime.ts";
import { trainedUntil } from "../../../shared/study/result.ts";
import { UserError } from "../../services/services.ts";
import { findStudy } from "../find.ts";
import { formatDuration, formatTime, table } from "../format.ts";
import { defaultStudyColumns, studyColumn } from "../listing/columns.ts";
import { glob, parseCondition, parseSort, parseTime } from "../listing/query.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import { outcome } from "../study/report.ts";
import { methodsObject } from "../study/methods.ts";
import { resultsTable } from "../study/table.ts";
import { printList, statusesOf, type ListOptions } from "./runs.ts";

export type StudiesOptions = ListOptions;

export async function studies(programFiles: ProgramFiles, options: StudiesOptions): Promise<number> {
  if (options.json && options.csv) throw new UserError("choose one of --json and --csv");
  const statuses = statusesOf(options.status, studyStatuses);
  const like = options.name === undefined ? undefined : glob(options.name);
  const since = options.since === undefined ? -Infinity : parseTime("--since", options.since);
  const until = options.until === undefined ? Infinity : parseTime("--until", options.until);
  const conditions = options.where.map((text) => parseCondition(text, studyColumn));
  const sort = options.sort === undefined ? undefined : parseSort(options.sort, studyColumn);
  const columns = options.columns?.map(studyColumn);
  const storeDir = storeDirOf(options.store);
  return withStore(programFiles, storeDir, async (services) => {
    const all = await services.handlers["studies.list"]({ deleted: options.bin ?? false });
    const found = all.filter(
      (study) =>
        (statuses.length === 0 || statuses.includes(study.status)) &&
        options.tag.every((tag) => study.tags?.includes(tag)) &&
        (!like || like(study.name)) &&
        study.createdAt >= since &&
        study.createdAt <= until &&
        conditions.every((condition) => condition.holds(study)),
    );
    if (sort) found.sort(sort.compare);
    const list = found.slice(0, options.limit ?? Infinity);
    if (options.json) for (const study of list) console.log(JSON.stringify(study));
    else {
      const shown = columns ?? [...defaultStudyColumns, ...(list.some(({ tags }) => tags) ? ["tags"] : [])].map(studyColumn);
      printList(list, shown, options.csv ?? false, () => (all.length === 0 ? `no studies in ${storeDir}${options.bin ? "'s bin" : " yet"}` : "no study matches"));
    }
    return exitCodes.ok;
  });
}

export async function showStudy(programFiles: ProgramFiles, wanted: string, options: { readonly store?: string; readonly json?: boolean }): Promise<number> {
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const study = await services.handlers["studies.get"]({ study: await findStudy(services, wanted) });
    if (options.json) console.log(JSON.stringify({ ...study, ...methodsObject(study.study, study.points) }));
    else {
      const facts = [
        ["study", study.id],
        ["name", study.name],
        ...(study.tags ? [["tags", study.tags.join(" ")]] : []),
        ["created", formatTime(study.createdAt)],
        ["trained for", trainedText(trainedUntil(study, Date.now()), formatDuration)],
        ["status", outcome(study)],
        ...(study.deletedAt === null ? [] : [["in the bin", `since ${formatTime(study.deletedAt)}`]]),
      ];
      console.log([table(facts), "", resultsTable(study.study, study.points), "", `its runs: hypertower runs --study ${study.id}`].join("\n"));
    }
    return exitCodes.ok;
  });
}
