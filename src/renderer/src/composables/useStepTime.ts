/** Milliseconds per step of the experiment being edited. */
import { computed, watch, type Ref } from "vue";
import { useLocalStorage } from "@vueuse/core";
import type { ModelSummary } from "@shared/models/summary.ts";
import { validateDraft, type Draft } from "@/lib/draft.ts";
import { useRuns } from "@/stores/runs.ts";
import { call } from "@/transport/client.ts";
import { useMeasured } from "./useMeasured.ts";

/** Limit on what is measured without asking: its steps take seconds and little memory. */
const maxFlops = 2e11;
const maxBytes = 2 ** 30;

export interface StepTime {
  /** Null while measuring. */
  readonly milliseconds: number | null;
  /**
   * If not, estimated from the latest measurement of the same kind of model and data, by the number
   * of operations.
   */
  readonly measured: boolean;
}

interface Pace {
  /** Kind of model and data. */
  readonly of: string;
  readonly milliseconds: number;
  readonly flops: number;
}

/** Measures only while nothing else trains. */
export function useStepTime(draft: Ref<Draft>, summary: Ref<ModelSummary | null>) {
  const runs = useRuns();
  const pace = useLocalStorage<Pace | null>("hypertower.pace", null, { serializer: { read: (text) => JSON.parse(text) as never, write: JSON.stringify } });

  const kind = computed(() => `${draft.value.model.kind} ${draft.value.dataset.kind}`);

  /** Everything that determines a step; null while it cannot be measured. */
  const wanted = computed(() => {
    const result = validateDraft(draft.value);
    if (!result.ok || !summary.value || summary.value.flops > maxFlops || summary.value.memory > maxBytes || runs.active.length > 0) return null;
    return JSON.stringify({ ...result.experiment, name: "", seed: 0, budget: { epochs: 1 } });
  });
  const { value, error } = useMeasured(wanted, (experiment) => call("experiments.measure", { experiment }));

  watch(value, (now) => {
    if (now && summary.value) pace.value = { of: kind.value, milliseconds: now.step, flops: summary.value.flops };
  });

  return computed((): StepTime | null => {
    if (value.value) return { milliseconds: value.value.step, measured: true };
    if (wanted.value !== null && error.value === null) return { milliseconds: null, measured: false };
    // Only the same kind of model and data has the same speed.
    if (!pace.value || !summary.value || pace.value.of !== kind.value) return null;
    return { milliseconds: (pace.value.milliseconds * summary.value.flops) / pace.value.flops, measured: false };
  });
}
