/** How studies are looked at: remembered, and the same for every study. */
import { computed } from "vue";
import { createGlobalState, useLocalStorage } from "@vueuse/core";
import type { BandKind } from "@charts/sensitivityPanel.ts";
import { metricFor, type Moment, type StudyMetric, type StudyMetricName } from "@shared/study/metric.ts";
import type { Study } from "@shared/study/study.ts";

export const useStudyView = createGlobalState(() => {
  const name = useLocalStorage<StudyMetricName>("hypertower.study.metric", "testError");
  const moment = useLocalStorage<"final" | "best" | "epoch" | "step">("hypertower.study.moment", "final");
  const epoch = useLocalStorage("hypertower.study.epoch", 1);
  const step = useLocalStorage("hypertower.study.step", 1000);
  const band = useLocalStorage<BandKind>("hypertower.study.band", "standardError");
  const dots = useLocalStorage("hypertower.study.dots", true);
  const logY = useLocalStorage("hypertower.study.logY", false);
  const paper = useLocalStorage("hypertower.study.paper", true);
  const at = computed((): Moment => {
    if (moment.value === "epoch") return { epoch: epoch.value };
    return moment.value === "step" ? { step: step.value } : moment.value;
  });
  /** The chosen metric, or, for a study that has no such, what its runs are known by. */
  const metricIn = ({ base }: Pick<Study, "base">): StudyMetric => ({ name: metricFor(name.value, base), at: at.value });
  return { name, moment, epoch, step, band, dots, logY, paper, metricIn };
});
