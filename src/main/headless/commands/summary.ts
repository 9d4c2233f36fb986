/** `hypertower summary`: an experiment's model layer by layer, and its step time on this machine. */
import { dataShape } from "../../../shared/models/data.ts";
import { shapeText } from "../../../shared/models/shape.ts";
import { summarizeModel, type ModelSummary } from "../../../shared/models/summary.ts";
import type { Experiment } from "../../../shared/experiment.ts";
import { formatBytes, formatCount, formatFlops, formatStepTime } from "../../../shared/format.ts";
import { UserError } from "../../services/services.ts";
import { loadExperiment } from "../definitionSource.ts";
import { experimentLine, table } from "../format.ts";
import { exitCodes, openServices, storeDirOf, type ProgramFiles } from "../session.ts";

export interface SummaryOptions {
  readonly preset?: string;
  readonly set: readonly string[];
  readonly measure: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

/** Milliseconds of a step, or why they are unknown. */
type StepTime = { readonly step: number } | { readonly problem: string } | null;

export async function summary(programFiles: ProgramFiles, file: string | undefined, options: SummaryOptions): Promise<number> {
  const experiment = await loadExperiment({ file, store: options.store, preset: options.preset, set: options.set });
  const { model, batchSize, tower } = experiment;
  const facts = summarizeModel({ model, data: dataShape(experiment), batchSize, tower });
  const time = options.measure ? await measured(programFiles, storeDirOf(options.store), experiment) : null;
  if (options.json) console.log(JSON.stringify({ ...facts, stepTime: time && "step" in time ? time.step : null, ...(time && "problem" in time ? { problem: time.problem } : {}), experiment }));
  else console.log(described(experiment, facts, time));
  return exitCodes.ok;
}

async function measured(programFiles: ProgramFiles, storeDir: string, experiment: Experiment): Promise<StepTime> {
  const services = await openServices(programFiles, storeDir);
  try {
    return await services.handlers["experiments.measure"]({ experiment });
  } catch (error) {
    // The summary does not need the step time; the data may be missing.
    if (error instanceof UserError || error instanceof Error) return { problem: error.message };
    throw error;
  } finally {
    await services.close();
  }
}

function described(experiment: Experiment, facts: ModelSummary, time: StepTime): string {
  const layers = facts.layers.map(({ name, title, output, parameters, flops }) => [
    name,
    title,
    shapeText(output),
    parameters > 0 ? formatCount(parameters) : "",
    flops > 0 ? formatFlops(flops) : "",
  ]);
  const totals = [
    ["parameters", formatCount(facts.parameters)],
    ["operations", `${formatFlops(facts.flops)} a step`],
    ["memory", `${formatBytes(facts.memory)}, estimated`],
    ...(time ? [["time", "step" in time ? `${formatStepTime(time.step)} a step, measured` : `not measured: ${time.problem}`]] : []),
  ];
  return [experimentLine(experiment), "", table([["layer", "kind", "output", "parameters", "FLOPs a step"], ...layers]), "", table(totals)].join("\n");
}
