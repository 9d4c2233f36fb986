/** `hypertower runs list`: the runs of the store, filtered and sorted; newest first by default. */
import { runStatuses } from "../../../shared/run.ts";
import type { ListedRun } from "../../../shared/listedRun.ts";
import { nextPage, runsPerPage, summaryParts } from "../../../shared/runPages.ts";
import { UserError, type Services } from "../../services/services.ts";
import { findStudy } from "../find.ts";
import { levelValues } from "../format.ts";
import { csv, printTable } from "../listing/fit.ts";
import { defaultRunColumns, needsSummary, runColumn, textOf, type Column, type RunItem } from "../listing/columns.ts";
import { glob, parseCondition, parseSort, parseTime } from "../listing/query.ts";
import { closest } from "../nearest.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";

export interface ListOptions {
  readonly status: readonly string[];
  readonly tag: readonly string[];
  readonly name?: string;
  readonly since?: string;
  readonly until?: string;
  readonly where: readonly string[];
  readonly sort?: string;
  readonly limit?: number;
  readonly columns?: readonly string[];
  /** Those in the bin. */
  readonly bin?: boolean;
  readonly csv?: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

export interface RunsOptions extends ListOptions {
  /** Study whose runs to list; single runs by default. */
  readonly study?: string;
  /** Single runs and those of studies. */
  readonly all?: boolean;
}

/** What is listed: read from the options before the store is opened. */
interface Query {
  readonly keeps: (run: ListedRun) => boolean;
  readonly conditions: readonly { holds(item: RunItem): boolean }[];
  readonly sort: ((a: RunItem, b: RunItem) => number) | undefined;
  readonly columns: readonly Column<RunItem>[] | undefined;
  /** Whether a condition or the order needs configurations. */
  readonly deep: boolean;
}

export async function runs(programFiles: ProgramFiles, options: RunsOptions): Promise<number> {
  const query = read(options);
  const storeDir = storeDirOf(options.store);
  return withStore(programFiles, storeDir, async (services) => {
    const study = options.study === undefined ? (options.all ? undefined : null) : await findStudy(services, options.study);
    const { limit = Infinity } = options;
    const found: RunItem[] = [];
    for await (const page of pages(services, study, options.bin ?? false)) {
      const kept = await withSummaries(services, page.filter(query.keeps), query.deep);
      found.push(...kept.filter((item) => query.conditions.every((condition) => condition.holds(item))));
      if (!query.sort && found.length >= limit) break;
    }
    if (query.sort) found.sort(query.sort);
    await print(services, found.slice(0, limit), options, query, () => (study === null && !filters(options) ? `no single runs in ${storeDir} yet; "hypertower studies" lists the studies` : filters(options) ? "no run matches" : `the study ${String(study)} has no runs`));
    return exitCodes.ok;
  });
}

const filters = ({ status, tag, name, since, until, where, bin, all }: RunsOptions) => status.length + tag.length + where.length > 0 || name !== undefined || since !== undefined || until !== undefined || bin || all;

/** @throws UserError for an option that cannot be understood */
function read(options: RunsOptions): Query {
  if (options.json && options.csv) throw new UserError("choose one of --json and --csv");
  if (options.study !== undefined && options.all) throw new UserError("choose one of --study and --all");
  const statuses = statusesOf(options.status, runStatuses);
  const like = options.name === undefined ? undefined : glob(options.name);
  const since = options.since === undefined ? -Infinity : parseTime("--since", options.since);
  const until = options.until === undefined ? Infinity : parseTime("--until", options.until);
  const conditions = options.where.map((text) => parseCondition(text, runColumn));
  const sort = options.sort === undefined ? undefined : parseSort(options.sort, runColumn);
  return {
    keeps: (run) =>
      (statuses.length === 0 || statuses.includes(run.status)) &&
      options.tag.every((tag) => run.tags?.includes(tag)) &&
      (!like || like(run.name)) &&
      run.createdAt >= since &&
      run.createdAt <= until,
    conditions,
    sort: sort?.compare,
    columns: options.columns?.map(runColumn),
    deep: [...conditions.map(({ key }) => key), ...(sort ? [sort.key] : []), ...(options.columns ?? [])].some(needsSummary),
  };
}

/** @throws UserError for one that there is not */
export function statusesOf<S extends string>(given: readonly string[], allowed: readonly S[]): S[] {
  return given.map((name) => {
    const status = allowed.find((one) => one === name);
    if (status) return status;
    const [near] = closest(name, allowed);
    throw new UserError(`--status ${name}: ${near ? `did you mean ${near}? A` : "a"}llowed: ${allowed.join(", ")}`);
  });
}

async function withSummaries(services: Services, listed: readonly ListedRun[], deep: boolean): Promise<RunItem[]> {
  if (!deep) return listed.map((run) => ({ listed: run, summary: undefined }));
  const byId = new Map(listed.map((run) => [run.id, run]));
  const items: RunItem[] = [];
  for (const ids of summaryParts([...byId.keys()])) {
    for (const summary of await services.handlers["runs.summaries"]({ runs: ids })) items.push({ listed: byId.get(summary.id)!, summary });
  }
  return items;
}

async function print(services: Services, items: readonly RunItem[], options: RunsOptions, { columns }: Query, nothing: () => string): Promise<void> {
  if (options.json) {
    for (const ids of summaryParts(items.map(({ listed }) => listed.id))) {
      for (const run of await services.handlers["runs.summaries"]({ runs: ids })) console.log(JSON.stringify({ ...run, hyperparameters: levelValues(run) }));
    }
    return;
  }
  const tagged = items.some(({ listed }) => listed.tags);
  const shown = columns ?? [...defaultRunColumns, ...(tagged ? ["tags"] : [])].map(runColumn);
  printList(items, shown, options.csv ?? false, nothing);
}

/** Prints a list as CSV with exact values, or as a table. */
export function printList<T>(items: readonly T[], columns: readonly Column<T>[], asCsv: boolean, nothing: () => string): void {
  if (asCsv) {
    const value = (column: Column<T>, item: T) => {
      const plain = column.value(item);
      return column.isTime && typeof plain === "number" ? new Date(plain).toISOString() : plain;
    };
    process.stdout.write(csv([columns.map(({ key }) => key), ...items.map((item) => columns.map((column) => value(column, item)))]));
  } else if (items.length === 0) console.log(nothing());
  else {
    const header = columns.map(({ key }) => key.toUpperCase());
    printTable(header, items.map((item) => columns.map((column) => textOf(column, item))), header.filter((name) => !/^(RUN|STUDY|STATUS|CREATED|STEPS)$/.test(name)), "STATUS");
  }
}

async function* pages(services: Services, study: string | null | undefined, deleted: boolean): AsyncGenerator<readonly ListedRun[]> {
  for (let before: ReturnType<typeof nextPage>, more = true; more; more = before !== undefined) {
    const part = await services.handlers["runs.list"]({ deleted, ...(study !== undefined && { study }), limit: runsPerPage, before });
    yield part;
    before = nextPage(part);
  }
}
