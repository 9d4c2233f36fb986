/** A run's saved weights and their predictions on the test examples, loaded on demand. */
import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import type { WeightsSummary, KeptName } from "@shared/kept.ts";
import type { PredictionReport } from "@shared/predictions.ts";
import { call, connection, ConnectionLost, listen, messageOf } from "@/transport/client.ts";

/** @param wanted whether to make a report now */
export function usePredictions(run: Ref<string>, wanted: Ref<boolean>) {
  const kept = shallowRef<readonly WeightsSummary[]>([]);
  /** Why there are no weights. */
  const nothing = ref<string | null>(null);
  const checkpoint = ref<KeptName>("best");
  const report = shallowRef<PredictionReport | null>(null);
  const problem = ref<string | null>(null);
  const busy = ref(false);

  const chosen = computed(() => kept.value.find(({ name }) => name === checkpoint.value) ?? null);
  /** The report belongs to older weights. */
  const isStale = computed(() => report.value !== null && chosen.value !== null && report.value.kept.savedAt !== chosen.value.savedAt);

  async function load(): Promise<void> {
    const of = run.value;
    try {
      const answer = await call("predictions.kept", { run: of });
      if (of !== run.value) return;
      kept.value = answer.kept;
      nothing.value = answer.problem;
    } catch (error) {
      if (of === run.value && !(error instanceof ConnectionLost)) nothing.value = messageOf(error);
    }
  }

  let asked = 0;
  async function predict(): Promise<void> {
    const current = ++asked;
    const request = { run: run.value, checkpoint: checkpoint.value };
    busy.value = true;
    problem.value = null;
    try {
      const answer = await call("predictions.report", request);
      if (current === asked) report.value = answer;
    } catch (error) {
      if (current === asked) problem.value = messageOf(error);
    }
    if (current === asked) busy.value = false;
  }

  watch(
    run,
    () => {
      asked++;
      [kept.value, nothing.value, report.value, problem.value, busy.value] = [[], null, null, null, false];
      void load();
    },
    { immediate: true },
  );
  // An open report stays until the user asks for a new one.
  watch([wanted, chosen], ([now]) => {
    if (now && chosen.value && (report.value === null || report.value.kept.name !== checkpoint.value)) void predict();
  }, { immediate: true });

  const stops = [
    listen("run.kept", ({ run: of }) => {
      if (of === run.value) void load();
    }),
    connection().onReconnect(() => void load()),
  ];
  onScopeDispose(() => {
    asked++;
    stops.forEach((stop) => stop());
  });

  return { kept, nothing, checkpoint, chosen, report, problem, busy, isStale, predict };
}
