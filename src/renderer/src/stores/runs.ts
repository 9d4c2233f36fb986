/** All runs, kept up to date by events. */
import { defineStore } from "pinia";
import { computed, ref, shallowRef, triggerRef } from "vue";
import { useThrottleFn } from "@vueuse/core";
import { isActive, type RunSummary } from "@shared/run.ts";
import { call, connection, listen, messageOf } from "@/transport/client.ts";

export const useRuns = defineStore("runs", () => {
  const byId = shallowRef(new Map<string, RunSummary>());
  const loaded = ref(false);
  const error = ref<string | null>(null);

  const all = computed(() => [...byId.value.values()]);
  const runs = computed(() => all.value.filter((run) => run.deletedAt === null));
  const binned = computed(() => all.value.filter((run) => run.deletedAt !== null));
  const active = computed(() => runs.value.filter((run) => isActive(run.status)).sort((a, b) => a.createdAt - b.createdAt));

  function keep(...changed: RunSummary[]): void {
    for (const run of changed) byId.value.set(run.id, run);
    changedMeanwhile.push(...changed);
    triggerRef(byId);
  }

  /** What changed while lists were being read: newer than they may be. */
  let changedMeanwhile: RunSummary[] = [];

  /** Reads both lists again; what is on screen stays until they are here. */
  async function load(): Promise<void> {
    changedMeanwhile = [];
    try {
      const [kept, deleted] = await Promise.all([call("runs.list", {}), call("runs.list", { deleted: true })]);
      byId.value = new Map([...kept, ...deleted, ...changedMeanwhile].map((run) => [run.id, run]));
      loaded.value = true;
      error.value = null;
    } catch (failure) {
      error.value = messageOf(failure);
    }
  }

  /** Starts following events; call once. */
  function follow(): void {
    listen("run.changed", (run) => keep(run));
    // Another process that trains may write several times a second.
    listen("store.changed", useThrottleFn(load, 1000, true));
    connection().onReconnect(() => void load());
  }

  const get = (id: string): RunSummary | undefined => byId.value.get(id);

  async function start(experiment: unknown): Promise<RunSummary> {
    const run = await call("runs.start", { experiment });
    keep(run);
    return run;
  }

  const pause = async (run: string): Promise<void> => keep(await call("runs.pause", { run }));
  const resume = async (run: string): Promise<void> => keep(await call("runs.resume", { run }));
  const stop = async (run: string): Promise<void> => keep(await call("runs.stop", { run }));
  const rename = async (run: string, name: string): Promise<void> => keep(await call("runs.rename", { run, name }));
  const remove = async (ids: string[]): Promise<void> => keep(...(await call("runs.delete", { runs: ids })));
  const restore = async (ids: string[]): Promise<void> => keep(...(await call("runs.restore", { runs: ids })));

  return { runs, binned, active, loaded, error, load, follow, get, keep, start, pause, resume, stop, rename, remove, restore };
});
