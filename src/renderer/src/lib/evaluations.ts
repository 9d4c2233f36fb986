/** Evaluations as a line: test error against epochs. */
import type { Evaluation } from "@shared/run.ts";
import type { ChartLine, Point } from "@charts/chartLines.ts";
import type { LineStyle } from "@charts/palette.ts";

export function errorLine(name: string, style: LineStyle, evaluations: readonly Evaluation[]): ChartLine {
  const points = evaluations.flatMap(({ epoch, testError }): Point[] => (testError === null ? [] : [[epoch, testError]]));
  return { name, style, points, smoothed: null, total: evaluations.length, nonFinite: 0, symbols: true };
}
