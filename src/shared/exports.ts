/** Export formats of what a run learned. */
import { movingParts } from "./groups.ts";
import { optimizerSpec } from "./optimizers.ts";
import { codeFrameworks } from "./optimizers/spec.ts";
import type { RunSummary } from "./run.ts";
import { isActive } from "./run.ts";
import type { Level } from "./tower.ts";
import { thinnedExport, thinnedProblem } from "./thinning.ts";

export interface ExportFormat {
  readonly name: string;
  /** Menu label. */
  readonly label: string;
  /** One line of help. */
  readonly help: string;
  /** Suffix of the file name. */
  readonly suffix: string;
  readonly mediaType: string;
}

export const exportFormats = [
  { name: "csv", label: "CSV", help: "Every step: loss and hyperparameters.", suffix: "schedule.csv", mediaType: "text/csv" },
  { name: "json", label: "JSON", help: "The configuration and every step.", suffix: "schedule.json", mediaType: "application/json" },
  { name: "pytorch", label: "PyTorch", help: "Optimizer and scheduler with the learned values.", suffix: "pytorch.py", mediaType: "text/x-python" },
  { name: "optax", label: "Optax", help: "Optimizer and schedules for JAX.", suffix: "optax.py", mediaType: "text/x-python" },
  { name: "keras", label: "Keras", help: "Optimizer and learning-rate schedule.", suffix: "keras.py", mediaType: "text/x-python" },
  {
    name: "library",
    label: "Authors’ library",
    help: "The whole experiment as a Python script for the authors' library.",
    suffix: "gdtuo.py",
    mediaType: "text/x-python",
  },
] as const satisfies readonly ExportFormat[];

export type ExportFormatName = (typeof exportFormats)[number]["name"];

export const exportFormatNames = exportFormats.map(({ name }) => name) as [ExportFormatName, ...ExportFormatName[]];

export function exportFormat(name: ExportFormatName): ExportFormat {
  return exportFormats.find((format) => format.name === name)!;
}

/**
 * Why a run cannot be exported in this format; null when it can. The script needs no
 * results.
 */
export function exportProblem({ name, status, thinned, experiment }: Pick<RunSummary, "name" | "status" | "thinned" | "experiment">, format: ExportFormatName): string | null {
  if (format === "library") return null;
  const refused = refusedOptimizer(experiment.tower[0]!, format);
  if (refused !== null) return refused;
  if (thinned) return `${thinnedProblem(name, thinned)} ${thinnedExport}`;
  if (!isActive(status)) return null;
  return `The run is ${status}; what it learned can be exported when it has ended.`;
}

/** Why an optimizer of level 0 has no code in this format; null where all have. */
function refusedOptimizer(bottom: Level, format: ExportFormatName): string | null {
  const framework = codeFrameworks.find((one) => one === format);
  for (const { settings } of framework === undefined ? [] : movingParts(bottom)) {
    const { label, exports } = optimizerSpec(settings.optimizer);
    const found = exports[framework!];
    if (found.as === "refused") return `${label} cannot be exported to ${exportFormat(format).label}: ${found.why}. CSV and JSON can hold it.`;
  }
  return null;
}
