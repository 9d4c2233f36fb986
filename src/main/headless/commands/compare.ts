/** `hypertower runs compare` and `studies compare`: what differs, and the results, side by side. */
import { resolve } from "node:path";
import { pictureSettings } from "../../../shared/reports.ts";
import type { RunDetail } from "../../../shared/run.ts";
import type { StudyDetail } from "../../../shared/study/result.ts";
import { sensitivityOf } from "../../../shared/study/sensitivity.ts";
import { vocabularyRemark } from "../../../shared/texts.ts";
import { UserError } from "../../services/services.ts";
import { compareRuns, compareStudies, comparisonEndings, tableRows, written } from "../comparison.ts";
import { findRuns, findStudies } from "../find.ts";
import { printTable } from "../listing/fit.ts";
import { formatOf } from "../outFile.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import { writeWhole } from "../writeWhole.ts";
import type { Kind } from "./manage.ts";

export interface CompareOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly csv?: boolean;
  readonly theme?: "light" | "dark" | "print";
  readonly store?: string;
  readonly json?: boolean;
}

export async function compare(programFiles: ProgramFiles, kind: Kind, wanted: readonly string[], options: CompareOptions): Promise<number> {
  const { out, csv, json } = options;
  if (json && csv) throw new UserError("choose one of --json and --csv");
  const format = out === undefined ? undefined : formatOf(out, comparisonEndings);
  const isPicture = format === "png" || format === "svg";
  if (isPicture && kind === "study") throw new UserError(`--out ${out!}: a comparison of studies is a table; "hypertower report" draws each study. Known endings: .csv, .json, .md, .html`);
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const ids = kind === "run" ? await findRuns(services, wanted) : await findStudies(services, wanted);
    if (ids.length < 2) throw new UserError(`a comparison needs at least two different ${kind === "run" ? "runs" : "studies"}`);
    if (isPicture) {
      const picture = services.comparisonPicture(ids, format, pictureSettings.parse({ ...(options.theme && { theme: options.theme }) }));
      await writeWhole(resolve(out!), { pieces: [picture] }, options.force ?? false);
      return exitCodes.ok;
    }
    if (kind === "run" && !json && !csv) {
      const runs = await all(ids, (id): RunDetail | Promise<RunDetail> => services.handlers["runs.get"]({ run: id }));
      const remark = vocabularyRemark(runs.map(({ experiment }) => experiment.dataset));
      if (remark !== null) console.error(remark);
    }
    const comparison = kind === "run" ? compareRuns(await all(ids, (id): RunDetail | Promise<RunDetail> => services.handlers["runs.get"]({ run: id }))) : await studies();
    if (format !== undefined) await writeWhole(resolve(out!), { pieces: [written(comparison, format)] }, options.force ?? false);
    else if (json) console.log(JSON.stringify(comparison));
    else if (csv) process.stdout.write(written(comparison, "csv"));
    else {
      const [header, ...rows] = tableRows(comparison);
      printTable(header!, rows, header!);
    }
    return exitCodes.ok;

    async function studies() {
      const details = await all(ids, (id): StudyDetail | Promise<StudyDetail> => services.handlers["studies.get"]({ study: id }));
      return compareStudies(details, details.map(({ study, points }) => sensitivityOf(study, points).verdict.headline));
    }
  });
}

async function all<T>(ids: readonly string[], get: (id: string) => T | Promise<T>): Promise<T[]> {
  const found: T[] = [];
  for (const id of ids) found.push(await get(id));
  return found;
}
