/** Sensitivity panels of studies of methods: over factors of the published defaults, or over starting values. */
import { studyAxis } from "../shared/study/axes.ts";
import { knobsOf, namedKnob, type NamedKnob } from "../shared/study/methods.ts";
import type { Study } from "../shared/study/study.ts";
import { formatHyperparameter } from "../shared/tower.ts";
import type { SensitivityPanel } from "./sensitivityPanel.ts";

/** Starting value of each method, by its name. */
export function startsOf({ methods }: Pick<Study, "methods">): Map<string, NamedKnob> {
  return new Map((methods?.list ?? []).map((method) => [method.name, namedKnob(method, knobsOf(method)[0])]));
}

const factorTitle = "Starting value ÷ published default";
/** Max number of symbols in the title of the axis. */
const maxSymbols = 4;

/** `Starting value (α, d₀)` */
function valueTitle(starts: ReadonlyMap<string, NamedKnob>): string {
  const symbols = [...new Set([...starts.values()].map(({ symbol }) => symbol))];
  return `Starting value (${symbols.slice(0, maxSymbols).join(", ")}${symbols.length > maxSymbols ? ", …" : ""})`;
}

/** The panel with its defaults marked. @param absolute draws starting values instead of factors */
export function methodsPanel(panel: SensitivityPanel, absolute: boolean): SensitivityPanel {
  const { study, curves } = panel;
  if (!study.methods) return panel;
  const starts = startsOf(study);
  const publishedOf = (name: string) => starts.get(name)?.published ?? 1;
  const scaleOf = (name: string) => (absolute ? publishedOf(name) : 1);
  const axis = curves.axis ?? studyAxis(study, 0);
  return {
    ...panel,
    axisTitle: absolute ? valueTitle(starts) : factorTitle,
    valueText: (name, x) => {
      const start = starts.get(name);
      const factor = x / scaleOf(name);
      return `${start?.symbol ?? ""} = ${formatHyperparameter(Number((factor * publishedOf(name)).toPrecision(6)))} (× ${formatHyperparameter(Number(factor.toPrecision(6)))})`;
    },
    defaults: new Map(curves.curves.map(({ label }) => [label, scaleOf(label)])),
    curves: {
      ...curves,
      axis: absolute ? { ...axis, symbol: "start", label: "starting value", words: "starting value" } : axis,
      curves: absolute ? curves.curves.map((curve) => ({ ...curve, points: curve.points.map((point) => ({ ...point, x: Number((point.x * publishedOf(curve.label)).toPrecision(12)) })) })) : curves.curves,
    },
  };
}
