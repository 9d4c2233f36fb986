/** What the study being composed will cost. */
import { computed, type Ref } from "vue";
import { call } from "@/transport/client.ts";
import { useMeasured } from "./useMeasured.ts";

interface Wanted {
  readonly study: unknown;
  readonly workers: number | null;
}

/**
 * @param study what to measure, as JSON; null while it is not valid
 * @param workers runs trained at the same time; null where the calibration chooses
 */
export function useEstimate(study: Ref<string | null>, workers: Ref<number | null>) {
  const wanted = computed(() => (study.value === null ? null : JSON.stringify({ study: JSON.parse(study.value) as unknown, workers: workers.value } satisfies Wanted)));
  const { value: estimate, error, measuring } = useMeasured(wanted, (of) => call("studies.estimate", of as Wanted));
  return { estimate, error, measuring };
}
