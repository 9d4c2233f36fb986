/** Points of some studies, kept up to date by batched events. */
import { onScopeDispose, ref, shallowReactive, watch } from "vue";
import { useThrottleFn } from "@vueuse/core";
import type { StudyPoint } from "@shared/study/result.ts";
import { useStudies } from "@/stores/studies.ts";
import { call, connection, ConnectionLost, listen, messageOf } from "@/transport/client.ts";

/** Milliseconds between two batches. */
const interval = 300;

export function useStudyPoints(ids: () => readonly string[]) {
  const studies = useStudies();
  /** Plain maps, because a thousand reactive objects are slow. */
  const byStudy = new Map<string, Map<string, StudyPoint>>();
  /** Displayed points, replaced as a whole. */
  const points = shallowReactive(new Map<string, readonly StudyPoint[]>());
  const error = ref<string | null>(null);
  const changed = new Set<string>();

  function show(): void {
    for (const id of changed) points.set(id, [...(byStudy.get(id)?.values() ?? [])]);
    changed.clear();
  }
  const showSoon = useThrottleFn(show, interval, true, true);

  async function load(id: string): Promise<void> {
    try {
      const detail = await call("studies.get", { study: id });
      if (!ids().includes(id)) return;
      byStudy.set(id, new Map(detail.points.map((point) => [point.key, point])));
      studies.keep(detail);
      changed.add(id);
      show();
      error.value = null;
    } catch (failure) {
      if (ids().includes(id) && !(failure instanceof ConnectionLost)) error.value = messageOf(failure);
    }
  }
  const loadAll = () => Promise.all(ids().map(load));
  /** Studies that another process changed. */
  const foreign = new Set<string>();
  const loadForeign = useThrottleFn(
    () => {
      const which = ids().filter((id) => foreign.has(id));
      foreign.clear();
      return Promise.all(which.map(load));
    },
    2000,
    true,
  );

  // An extended or restarted study has other points; events cover the rest.
  watch(
    () => ids().map((id) => `${id}:${studies.get(id)?.total ?? ""}:${studies.get(id)?.status ?? ""}`),
    (now, before) => {
      for (const key of now) if (!before?.includes(key)) void load(key.split(":")[0] ?? "");
    },
    { immediate: true },
  );

  const stops = [
    listen("study.advanced", ({ study, point }) => {
      const known = byStudy.get(study);
      if (!known) return;
      known.set(point.key, point);
      changed.add(study);
      void showSoon();
    }),
    // A study trained by another process says no more than this.
    listen("store.changed", ({ studies: changed }) => {
      for (const id of changed) foreign.add(id);
      if (changed.length > 0) void loadForeign();
    }),
    connection().onReconnect(() => void loadAll()),
  ];
  onScopeDispose(() => stops.forEach((stop) => stop()));

  /** Reactive; undefined until loaded. */
  const of = (id: string): readonly StudyPoint[] | undefined => points.get(id);
  return { of, error };
}
