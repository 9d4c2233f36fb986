/** The datasets service: list, preview, download, import and remove. */
import type { EventPayload } from "../../shared/contract.ts";
import { catalog, catalogEntry } from "../../shared/catalog/index.ts";
import type { DatasetChoice, DatasetInfo, DatasetPreview, ImportOrder, ImportPreview } from "../../shared/datasets.ts";
import { messageOf } from "../../shared/errors.ts";
import { importArrays, importCsv, importImages, importText } from "../../core/datasets/import.ts";
import { datasetProblem, factsProblem, listDatasets } from "../../core/datasets/index.ts";
import { previewDataset, previewImport } from "../../core/datasets/preview.ts";
import { downloadEntry, importEntry, isFetched, removeEntry, type FetchedEntry } from "../../core/datasets/published.ts";
import type { OwnMeta } from "../../core/datasets/own.ts";
import { removeOwn } from "../../core/datasets/own.ts";
import type { DatasetCatalog } from "./experiments.ts";
import { UserError } from "./services.ts";

type Change = EventPayload<"dataset.changed">;

/** Minimum milliseconds between two progress events of a download. */
const reportEvery = 250;

export interface DatasetsOptions {
  readonly onChange: (change: Change) => void;
  /** Replaces the network in tests. */
  readonly fetch?: typeof fetch;
}

export class Datasets implements DatasetCatalog {
  readonly #options: DatasetsOptions;
  readonly #downloads = new Map<string, { readonly stop: AbortController; readonly done: Promise<void> }>();

  constructor(options: DatasetsOptions) {
    this.#options = options;
  }

  async problem(dataset: DatasetChoice): Promise<string | null> {
    return (await datasetProblem(dataset.kind)) ?? (await factsProblem(dataset));
  }

  list(): Promise<DatasetInfo[]> {
    return listDatasets();
  }

  async inspect(kind: string): Promise<DatasetPreview> {
    const info = await this.#info(kind);
    if (info.problem) throw new UserError(`${info.title} cannot be previewed: ${info.problem}`);
    return asUserError(() => previewDataset(info));
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
    const entry = this.#published(kind);
    await asUserError(() => importEntry(entry, path));
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

  preview(path: string): Promise<ImportPreview> {
    return asUserError(() => previewImport(path));
  }

  async create(order: ImportOrder): Promise<DatasetInfo> {
    const { id } = await asUserError(() => imported(order));
    return this.#changed(id);
  }

  /** Stops every download; partial files are kept, to be resumed. */
  async close(): Promise<void> {
    const downloads = [...this.#downloads.values()];
    for (const { stop } of downloads) stop.abort();
    await Promise.all(downloads.map(({ done }) => done));
  }

  async #download(entry: FetchedEntry, signal: AbortSignal): Promise<void> {
    const { onChange, fetch } = this.#options;
    let reported = 0;
    let problem: string | null = null;
    try {
      await downloadEntry(entry, {
        signal,
        ...(fetch ? { fetch } : {}),
        onProgress: (progress) => {
          if (performance.now() - reported < reportEvery) return;
          reported = performance.now();
          onChange({ kind: entry.id, progress, problem: null });
        },
      });
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

function imported(order: ImportOrder): Promise<OwnMeta> {
  switch (order.form) {
    case "csv":
      return importCsv(order.path, order, order);
    case "images":
      return importImages(order.path, order, order);
    case "arrays":
      return importArrays(order, order);
    case "text":
      return importText(order.path, order);
  }
}

/** Turns any failure into a UserError: a person can fix the file. */
async function asUserError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new UserError(messageOf(error), undefined, { cause: error });
  }
}
