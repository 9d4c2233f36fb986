/** How studies are looked at: remembered, and the same for every study. */
import { computed } from "vue";
import { createGlobalState, useLocalStorage } from "@vueuse/core";
import type { BandKind } from "@charts/sensitivityChart.ts";
import type { StudyMetric, StudyMetricName } from "@shared/study/metric.ts";

export const useStudyView = createGlobalState(() => {
  const name = useLocalStorage<StudyMetricName>("hypertower.study.metric", "testError");
  const moment = useLocalStorage<"final" | "best" | "epoch">("hypertower.study.moment", "final");
  const epoch = useLocalStorage("hypertower.study.epoch", 1);
  const band = useLocalStorage<BandKind>("hypertower.study.band", "standardError");
  const dots = useLocalStorage("hypertower.study.dots", true);
  const logY = useLocalStorage("hypertower.study.logY", false);
  const paper = useLocalStorage("hypertower.study.paper", true);
  const metric = computed((): StudyMetric => ({ name: name.value, at: moment.value === "epoch" ? { epoch: epoch.value } : moment.value }));
  return { name, moment, epoch, band, dots, logY, paper, metric };
});
