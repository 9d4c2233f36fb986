/** All runs in list form, kept up to date by events. */
import { defineStore } from "pinia";
import { computed } from "vue";
import { listedOf, type ListedRun } from "@shared/listedRun.ts";
import { idParts } from "@shared/requestLists.ts";
import { isActive, type RunSummary } from "@shared/run.ts";
import { call, connection, listen } from "@/transport/client.ts";
import { runPages } from "@/transport/runPages.ts";
import { useRecords } from "./records.ts";

export const useRuns = defineStore("runs", () => {
  const { kept: runs, binned, loaded, error, load, get, ...records } = useRecords<ListedRun>((deleted) => runPages({ deleted }));
  const active = computed(() => runs.value.filter((run) => isActive(run.status)).sort((a, b) => a.createdAt - b.createdAt));

  const keep = (...changed: readonly RunSummary[]): void => records.keep(...changed.map(listedOf));

  /** Subscribes to events; call once. */
  function follow(): void {
    listen("run.changed", (run) => records.follow(listedOf(run)));
    listen("runs.listed", (changed) => records.follow(...changed));
    connection().onReconnect(() => void load());
  }

  async function start(experiment: unknown): Promise<RunSummary> {
    const run = await call("runs.start", { experiment });
    keep(run);
    return run;
  }

  const pause = async (run: string): Promise<void> => keep(await call("runs.pause", { run }));
  const resume = async (run: string, fromStart = false): Promise<void> => keep(await call("runs.resume", { run, fromStart }));
  const stop = async (run: string): Promise<void> => keep(await call("runs.stop", { run }));
  const rename = async (run: string, name: string): Promise<void> => keep(await call("runs.rename", { run, name }));
  async function tag(ids: readonly string[], add: readonly string[], removed: readonly string[]): Promise<void> {
    for (const part of idParts(ids)) keep(...(await call("runs.tag", { runs: part, add: [...add], remove: [...removed] })));
  }
  async function remove(ids: string[]): Promise<void> {
    for (const part of idParts(ids)) keep(...(await call("runs.delete", { runs: part })));
  }
  async function restore(ids: string[]): Promise<void> {
    for (const part of idParts(ids)) keep(...(await call("runs.restore", { runs: part })));
  }

  return { runs, binned, active, loaded, error, load, follow, get, keep, start, pause, resume, stop, rename, tag, remove, restore };
});
