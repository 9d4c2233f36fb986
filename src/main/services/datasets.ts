/** The datasets service: list, preview, download, import and remove. */
import type { EventPayload } from "../../shared/contract.ts";
import { catalog, catalogEntry } from "../../shared/catalog/index.ts";
import type { DatasetChoice, DatasetInfo, DatasetPreview, ImportOrder, ImportPreview } from "../../shared/datasets.ts";
import { messageOf } from "../../shared/errors.ts";
import { datasetProblem, factsProblem, listDatasets } from "../../core/datasets/index.ts";
import type { OnProgress, Progress } from "../../core/datasets/progress.ts";
import { isFetched, removeEntry, type FetchedEntry } from "../../core/datasets/published.ts";
import { removeOwn } from "../../core/datasets/own.ts";
import { ImportRunner, type LaunchImporter } from "../hosting/importRunner.ts";
import type { ImportResults } from "../importing/jobs.ts";
import type { ImportJob } from "../importing/messages.ts";
import { consoleLog, type Log } from "../store/log.ts";
import type { DatasetCatalog } from "./experiments.ts";
import { UserError } from "./services.ts";

type Change = EventPayload<"dataset.changed">;

/** Minimum milliseconds between two progress events. */
const reportEvery = 250;

export interface DatasetsOptions {
  readonly onChange: (change: Change) => void;
  readonly onImporting?: (progress: Progress & { readonly job: string }) => void;
  /** Launches processes that read files from elsewhere; without it, this process reads them. */
  readonly launch?: LaunchImporter | undefined;
  readonly log?: Log;
  /** Replaces the network in tests. */
  readonly fetch?: typeof fetch;
}

export class Datasets implements DatasetCatalog {
  readonly #options: DatasetsOptions;
  readonly #runner: ImportRunner | null;
  /** Previews and imports by the name that their caller gave them. */
  readonly #jobs = new Map<string, AbortController>();
  /** Ends all that are running. */
  readonly #closing = new AbortController();
  readonly #downloads = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();

  constructor(options: DatasetsOptions) {
    this.#options = options;
    this.#runner = options.launch ? new ImportRunner({ launch: options.launch }) : null;
    this.#runner?.removeLeftovers().catch((error: unknown) => (options.log ?? consoleLog).warn(`what unfinished imports left cannot be deleted: ${messageOf(error)}`));
  }

  async problem(dataset: DatasetChoice): Promise<string | null> {
    return (await datasetProblem(dataset.kind)) ?? (await factsProblem(dataset));
  }

  list(): Promise<DatasetInfo[]> {
    return listDatasets();
  }

  async inspect(kind: string, position = 0): Promise<DatasetPreview> {
    const info = await this.#info(kind);
    if (info.problem) throw new UserError(`${info.title} cannot be previewed: ${info.problem}`);
    return this.#run({ kind: "inspect", dataset: kind, position });
  }

  /** Starts or resumes a download; does nothing while one is active. */
  async download(kind: string): Promise<DatasetInfo> {
    const entry = this.#published(kind);
    const info = await this.#info(kind);
    if (info.downloadBytes === null) throw new UserError(`${info.title} cannot be downloaded; import a copy of it. It is described at ${info.source}`);
    if (!this.#downloads.has(kind)) {
      const stop = new AbortController();
      this.#downloads.set(kind, { stop, done: this.#download(entry, stop.signal) });
    }
    return info;
  }

  async stopDownload(kind: string): Promise<DatasetInfo> {
    const active = this.#downloads.get(kind);
    active?.stop.abort();
    await active?.done;
    return this.#info(kind);
  }

  async import(kind: string, path: string): Promise<DatasetInfo> {
    this.#published(kind);
    await this.#run({ kind: "copy", dataset: kind, path });
    return this.#changed(kind);
  }

  async remove(kind: string): Promise<DatasetInfo[]> {
    const info = await this.#info(kind);
    if (!info.removable) throw new UserError(`${info.title} comes with the program and cannot be removed.`);
    await this.stopDownload(kind);
    const entry = catalogEntry(kind);
    await asUserError(() => (entry && isFetched(entry) ? removeEntry(entry) : removeOwn(kind)));
    this.#options.onChange({ kind, progress: null, problem: null });
    return this.list();
  }

  /** @param job name for stopImport() and progress events */
  preview(path: string, job?: string): Promise<ImportPreview> {
    return this.#run({ kind: "preview", path }, job);
  }

  async create(order: ImportOrder, job?: string): Promise<DatasetInfo> {
    return this.#changed(await this.#run({ kind: "create", order }, job));
  }

  stopImport(job: string): void {
    this.#jobs.get(job)?.abort();
  }

  /** Stops everything; partial downloads are kept, to be resumed. */
  async close(): Promise<void> {
    this.#closing.abort();
    const downloads = [...this.#downloads.values()];
    for (const { stop } of downloads) stop.abort();
    await Promise.all(downloads.map(({ done }) => done));
  }

  /** Runs a job; any failure is a UserError: a person can fix the file. */
  async #run<J extends ImportJob>(job: J, name?: string): Promise<ImportResults[J["kind"]]> {
    if (name !== undefined && this.#jobs.has(name)) throw new UserError(`An import named ${JSON.stringify(name)} is running already.`);
    const stop = new AbortController();
    if (name !== undefined) this.#jobs.set(name, stop);
    const signal = AbortSignal.any([stop.signal, this.#closing.signal]);
    try {
      return await asUserError(() => this.#start(job, signal, name === undefined ? undefined : throttled((progress) => this.#options.onImporting?.({ job: name, ...progress }))));
    } finally {
      if (name !== undefined) this.#jobs.delete(name);
    }
  }

  async #start<J extends ImportJob>(job: J, signal: AbortSignal, onProgress: OnProgress | undefined): Promise<ImportResults[J["kind"]]> {
    const { fetch } = this.#options;
    if (this.#runner && !fetch) return this.#runner.run(job, { signal, ...(onProgress ? { onProgress } : {}) });
    // Loaded here only: the decoders of images must not be in the process of Electron's window.
    const { runJob } = await import("../importing/jobs.ts");
    return runJob(job, { signal, onProgress, fetch });
  }

  async #download(entry: FetchedEntry, signal: AbortSignal): Promise<void> {
    const { onChange } = this.#options;
    let problem: string | null = null;
    try {
      const report = throttled(({ done, total }) => onChange({ kind: entry.id, progress: { bytes: done, total }, problem: null }));
      await this.#start({ kind: "download", dataset: entry.id }, signal, report);
    } catch (error) {
      problem = messageOf(error);
    }
    this.#downloads.delete(entry.id);
    onChange({ kind: entry.id, progress: null, problem });
  }

  #published(kind: string): FetchedEntry {
    const entry = catalogEntry(kind);
    if (!entry || !isFetched(entry)) {
      const fetched = catalog.filter(isFetched).map(({ id }) => id);
      throw new UserError(entry ? `${entry.title} comes with the program; it needs no download.` : `${kind} is not a published dataset; allowed: ${fetched.join(", ")}.`);
    }
    return entry;
  }

  async #info(kind: string): Promise<DatasetInfo> {
    const info = (await this.list()).find((listed) => listed.kind === kind);
    if (!info) throw new UserError(`There is no dataset named ${kind}.`);
    return info;
  }

  async #changed(kind: string): Promise<DatasetInfo> {
    this.#options.onChange({ kind, progress: null, problem: null });
    return this.#info(kind);
  }
}

/** Calls at most once in `reportEvery` milliseconds. */
function throttled(report: OnProgress): OnProgress {
  let reported = -Infinity;
  return (progress) => {
    if (performance.now() - reported < reportEvery) return;
    reported = performance.now();
    report(progress);
  };
}

/** Turns any failure into a UserError: a person can fix the file. */
async function asUserError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new UserError(messageOf(error), undefined, { cause: error });
  }
}
