/** `hypertower evaluate RUN`: evaluates a run's saved weights on the test examples. */
import { isText, type Experiment } from "../../../shared/experiment.ts";
import { maxOf } from "../../../shared/extent.ts";
import { formatCount, formatMeasure } from "../../../shared/format.ts";
import { choiceText, chosenOn, type KeptName } from "../../../shared/kept.ts";
import type { ClassificationReport, PredictionReport, RegressionReport } from "../../../shared/predictions.ts";
import { perSymbol, symbolsOf } from "../../../shared/texts.ts";
import { findRun } from "../find.ts";
import { formatLoss, formatPercent, table } from "../format.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";

export interface EvaluateOptions {
  readonly checkpoint: KeptName;
  readonly store?: string;
  readonly json?: boolean;
}

export async function evaluate(programFiles: ProgramFiles, wanted: string, options: EvaluateOptions): Promise<number> {
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const run = await findRun(services, wanted);
    const report = await services.handlers["predictions.report"]({ run, checkpoint: options.checkpoint });
    const { experiment } = await services.handlers["runs.get"]({ run });
    const chosen = report.kept.name === "best" ? { chosenOn: chosenOn(experiment) } : {};
    console.log(options.json ? JSON.stringify({ type: "evaluation", run, ...report, ...chosen }) : described(run, report, experiment));
    return exitCodes.ok;
  });
}

/** @param run id of the run */
export function described(run: string, report: PredictionReport, experiment: Experiment): string {
  const { kept, examples, loss } = report;
  const facts = [
    ["run", run],
    ["checkpoint", `${kept.name}, after ${formatCount(kept.evaluation.step)} steps (epoch ${Number(kept.evaluation.epoch.toFixed(2))})${kept.name === "best" ? `, ${choiceText(experiment)}` : ""}`],
    [isText(experiment) ? (symbolsOf(experiment.dataset.facts) === "words" ? "words" : "symbols") : "test examples", formatCount(examples)],
    ["loss", formatLoss(loss)],
  ];
  switch (report.task) {
    case "classification":
      if (report.confusion.length === 0) return [table([...facts, ["test error", formatPercent(report.error)]]), "", "most frequent mistakes", table([["CLASS", "PREDICTED", "EXAMPLES"], ...(report.mistakes ?? []).map(({ actual, predicted, count }) => [actual, predicted, formatCount(count)])])].join("\n");
      return [table([...facts, ["test error", formatPercent(report.error)]]), "", "confusion: a row for each class, a column for each prediction", confusion(report)].join("\n");
    case "regression":
      return [table([...facts, ...residuals(report)])].join("\n");
    case "text":
      return table([...facts, [perSymbol("perplexity", experiment.dataset), formatLoss(Math.exp(loss))], [perSymbol("bits per character", experiment.dataset), formatLoss(loss / Math.LN2)], ["test error", formatPercent(report.error)]]);
  }
}

function residuals({ rmse, mae, bias, r2 }: RegressionReport): string[][] {
  return [
    ["RMSE", formatMeasure(rmse)],
    ["mean absolute error", formatMeasure(mae)],
    ["mean residual", formatMeasure(bias)],
    ["R²", r2 === null ? "–: the targets are constant" : formatMeasure(r2)],
  ];
}

/** The confusion matrix, and for each class the share of correct predictions. */
function confusion({ classNames, confusion: counts }: ClassificationReport): string {
  const columns = classNames.map((name, i) => [name, ...counts.map((row) => formatCount(row[i]!))]);
  const right = counts.map((row, i) => {
    const all = row.reduce((sum, n) => sum + n, 0);
    return all === 0 ? "–" : formatPercent((100 * row[i]!) / all);
  });
  const all = [["", ...classNames], ...columns, ["right", ...right]];
  const width = (column: readonly string[]) => maxOf(column.map((cell) => cell.length));
  const widths = all.map(width);
  return all[0]!.map((_, row) => all.map((column, i) => (i === 0 ? column[row]!.padEnd(widths[i]!) : column[row]!.padStart(widths[i]!))).join("  ").trimEnd()).join("\n");
}
