/** Measures the cost of what is being edited, after a pause in editing. */
import { computed, ref, shallowRef, watch, type Ref } from "vue";
import { useDebounceFn } from "@vueuse/core";
import { messageOf } from "@/transport/client.ts";

/** Milliseconds without a change before measuring. */
const pause = 900;

/**
 * @param wanted what to measure, as JSON; null while there is nothing to measure
 * @param ask measures it
 */
export function useMeasured<T>(wanted: Ref<string | null>, ask: (of: unknown) => Promise<T>) {
  const last = shallowRef<{ of: string; value: T } | null>(null);
  const failed = shallowRef<{ of: string; message: string } | null>(null);
  const measuring = ref(false);

  async function measure(): Promise<void> {
    const of = wanted.value;
    if (measuring.value || of === null || of === last.value?.of || of === failed.value?.of) return;
    measuring.value = true;
    try {
      last.value = { of, value: await ask(JSON.parse(of) as unknown) };
      failed.value = null;
    } catch (error) {
      failed.value = { of, message: messageOf(error) };
    } finally {
      measuring.value = false;
    }
    // It may have changed meanwhile; measure one at a time.
    if (wanted.value !== of) void measureSoon();
  }
  const measureSoon = useDebounceFn(measure, pause);
  watch(wanted, () => void measureSoon(), { immediate: true });

  /** Result for the current input; null until known. */
  const value = computed(() => (last.value?.of === wanted.value ? last.value.value : null));
  const error = computed(() => (failed.value?.of === wanted.value ? failed.value.message : null));
  return { value, error, measuring };
}
