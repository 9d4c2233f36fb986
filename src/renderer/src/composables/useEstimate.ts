/** What the study being composed will cost: measured anew, after a pause, when it changes. */
import { computed, ref, shallowRef, watch, type Ref } from "vue";
import { useDebounceFn } from "@vueuse/core";
import type { StudyEstimate } from "@shared/study/result.ts";
import { call, messageOf } from "@/transport/client.ts";

/** Milliseconds without a change before the trainer is asked. */
const pause = 900;

/** @param study what to measure, as JSON; null while it is not valid */
export function useEstimate(study: Ref<string | null>) {
  const measured = shallowRef<{ study: string; estimate: StudyEstimate } | null>(null);
  const failed = shallowRef<{ study: string; message: string } | null>(null);
  const measuring = ref(false);

  async function measure(): Promise<void> {
    const wanted = study.value;
    if (measuring.value || wanted === null || wanted === measured.value?.study || wanted === failed.value?.study) return;
    measuring.value = true;
    try {
      measured.value = { study: wanted, estimate: await call("studies.estimate", { study: JSON.parse(wanted) as unknown }) };
      failed.value = null;
    } catch (error) {
      failed.value = { study: wanted, message: messageOf(error) };
    } finally {
      measuring.value = false;
    }
    // It may have changed meanwhile; one measurement at a time.
    if (study.value !== wanted) void measureSoon();
  }
  const measureSoon = useDebounceFn(measure, pause);
  watch(study, () => void measureSoon(), { immediate: true });

  /** Of the study as it is now; null while that is not known. */
  const estimate = computed(() => (measured.value?.study === study.value ? measured.value.estimate : null));
  const error = computed(() => (failed.value?.study === study.value ? failed.value.message : null));
  return { estimate, error, measuring };
}
