/** Chart settings, remembered and shared by all pages. */
import { computed } from "vue";
import { createGlobalState, useLocalStorage } from "@vueuse/core";
import { defaultSmoothing, smoothingSteps } from "@charts/chartLines.ts";

export const useChartSettings = createGlobalState(() => {
  /** Slider position, 0 to 100. */
  const smoothing = useLocalStorage("hypertower.smoothing", defaultSmoothing);
  const logLoss = useLocalStorage("hypertower.logLoss", true);
  const logSteps = useLocalStorage("hypertower.logSteps", false);
  const steps = computed(() => smoothingSteps(smoothing.value));
  return { smoothing, logLoss, logSteps, steps };
});
