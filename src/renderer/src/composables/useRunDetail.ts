/** A run with its evaluations and log, kept up to date. */
import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { useThrottleFn } from "@vueuse/core";
import type { RunDetail, RunEvent, RunSummary } from "@shared/run.ts";
import { useRuns } from "@/stores/runs.ts";
import { call, connection, ConnectionLost, listen, messageOf } from "@/transport/client.ts";

export function useRunDetail(id: Ref<string>) {
  const runs = useRuns();
  const detail = shallowRef<RunDetail | null>(null);
  const error = ref<string | null>(null);
  /** Events deliver summaries more often than details are read. */
  const latest = shallowRef<RunSummary | null>(null);
  const run = computed<RunSummary | null>(() => (latest.value?.id === id.value ? latest.value : null));

  /** Events received while reading, which may be newer than the reply. */
  let noted: RunEvent[] = [];
  function withNoted(read: RunDetail): RunDetail {
    const known = (event: RunEvent) => read.events.some(({ at, kind, message }) => at === event.at && kind === event.kind && message === event.message);
    return { ...read, events: [...read.events, ...noted.filter((event) => !known(event))] };
  }

  async function load(): Promise<void> {
    const wanted = id.value;
    try {
      const read = await call("runs.get", { run: wanted });
      if (wanted !== id.value) return;
      detail.value = withNoted(read);
      latest.value = read;
      error.value = null;
      if (!runs.get(wanted)) runs.keep(read);
    } catch (failure) {
      if (wanted === id.value && !(failure instanceof ConnectionLost)) error.value = messageOf(failure);
    }
  }

  const loadSoon = useThrottleFn(load, 1000, true);

  watch(
    id,
    () => {
      detail.value = null;
      error.value = null;
      noted = [];
    },
    { flush: "sync" },
  );
  // A change of status adds log entries.
  watch(
    [id, () => run.value?.status],
    ([wanted, status]) => {
      if (detail.value?.id !== wanted || detail.value.status !== status) void load();
    },
    { immediate: true },
  );

  const stops = [
    listen("run.changed", (changed) => {
      if (changed.id === id.value) latest.value = changed;
    }),
    listen("run.evaluated", ({ run: of, evaluation }) => {
      if (of !== id.value || !detail.value) return;
      const others = detail.value.evaluations.filter(({ step }) => step !== evaluation.step);
      detail.value = { ...detail.value, evaluations: [...others, evaluation].sort((a, b) => a.step - b.step) };
    }),
    listen("run.noted", ({ run: of, event }) => {
      if (of !== id.value) return;
      noted.push(event);
      if (detail.value) detail.value = withNoted(detail.value);
    }),
    // A run trained by another process says no more than this.
    listen("store.changed", ({ runs: changed }) => {
      if (changed.includes(id.value)) void loadSoon();
    }),
    connection().onReconnect(() => void load()),
  ];
  onScopeDispose(() => stops.forEach((stop) => stop()));

  return { run, detail, error, load };
}
