/** `hypertower table1`: trains the paper's Table 1 as a study, or continues it, and prints both tables side by side. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { StudyDetail } from "../../../shared/study/result.ts";
import { mergedTable1, seedsOfTable1, table1Seeds, table1Study, type Table1Edition } from "../../../shared/study/table1.ts";
import { table1Rows, type Table1Row } from "../../../shared/table1.ts";
import { UserError, type Services } from "../../services/services.ts";
import { formatTime } from "../format.ts";
import { exitCodes, openServices, storeDirOf, type ProgramFiles } from "../session.ts";
import { follow } from "../study/follow.ts";
import { jsonReport, textReport, type StudyReport } from "../study/report.ts";
import { markdownReport, textTable, type Printed } from "../table1/format.ts";
import { tableRows, type Table1Asked } from "../table1/table.ts";

export interface Table1Options {
  /** `3,5-7`; all rows by default. */
  readonly rows?: string;
  readonly seeds?: number;
  readonly workers?: number;
  /** Also train the plain optimizers at the paper's learned values. */
  readonly paperValues?: boolean;
  /** Two epochs for every row, and a single seed by default. */
  readonly quick?: boolean;
  readonly markdown?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** @throws UserError naming the part that is not a row or range of the table */
export function parseRows(text: string | undefined): Table1Row[] {
  if (text === undefined) return [...table1Rows];
  const numbers = text.split(",").flatMap((part) => {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (!match || first < 1 || last > table1Rows.length || first > last) {
      throw new UserError(`"${part}" is not a row of Table 1; allowed: numbers and ranges from 1 to ${table1Rows.length}, e.g. 1,5-7`);
    }
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return table1Rows.filter(({ number }) => numbers.includes(number));
}

/** @returns the exit code: 0 complete, 1 a run has no result, 130 stopped by a signal */
export async function table1(programFiles: ProgramFiles, options: Table1Options): Promise<number> {
  const { rows, quick = false, seeds = quick ? 1 : 3, workers, paperValues = false, markdown, json = false } = options;
  const asked: Table1Asked = { rows: parseRows(rows), seeds: Array.from({ length: seeds }, (_, seed) => seed), paperValues };
  if (markdown !== undefined && existsSync(markdown)) throw new UserError(`${markdown} already exists; choose another file`);
  const services = await openServices(programFiles, storeDirOf(options.store));
  try {
    const { code, study } = await trainTable1(services, asked, { quick }, workers ?? null, json ? jsonReport() : textReport());
    if (code === exitCodes.interrupted) return code;
    const printed: Printed = { rows: tableRows(study.study, study.points, asked), study, asked };
    if (markdown !== undefined) await writeFile(markdown, markdownReport(printed, await facts(services, study, options)));
    console.log(json ? JSON.stringify({ type: "table", study: study.id, rows: printed.rows }) : `${textTable(printed)}\nstudy ${study.id}`);
    return code;
  } finally {
    await services.close();
  }
}

/**
 * Trains the requested runs that the store's latest study of this edition lacks. Extends or resumes that study,
 * or leaves it unchanged if it lacks none; starts a new study where there is none.
 */
export async function trainTable1(services: Services, asked: Table1Asked, edition: Table1Edition, workers: number | null, report: StudyReport): Promise<{ code: number; study: StudyDetail }> {
  const { handlers } = services;
  const wanted = table1Seeds(asked.rows, asked.seeds, asked.paperValues);
  // This command prints its own table instead of the study's.
  const quiet: StudyReport = { ...report, ended: () => undefined };
  const ids: string[] = [];
  const run = (begin: () => ReturnType<typeof handlers["studies.start"]>) =>
    follow(services, async () => {
      const begun = await begin();
      ids.push(begun.id);
      return begun;
    }, quiet);
  const detail = async (study: string) => handlers["studies.get"]({ study });

  const found = (await handlers["studies.list"]({ deleted: false })).flatMap((study) => {
    const seeds = seedsOfTable1(study.study, edition);
    return seeds ? [{ study, seeds }] : [];
  })[0];
  if (!found) {
    const code = await run(() => handlers["studies.start"]({ study: table1Study(wanted, edition), workers }));
    return { code, study: await detail(ids[0]!) };
  }
  const { study, seeds } = found;
  if (workers !== null) report.note(`study ${study.id} keeps its number of workers; --workers applies to a new study only`);
  const more = mergedTable1(seeds, wanted);
  const { total, finished, diverged, pruned, skipped } = study;
  if (!more && finished + diverged + pruned + skipped === total) {
    report.close();
    return { code: exitCodes.ok, study: await detail(study.id) };
  }
  const definition = more && { ...study.study, ...stacksOf(table1Study(more, edition)) };
  const code = await run(() => (definition ? handlers["studies.extend"]({ study: study.id, definition }) : handlers["studies.retry"]({ study: study.id })));
  return { code, study: await detail(study.id) };
}

const stacksOf = ({ stacks, seeds }: ReturnType<typeof table1Study>) => ({ stacks, seeds });

/** Lines on how the table was made. The runs of a study may come from several versions. */
async function facts(services: Services, study: StudyDetail, { rows, seeds, paperValues, quick }: Table1Options): Promise<string[]> {
  const { cpu, cores, platform } = await services.handlers["app.info"]({});
  const origins = new Set<string>();
  for (const { run } of study.points) {
    const environment = run === null ? null : (await services.handlers["runs.get"]({ run })).environment;
    if (!environment) continue;
    const { hypertower, gitCommit, libraries } = environment;
    origins.add([`hypertower ${hypertower}`, ...(gitCommit ? [`commit ${gitCommit.slice(0, 12)}`] : []), ...Object.entries(libraries).map((entry) => entry.join(" "))].join(", "));
  }
  const flags = [rows === undefined ? "" : ` --rows ${rows}`, seeds === undefined ? "" : ` --seeds ${seeds}`, quick ? " --quick" : "", paperValues ? " --paper-values" : ""];
  return [
    `command: \`hypertower table1${flags.join("")}\`, study ${study.id}`,
    `machine: ${cpu}, ${cores} cores, ${platform}`,
    `trained by: ${[...origins].join("; ")}`,
    `date: ${formatTime(Date.now())}`,
  ];
}
