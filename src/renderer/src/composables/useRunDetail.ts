/** A run with its evaluations and log, kept up to date. */
import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { useThrottleFn } from "@vueuse/core";
import type { Evaluation, RunDetail, RunEvent, RunSummary } from "@shared/run.ts";
import { withEvaluations } from "@/lib/evaluations.ts";
import { useRuns } from "@/stores/runs.ts";
import { call, connection, ConnectionLost, listen, messageOf } from "@/transport/client.ts";

export function useRunDetail(id: Ref<string>) {
  const runs = useRuns();
  const detail = shallowRef<RunDetail | null>(null);
  const error = ref<string | null>(null);
  /** Events deliver summaries more often than details are read. */
  const latest = shallowRef<RunSummary | null>(null);
  const run = computed<RunSummary | null>(() => (latest.value?.id === id.value ? latest.value : null));

  /** Events and evaluations received while reading, which may be newer than the reply. */
  let noted: RunEvent[] = [];
  let arrived: Evaluation[] = [];
  let reading = 0;
  /** Counts summaries that events delivered: a reply that was asked for before one of them may be older. */
  let delivered = 0;
  function withNoted(read: RunDetail): RunDetail {
    const known = (event: RunEvent) => read.events.some(({ at, kind, message }) => at === event.at && kind === event.kind && message === event.message);
    return { ...read, events: [...read.events, ...noted.filter((event) => !known(event))] };
  }

  /** Keeps the object of an unchanged experiment, and so all that was computed from it: charts are not drawn for each message. */
  function renewed(changed: RunSummary): RunSummary {
    const known = latest.value?.id === changed.id ? latest.value.experiment : null;
    return known && JSON.stringify(known) === JSON.stringify(changed.experiment) ? { ...changed, experiment: known } : changed;
  }

  async function load(): Promise<void> {
    const [wanted, before] = [id.value, delivered];
    reading++;
    try {
      const read = await call("runs.get", { run: wanted });
      if (wanted !== id.value) return;
      detail.value = withNoted({ ...read, evaluations: withEvaluations(read.evaluations, arrived) });
      if (delivered === before || latest.value?.id !== wanted) latest.value = renewed(read);
      error.value = null;
      if (!runs.get(wanted)) runs.keep(read);
    } catch (failure) {
      if (wanted === id.value && !(failure instanceof ConnectionLost)) error.value = messageOf(failure);
    } finally {
      if (--reading === 0) arrived = [];
    }
  }

  const loadSoon = useThrottleFn(load, 1000, true);

  watch(
    id,
    () => {
      detail.value = null;
      error.value = null;
      noted = [];
      arrived = [];
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
      if (changed.id !== id.value) return;
      delivered++;
      latest.value = renewed(changed);
    }),
    listen("run.evaluated", ({ run: of, evaluations }) => {
      if (of !== id.value) return;
      if (reading > 0) arrived.push(...evaluations);
      if (detail.value) detail.value = { ...detail.value, evaluations: withEvaluations(detail.value.evaluations, evaluations) };
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
