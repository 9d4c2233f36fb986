/** All studies, kept up to date by events. */
import { defineStore } from "pinia";
import { computed } from "vue";
import { idParts } from "@shared/requestLists.ts";
import type { StudySummary } from "@shared/study/result.ts";
import { call, connection, listen } from "@/transport/client.ts";
import { useRecords } from "./records.ts";

export const useStudies = defineStore("studies", () => {
  const { kept: studies, binned, loaded, error, load, keep, get, ...records } = useRecords<StudySummary>(async function* (deleted) {
    yield await call("studies.list", { deleted });
  });
  const active = computed(() =>
    studies.value.filter(({ status }) => status === "running" || status === "paused").sort((a, b) => a.createdAt - b.createdAt),
  );

  /** Subscribes to events; call once. */
  function follow(): void {
    listen("study.changed", records.follow);
    connection().onReconnect(() => void load());
  }

  /** @param on where to train, as in `--on` */
  async function start(study: unknown, workers: number | null, on?: string): Promise<StudySummary> {
    const started = await call("studies.start", { study, workers, ...(on !== undefined && on !== "local" && { on }) });
    keep(started);
    return started;
  }

  const pause = async (study: string): Promise<void> => keep(await call("studies.pause", { study }));
  const resume = async (study: string): Promise<void> => keep(await call("studies.resume", { study }));
  const stop = async (study: string): Promise<void> => keep(await call("studies.stop", { study }));
  const retry = async (study: string): Promise<void> => keep(await call("studies.retry", { study }));
  const extend = async (study: string, definition: unknown): Promise<void> => keep(await call("studies.extend", { study, definition }));
  const rename = async (study: string, name: string): Promise<void> => keep(await call("studies.rename", { study, name }));
  async function tag(ids: readonly string[], add: readonly string[], removed: readonly string[]): Promise<void> {
    for (const part of idParts(ids)) keep(...(await call("studies.tag", { studies: part, add: [...add], remove: [...removed] })));
  }
  async function remove(ids: string[], withRuns: boolean): Promise<void> {
    for (const part of idParts(ids)) keep(...(await call("studies.delete", { studies: part, withRuns })));
  }
  async function restore(ids: string[]): Promise<void> {
    for (const part of idParts(ids)) keep(...(await call("studies.restore", { studies: part })));
  }

  return { studies, binned, active, loaded, error, load, follow, get, keep, start, pause, resume, stop, retry, extend, rename, tag, remove, restore };
});
