/** Figure of the attention of one module on one example. */
import { attentionChart, attentionHeight, type AttentionPicture } from "../../../charts/attentionChart.ts";
import { formatCount } from "../../../shared/format.ts";
import type { WeightsSummary } from "../../../shared/kept.ts";
import type { RunDetail } from "../../../shared/run.ts";
import type { Figure } from "./figure.ts";

const usualWidth = 960;

/** @param width of the picture in pixels; its height follows */
export function attentionFigure(run: Pick<RunDetail, "name" | "stack">, kept: WeightsSummary, module: string, picture: AttentionPicture, width: number | null): Figure {
  const size = width ?? usualWidth;
  return {
    name: "attention",
    title: `${run.name || run.stack}: attention of ${module}`,
    caption: "Rows are queries, columns keys.",
    size: { width: size, height: attentionHeight(picture, size, 12) + 70 },
    footer: [`${kept.name === "best" ? "Best" : "Last"} weights, step ${formatCount(kept.evaluation.step)}; rows are queries, columns keys`],
    option: (settings) => attentionChart(picture, settings),
  };
}
