/** What the study being composed will cost. */
import type { Ref } from "vue";
import { call } from "@/transport/client.ts";
import { useMeasured } from "./useMeasured.ts";

/** @param study what to measure, as JSON; null while it is not valid */
export function useEstimate(study: Ref<string | null>) {
  const { value: estimate, error, measuring } = useMeasured(study, (of) => call("studies.estimate", { study: of }));
  return { estimate, error, measuring };
}
