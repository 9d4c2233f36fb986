/** All studies and their presets, kept up to date by events. */
import { defineStore } from "pinia";
import { computed, ref, shallowRef, triggerRef } from "vue";
import { useThrottleFn } from "@vueuse/core";
import type { StudySummary } from "@shared/study/result.ts";
import { validateStudy, type Study } from "@shared/study/study.ts";
import { call, connection, listen, messageOf } from "@/transport/client.ts";

export interface StudyPreset {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly study: Study;
}

export const useStudies = defineStore("studies", () => {
  const byId = shallowRef(new Map<string, StudySummary>());
  const presets = shallowRef<StudyPreset[]>([]);
  const loaded = ref(false);
  const error = ref<string | null>(null);

  const all = computed(() => [...byId.value.values()]);
  const studies = computed(() => all.value.filter((study) => study.deletedAt === null));
  const binned = computed(() => all.value.filter((study) => study.deletedAt !== null));
  const active = computed(() =>
    studies.value.filter(({ status }) => status === "running" || status === "paused").sort((a, b) => a.createdAt - b.createdAt),
  );

  /** What changes while lists are being read, and so may be newer than they; null at other times. */
  let changedMeanwhile: Map<string, StudySummary> | null = null;

  const show = () => triggerRef(byId);
  const showSoon = useThrottleFn(show, 200, true, true);

  function put(...changed: StudySummary[]): void {
    for (const study of changed) {
      byId.value.set(study.id, study);
      changedMeanwhile?.set(study.id, study);
    }
  }

  function keep(...changed: StudySummary[]): void {
    put(...changed);
    show();
  }

  async function load(): Promise<void> {
    const meanwhile = new Map<string, StudySummary>();
    changedMeanwhile = meanwhile;
    try {
      const [kept, deleted] = await Promise.all([call("studies.list", {}), call("studies.list", { deleted: true })]);
      // A later reading is under way: its lists are newer.
      if (changedMeanwhile !== meanwhile) return;
      byId.value = new Map([...kept, ...deleted, ...meanwhile.values()].map((study) => [study.id, study]));
      changedMeanwhile = null;
      loaded.value = true;
      error.value = null;
    } catch (failure) {
      error.value = messageOf(failure);
    }
  }

  async function loadPresets(): Promise<void> {
    const list = await call("studies.presets", {});
    presets.value = list.map(({ study, ...preset }) => {
      const result = validateStudy(study);
      if (!result.ok) throw new Error(`the preset ${preset.name} is not valid: ${result.errors[0]?.message ?? ""}`);
      return { ...preset, study: result.study };
    });
  }

  /** Starts following events; call once. */
  function follow(): void {
    listen("study.changed", (study) => {
      put(study);
      void showSoon();
    });
    // Another process that trains may write several times a second.
    listen("store.changed", useThrottleFn(load, 1000, true));
    connection().onReconnect(() => void load());
  }

  const get = (id: string): StudySummary | undefined => byId.value.get(id);

  async function start(study: unknown, workers: number | null): Promise<StudySummary> {
    const started = await call("studies.start", { study, workers });
    keep(started);
    return started;
  }

  const pause = async (study: string): Promise<void> => keep(await call("studies.pause", { study }));
  const resume = async (study: string): Promise<void> => keep(await call("studies.resume", { study }));
  const stop = async (study: string): Promise<void> => keep(await call("studies.stop", { study }));
  const retry = async (study: string): Promise<void> => keep(await call("studies.retry", { study }));
  const extend = async (study: string, definition: unknown): Promise<void> => keep(await call("studies.extend", { study, definition }));
  const rename = async (study: string, name: string): Promise<void> => keep(await call("studies.rename", { study, name }));
  const remove = async (ids: string[], withRuns: boolean): Promise<void> => keep(...(await call("studies.delete", { studies: ids, withRuns })));
  const restore = async (ids: string[]): Promise<void> => keep(...(await call("studies.restore", { studies: ids })));

  return { studies, binned, active, presets, loaded, error, load, loadPresets, follow, get, keep, start, pause, resume, stop, retry, extend, rename, remove, restore };
});
