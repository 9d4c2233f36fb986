/** Contents of `report.json`. */
import { curveNames } from "../../../charts/studyText.ts";
import { numberColumns } from "../../../charts/numberTable.ts";
import type { ReportFileContent } from "../../../shared/reportFile.ts";
import type { Environment } from "../../../shared/run.ts";
import { metricLabel } from "../../../shared/study/metric.ts";
import type { Sensitivity } from "../../../shared/study/sensitivity.ts";
import type { Study } from "../../../shared/study/study.ts";
import { pictureFormats, type Figure } from "./figure.ts";
import type { Program } from "./origin.ts";
import type { Table } from "./studyTables.ts";

export interface SidecarParts {
  readonly of: Pick<ReportFileContent, "study" | "experiment">;
  readonly program: Program;
  readonly remarks: readonly string[];
  readonly tables: readonly Table[];
  readonly figures: readonly Figure[];
  readonly environments: readonly Environment[];
  readonly numbers?: ReportFileContent["numbers"];
}

export const figureFile = (figure: Figure, format: string) => `figures/${figure.name}.${format}`;

export function sidecar({ of, program, remarks, tables, figures, environments, numbers }: SidecarParts): ReportFileContent {
  return {
    format: "hypertower-report",
    formatVersion: 1,
    program: { name: "hypertower", version: program.version },
    remarks: [...remarks],
    ...of,
    ...(numbers && { numbers }),
    tables: tables.map(({ name, description, columns }) => ({ file: name, description, columns: columns.map((column) => ({ ...column })) })),
    figures: figures.map((figure) => ({ name: figure.name, title: figure.title, caption: figure.caption, files: pictureFormats.map((format) => figureFile(figure, format)), ...figure.size })),
    environments: [...new Map(environments.map((one) => [JSON.stringify(one), one])).values()],
  };
}

/** Key figures of a study for the sidecar; non-finite numbers are left out. */
export function numbersOf(study: Study, found: Sensitivity): ReportFileContent["numbers"] {
  const columns = numberColumns(found);
  const names = curveNames(study, found.heights);
  return {
    metric: metricLabel(found.metric),
    confidence: found.bootstrap.confidence,
    resamples: found.bootstrap.resamples,
    definitions: Object.fromEntries(columns.map(({ key, title, unit, definition }) => [key, { title, unit, definition }])),
    values: found.heights.map((height, i) => ({
      curve: names[i]!,
      height: height.height,
      stack: height.stack,
      runs: height.runs,
      diverged: height.diverged,
      exploded: height.exploded,
      numbers: Object.fromEntries(
        columns.map(({ key, of }) => {
          const estimate = of(height);
          return [key, estimate && Number.isFinite(estimate.value) ? { value: estimate.value, interval: estimate.interval && [estimate.interval[0], estimate.interval[1]] } : null];
        }),
      ),
    })),
    verdict: { headline: found.verdict.headline, remarks: [...found.verdict.remarks] },
  };
}
