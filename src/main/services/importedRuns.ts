/** The service of imported runs: has records read in a process of their own, writes them into the store, and watches them. */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { messageOf } from "../../shared/errors.ts";
import { experiment } from "../../shared/experiment.ts";
import { headlineSeries, recordFormatNames, type ImportRunsAnswer, type ImportRunsRequest, type RecordWatch } from "../../shared/importedRun.ts";
import type { RunSummary } from "../../shared/run.ts";
import { ImportRunner, type LaunchImporter } from "../hosting/importRunner.ts";
import { newRun, newRunId } from "../hosting/newRun.ts";
import { decodePoints, type RecordPart } from "../importing/records/draft.ts";
import type { RecordsNews, RecordsOrder } from "../importing/records/index.ts";
import type { Log } from "../store/log.ts";
import type { SparsePoints } from "../store/sparseSeries.ts";
import type { Store } from "../store/store.ts";
import { UserError } from "./services.ts";

export interface ImportedRunsOptions {
  readonly store: Pick<Store, "imported" | "requireWritable" | "getRun" | "flush">;
  /** Launches processes that read files from elsewhere; without it, this process reads them. */
  readonly launch?: LaunchImporter | undefined;
  readonly log: Log;
  /** A run was written. */
  readonly onRun: (run: string) => void;
  /** A watch began or ended. */
  readonly onChange: () => void;
  /** Called with a run whose values were committed. */
  readonly committed: (run: string) => void;
  /** Milliseconds between two looks at watched files. */
  readonly every?: number;
}

const maxWatches = 20;
const maxWarnings = 100;

interface Watch {
  readonly paths: readonly string[];
  readonly runs: Set<string>;
  readonly stop: AbortController;
}

/** A run that is being read. */
interface Reading {
  readonly run: string;
  readonly isNew: boolean;
  /** Last step and the last value of the headline series. */
  lastStep: number;
  loss: number | null;
  points: number;
  name: string;
  readonly format: RecordPart["format"];
  readonly path: string;
}

export class ImportedRuns {
  readonly #options: ImportedRunsOptions;
  readonly #runner: ImportRunner | null;
  readonly #watches = new Map<string, Watch>();

  constructor(options: ImportedRunsOptions) {
    this.#options = options;
    this.#runner = options.launch ? new ImportRunner({ launch: options.launch }) : null;
  }

  handlers() {
    return {
      "importedRuns.import": (request: ImportRunsRequest) => this.import(request),
      "importedRuns.watches": () => this.watches(),
      "importedRuns.stop": ({ watch }: { readonly watch: string }) => this.stop(watch),
    };
  }

  watches(): RecordWatch[] {
    return [...this.#watches].map(([id, { paths, runs }]) => ({ id, paths: [...paths], runs: [...runs] }));
  }

  /** Reads the records once; with `watch`, answers after the first round and goes on. @throws UserError that names the file */
  async import({ paths, columns, watch }: ImportRunsRequest): Promise<ImportRunsAnswer> {
    this.#options.store.requireWritable();
    if (watch && this.#watches.size >= maxWatches) throw new UserError(`${this.#watches.size} imports are being watched; at most ${maxWatches} are allowed. Stop one first.`);
    const { every } = this.#options;
    const order: RecordsOrder = { paths: [...new Set(paths.map((path) => resolve(path)))], columns, watch, ...(every !== undefined && { every }) };
    const readings = new Map<string, Reading>();
    const stop = new AbortController();
    const entry: Watch = { paths: order.paths, runs: new Set(), stop };
    const id = randomUUID();
    const warnings: string[] = [];
    let endRound: () => void = () => undefined;
    const firstRound = new Promise<void>((done) => (endRound = done));
    const ended = this.#read(order, stop.signal, (news) => {
      if ("part" in news) {
        const { run } = this.#write(news.part, readings);
        if (watch && !entry.runs.has(run)) {
          entry.runs.add(run);
          if (this.#watches.has(id)) this.#options.onChange();
        }
        return;
      }
      for (const warning of news.warnings) {
        if (warnings.length < maxWarnings) warnings.push(warning);
        if (this.#watches.has(id)) this.#options.log.warn(`import of runs: ${warning}`);
      }
      endRound();
    }).finally(() => {
      for (const { run } of readings.values()) this.#options.store.imported.release(run);
    });
    if (watch) {
      this.#watches.set(id, entry);
      this.#options.onChange();
      const over = ended.finally(() => {
        this.#watches.delete(id);
        this.#options.onChange();
      });
      over.catch((error: unknown) => stop.signal.aborted || this.#options.log.warn(`a watch of runs ended: ${messageOf(error)}`));
      await this.#refusing(Promise.race([firstRound, over]));
    } else await this.#refusing(ended);
    const runs = [...readings.values()].map(({ run, name, format, path, points, isNew }) => ({ id: run, name, format, path, points, isNew }));
    return { runs, warnings, watch: this.#watches.has(id) ? id : null };
  }

  stop(id: string): RecordWatch[] {
    this.#watches.get(id)?.stop.abort();
    this.#watches.delete(id);
    this.#options.onChange();
    return this.watches();
  }

  close(): void {
    for (const { stop } of this.#watches.values()) stop.abort();
    this.#watches.clear();
  }

  async #read(order: RecordsOrder, signal: AbortSignal, onNews: (news: RecordsNews) => void): Promise<void> {
    if (this.#runner) await this.#runner.run({ kind: "records", order }, { signal, onNews });
    else await (await import("../importing/records/index.ts")).readRecords(order, { signal, onNews });
  }

  async #refusing(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw new UserError(messageOf(error), undefined, { cause: error });
    }
  }

  #write(part: RecordPart, readings: Map<string, Reading>): Reading {
    const { store } = this.#options;
    const id = `${part.path}\n${part.key}`;
    let reading = readings.get(id);
    let create: RunSummary | null = null;
    if (!reading) {
      const here = store.imported.find(part.path, part.key);
      const run = here ?? newRunId(new Date());
      if (here === undefined) create = importedSummary(run, part);
      reading = { run, isNew: here === undefined, lastStep: -1, loss: null, points: 0, name: part.name, format: part.format, path: part.path };
    }
    const series = new Map(part.series.map(({ name, steps, values }): [string, SparsePoints] => [name, { steps: decodePoints(steps), values: decodePoints(values) }]));
    const headline = headlineSeries(part.names);
    for (const [name, { steps, values }] of series) {
      reading.lastStep = Math.max(reading.lastStep, steps.at(-1) ?? -1);
      if (name === headline) reading.loss = values.at(-1) ?? null;
    }
    reading.points = part.points;
    reading.name = part.name;
    const { format, path, key, configuration, names, startedAt, endedAt } = part;
    const whole = (at: number | null) => (at === null ? null : Math.round(at));
    store.imported.save(
      reading.run,
      create,
      {
        imported: { format, path, key, configuration: configuration.map(([field, value]) => [field, value]), series: [...names] },
        steps: reading.lastStep + 1,
        loss: reading.loss,
        startedAt: whole(startedAt),
        finishedAt: whole(endedAt),
      },
      { replace: part.isFirst && create === null, series },
    );
    readings.set(id, reading);
    this.#options.onRun(reading.run);
    this.#options.committed(reading.run);
    return reading;
  }
}

/** The row of an imported run. Its experiment only fills the column: nothing shows or uses it. */
function importedSummary(id: string, part: RecordPart): RunSummary {
  return { ...newRun(experiment.parse({})), id, name: part.name, status: "finished", stack: `imported from ${recordFormatNames[part.format]}`, hyperparameters: [] };
}
