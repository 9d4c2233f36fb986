/** The runs of a comparison, chosen one by one or by study, with their evaluations. */
import { computed, onScopeDispose, ref, shallowReactive, watch, type Ref } from "vue";
import { useThrottleFn } from "@vueuse/core";
import type { Evaluation, RunSummary } from "@shared/run.ts";
import type { ComparedRun } from "@/lib/compared.ts";
import { useRuns } from "@/stores/runs.ts";
import { call, ConnectionLost, listen, messageOf } from "@/transport/client.ts";
import { runPages, runSummaries } from "@/transport/runPages.ts";

export function useComparedRuns(ids: Readonly<Ref<readonly string[]>>, studies: Readonly<Ref<readonly string[]>>) {
  const store = useRuns();
  /** Runs with configurations, which the list of runs omits. */
  const summaries = shallowReactive(new Map<string, RunSummary>());
  const evaluations = shallowReactive(new Map<string, readonly Evaluation[]>());
  const members = shallowReactive(new Map<string, readonly string[]>());
  const error = ref<string | null>(null);
  const reading = ref(0);

  async function attempt(read: () => Promise<void>): Promise<void> {
    reading.value++;
    try {
      await read();
      error.value = null;
    } catch (failure) {
      if (!(failure instanceof ConnectionLost)) error.value = messageOf(failure);
    } finally {
      reading.value--;
    }
  }

  async function readRun(run: string): Promise<void> {
    const detail = await call("runs.get", { run });
    summaries.set(run, detail);
    evaluations.set(run, detail.evaluations);
  }

  async function readStudy(study: string): Promise<void> {
    const readRuns = async () => {
      const ids: string[] = [];
      for await (const part of runPages({ deleted: false, study })) ids.push(...part.map(({ id }) => id));
      return runSummaries(ids);
    };
    const [detail, runs] = await Promise.all([call("studies.get", { study }), readRuns()]);
    for (const run of runs) summaries.set(run.id, run);
    for (const point of detail.points) if (point.run !== null) evaluations.set(point.run, point.evaluations);
    members.set(study, detail.points.flatMap(({ run }) => (run !== null && runs.some(({ id }) => id === run) ? [run] : [])));
  }

  const all = computed(() => [...new Set([...ids.value, ...studies.value.flatMap((study) => members.get(study) ?? [])])]);
  // Single runs are read one by one and refreshed as they progress; a study's runs in one request.
  watch(
    () => ids.value.map((id) => `${id}:${store.get(id)?.status ?? ""}:${store.get(id)?.result.value ?? ""}`),
    (states, before) => {
      const stale = states.filter((state) => !before?.includes(state)).map((state) => state.split(":")[0]!);
      if (stale.length > 0) void attempt(async () => void (await Promise.all(stale.map(readRun))));
    },
    { immediate: true },
  );
  const readStudies = (which: readonly string[]) => attempt(async () => void (await Promise.all(which.map(readStudy))));
  watch(studies, (now, before) => void readStudies(now.filter((study) => !before?.includes(study))), { immediate: true });
  const moved = new Set<string>();
  const readMoved = useThrottleFn(() => {
    const which = [...moved].filter((study) => studies.value.includes(study));
    moved.clear();
    return which.length > 0 ? readStudies(which) : undefined;
  }, 2_000, true);
  const stops = [
    listen("study.changed", ({ id }) => {
      moved.add(id);
      void readMoved();
    }),
    listen("run.changed", (run) => {
      if (summaries.has(run.id)) summaries.set(run.id, run);
    }),
  ];
  onScopeDispose(() => stops.forEach((stop) => stop()));

  const runs = computed((): ComparedRun[] =>
    all.value.flatMap((id) => {
      const run = summaries.get(id);
      return run ? [{ run, evaluations: evaluations.get(id) ?? null }] : [];
    }),
  );
  const missing = computed(() => (store.loaded && reading.value === 0 ? ids.value.filter((id) => !summaries.get(id) && !store.get(id)) : []));
  return { runs, missing, error, reading: computed(() => reading.value > 0) };
}
