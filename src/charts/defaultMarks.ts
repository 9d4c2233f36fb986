/** Marks the published defaults of a sensitivity chart's curves. */
import type { CurvePoint } from "../shared/study/curves.ts";
import { positionOn, type StudyAxis } from "../shared/study/axes.ts";
import type { AxisScale } from "./axes.ts";
import type { CurveStyle, SensitivityPanel } from "./sensitivityPanel.ts";
import { curveNames } from "./studyText.ts";
import type { Look } from "./theme.ts";

interface Place {
  readonly xAxisIndex: number;
  readonly yAxisIndex: number;
}

/** Mean of a curve at x, interpolated on the axis' scale; null outside its known points. */
export function meanAt(points: readonly CurvePoint[], x: number, scale: StudyAxis["scale"]): number | null {
  const known = points.flatMap(({ x: at, mean }) => (mean === null ? [] : [{ at, mean }]));
  const after = known.findIndex(({ at }) => at >= x);
  const [a, b] = [known[after - 1], known[after]];
  if (!b) return null;
  if (b.at === x) return b.mean;
  if (!a) return null;
  const share = (positionOn(scale, x) - positionOn(scale, a.at)) / (positionOn(scale, b.at) - positionOn(scale, a.at));
  return a.mean + share * (b.mean - a.mean);
}

/**
 * One vertical line where all curves have the same default, as on an axis of factors; else a ring on each curve.
 */
export function defaultMarks(panel: SensitivityPanel, styles: ReadonlyMap<string, CurveStyle>, look: Look, place: Place, { y, yLog }: { y: AxisScale; yLog: boolean }): Record<string, unknown>[] {
  const { curves, defaults, study } = panel;
  if (!defaults || !curves.axis) return [];
  const { scale } = curves.axis;
  const values = [...new Set(defaults.values())];
  const base = { ...place, type: "line", silent: true, animation: false, showAllSymbol: true };
  if (values.length === 1) {
    const [x] = values;
    const label = { show: true, position: "insideEndTop", rotate: 0, formatter: "published default", color: look.faint, fontSize: look.fontSize - 1.5, fontFamily: look.fontFamily };
    return [
      {
        ...base,
        symbol: "none",
        z: 1,
        lineStyle: { color: look.axis, width: 1, type: "dashed" },
        data: [
          [x, y.min],
          { value: [x, y.max], symbol: "circle", symbolSize: 0.01, label: { ...label, position: "right", offset: [2, 8] } },
        ],
      },
    ];
  }
  const names = curveNames(study, curves.curves);
  const rings = curves.curves.flatMap(({ points }, i) => {
    const x = defaults.get(names[i]!);
    const mean = x === undefined ? null : meanAt(points, x, scale);
    return x === undefined || mean === null || (yLog && mean <= 0) ? [] : [{ value: [x, mean], itemStyle: { color: "transparent", borderColor: styles.get(names[i]!)?.color ?? look.text, borderWidth: 2 } }];
  });
  return [{ ...place, type: "scatter", silent: true, animation: false, symbol: "circle", symbolSize: 17, z: 6, data: rings }];
}
