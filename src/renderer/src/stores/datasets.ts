/** Datasets and active downloads. */
import { defineStore } from "pinia";
import { computed, shallowReactive } from "vue";
import type { DatasetInfo } from "@shared/datasets.ts";
import { useApp } from "@/stores/app.ts";
import { call, listen } from "@/transport/client.ts";

export interface DownloadProgress {
  readonly bytes: number;
  readonly total: number;
}

export const useDatasets = defineStore("datasets", () => {
  const app = useApp();
  const downloads = shallowReactive(new Map<string, DownloadProgress>());
  /** Why the latest download of a dataset failed. */
  const problems = shallowReactive(new Map<string, string>());

  const list = computed(() => app.datasets);

  let reloads = 0;
  /** Of several at a time, the last one asked for counts: an earlier answer may come later. */
  async function reload(): Promise<void> {
    const mine = ++reloads;
    const found = await call("datasets.list", {});
    if (mine === reloads) app.datasets = found;
  }

  function take(info: DatasetInfo): void {
    const isListed = app.datasets.some(({ kind }) => kind === info.kind);
    app.datasets = isListed ? app.datasets.map((known) => (known.kind === info.kind ? info : known)) : [...app.datasets, info];
  }

  listen("dataset.changed", ({ kind, progress, problem }) => {
    if (progress) {
      downloads.set(kind, progress);
      return;
    }
    downloads.delete(kind);
    if (problem) problems.set(kind, problem);
    else problems.delete(kind);
    void reload();
  });

  async function download(info: DatasetInfo): Promise<void> {
    problems.delete(info.kind);
    downloads.set(info.kind, { bytes: 0, total: info.downloadBytes ?? 0 });
    try {
      await call("datasets.download", { kind: info.kind });
    } catch (error) {
      downloads.delete(info.kind);
      throw error;
    }
  }

  async function stop(kind: string): Promise<void> {
    take(await call("datasets.stopDownload", { kind }));
    // A stop on request is not an error.
    problems.delete(kind);
  }
  const takeCopy = async (kind: string, path: string) => take(await call("datasets.import", { kind, path }));

  async function remove(kind: string): Promise<void> {
    app.datasets = await call("datasets.remove", { kind });
    problems.delete(kind);
  }

  return { list, downloads, problems, reload, take, download, stop, takeCopy, remove };
});
