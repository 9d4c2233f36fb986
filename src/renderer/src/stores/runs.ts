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

  /** What changes while lists are being read, and so may be newer than they; null at other times. */
  let changedMeanwhile: Map<string, RunSummary> | null = null;

  const show = () => triggerRef(byId);
  /** Many runs may report at once; the lists are drawn again for all of them together. */
  const showSoon = useThrottleFn(show, 100, true, true);

  function put(...changed: RunSummary[]): void {
    for (const run of changed) byId.value.set(run.id, run);
    for (const run of changed) changedMeanwhile?.set(run.id, run);
  }

  function keep(...changed: RunSummary[]): void {
    put(...changed);
    show();
  }

  /** Reads both lists again; what is on screen stays until they are here. */
  async function load(): Promise<void> {
    const meanwhile = new Map<string, RunSummary>();
    changedMeanwhile = meanwhile;
    try {
      const [kept, deleted] = await Promise.all([call("runs.list", {}), call("runs.list", { deleted: true })]);
      // A later reading is under way: its lists are newer.
      if (changedMeanwhile !== meanwhile) return;
      byId.value = new Map([...kept, ...deleted, ...meanwhile.values()].map((run) => [run.id, run]));
      changedMeanwhile = null;
      loaded.value = true;
      error.value = null;
    } catch (failure) {
      error.value = messageOf(failure);
    }
  }

  /** Starts following events; call once. */
  function follow(): void {
    listen("run.changed", (run) => {
      put(run);
      void showSoon();
    });
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
  const resume = async (run: string, fromStart = false): Promise<void> => keep(await call("runs.resume", { run, fromStart }));
  const stop = async (run: string): Promise<void> => keep(await call("runs.stop", { run }));
  const rename = async (run: string, name: string): Promise<void> => keep(await call("runs.rename", { run, name }));
  const remove = async (ids: string[]): Promise<void> => keep(...(await call("runs.delete", { runs: ids })));
  const restore = async (ids: string[]): Promise<void> => keep(...(await call("runs.restore", { runs: ids })));

  return { runs, binned, active, loaded, error, load, follow, get, keep, start, pause, resume, stop, rename, remove, restore };
});
