/** View settings of studies, remembered and shared by all of them. */
import { computed, ref } from "vue";
import { createGlobalState, useLocalStorage } from "@vueuse/core";
import type { BandKind } from "@charts/sensitivityPanel.ts";
import { metricFor, type Moment, type StudyMetric, type StudyMetricName } from "@shared/study/metric.ts";
import { budgetDifference, paperFigureOf, type PaperFigure } from "@shared/study/paperFigures.ts";
import type { Study } from "@shared/study/study.ts";

export const useStudyView = createGlobalState(() => {
  const name = useLocalStorage<StudyMetricName>("hypertower.study.metric", "testError");
  const moment = useLocalStorage<"final" | "best" | "epoch" | "step">("hypertower.study.moment", "final");
  const epoch = useLocalStorage("hypertower.study.epoch", 1);
  const step = useLocalStorage("hypertower.study.step", 1000);
  const band = useLocalStorage<BandKind>("hypertower.study.band", "standardError");
  const dots = useLocalStorage("hypertower.study.dots", true);
  const logY = useLocalStorage("hypertower.study.logY", false);
  /** Whether methods are drawn over their starting values, instead of over factors of their defaults. */
  const absolute = useLocalStorage("hypertower.study.absolute", false);
  /**
   * Whether to show the paper's values on studies with its budget, and (not remembered) on others.
   */
  const paper = useLocalStorage("hypertower.study.paper", true);
  const paperAnyway = ref(false);
  const at = computed((): Moment => {
    if (moment.value === "epoch") return { epoch: epoch.value };
    return moment.value === "step" ? { step: step.value } : moment.value;
  });
  /** The chosen metric, or the headline metric for a study that lacks it. */
  const metricIn = ({ base }: Pick<Study, "base">): StudyMetric => ({ name: metricFor(name.value, base), at: at.value });
  /** The paper's figure that a study repeats under this metric. */
  const paperOf = (study: Study): PaperFigure | undefined => {
    const figure = paperFigureOf(study);
    const metric = metricIn(study);
    return figure && metric.at === "final" && metric.name === figure.metric ? figure : undefined;
  };
  const shownPaperOf = (study: Study): PaperFigure | undefined => {
    const figure = paperOf(study);
    return figure && (budgetDifference(figure, study.base) === null ? paper : paperAnyway).value ? figure : undefined;
  };
  return { absolute, paperAnyway, paperOf, shownPaperOf, name, moment, epoch, step, band, dots, logY, paper, metricIn };
});
