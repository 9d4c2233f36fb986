/** Does the work of import jobs, in whatever process. */
import { catalogEntry } from "../../shared/catalog/index.ts";
import type { DatasetPreview, ImportOrder, ImportPreview } from "../../shared/datasets.ts";
import { importArrays, importCsv, importImages, importImageTable, importText } from "../../core/datasets/import.ts";
import { listDatasets } from "../../core/datasets/index.ts";
import { previewDataset, previewImport } from "../../core/datasets/preview.ts";
import type { OnProgress } from "../../core/datasets/progress.ts";
import { downloadEntry, importEntry, isFetched, type FetchedEntry } from "../../core/datasets/published.ts";
import type { ImportJob } from "./messages.ts";
import type { WrittenNetwork } from "./network.ts";
import type { RecordsNews } from "./records/index.ts";

/** What each kind of job answers. */
export interface ImportResults {
  readonly preview: ImportPreview;
  /** Id of the new dataset. */
  readonly create: string;
  readonly copy: null;
  readonly download: null;
  readonly inspect: DatasetPreview;
  readonly network: WrittenNetwork;
  /** What is read comes before, as news. */
  readonly records: null;
}

export interface JobOptions {
  readonly onProgress?: OnProgress | undefined;
  readonly onNews?: ((news: RecordsNews) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Replaces the network in tests. */
  readonly fetch?: typeof fetch | undefined;
}

/** @throws Error naming the file and what is wrong with it */
export async function runJob<J extends ImportJob>(job: J, options: JobOptions = {}): Promise<ImportResults[J["kind"]]> {
  return (await resultOf(job, options)) as ImportResults[J["kind"]];
}

async function resultOf(job: ImportJob, { onProgress, onNews = () => undefined, signal, fetch }: JobOptions): Promise<ImportResults[ImportJob["kind"]]> {
  switch (job.kind) {
    case "preview":
      return previewImport(job.path, onProgress);
    case "create":
      return (await created(job.order, onProgress)).id;
    case "copy":
      await importEntry(published(job.dataset), job.path);
      return null;
    case "download":
      await downloadEntry(published(job.dataset), {
        ...(signal ? { signal } : {}),
        ...(fetch ? { fetch } : {}),
        onProgress: ({ bytes, total }) => onProgress?.({ done: bytes, total, unit: "bytes" }),
      });
      return null;
    case "network":
      return (await import("./network.ts")).importNetwork(job.order);
    case "records":
      await (await import("./records/index.ts")).readRecords(job.order, { onNews, signal, onProgress: () => onProgress?.({ done: 0, total: 0, unit: "bytes" }) });
      return null;
    case "inspect": {
      const info = (await listDatasets()).find(({ kind }) => kind === job.dataset);
      if (!info) throw new Error(`there is no dataset named ${job.dataset}`);
      return previewDataset(info, job.position);
    }
  }
}

function created(order: ImportOrder, onProgress: OnProgress | undefined) {
  switch (order.form) {
    case "csv":
      return importCsv(order.path, order, order, onProgress);
    case "imageTable":
      return importImageTable(order, order, order, onProgress);
    case "images":
      return importImages(order.path, order, order, onProgress);
    case "arrays":
      return importArrays(order, order);
    case "text":
      return importText(order.path, order, onProgress);
  }
}

function published(id: string): FetchedEntry {
  const entry = catalogEntry(id);
  if (!entry || !isFetched(entry)) throw new Error(`${id} is not a dataset to download`);
  return entry;
}
