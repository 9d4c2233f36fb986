/** `hypertower show RUN`: one run with its configuration, evaluations and final hyperparameters. */
import { engineTitle } from "../../../shared/engines.ts";
import { recordFormatNames } from "../../../shared/importedRun.ts";
import type { RunDetail } from "../../../shared/run.ts";
import { metricOf, metricText, resultOf } from "../../../shared/metrics.ts";
import { trainedText } from "../../../shared/trainedTime.ts";
import { findRun } from "../find.ts";
import { epochLine, experimentLine, formatDuration, formatLoss, formatTime, levelLines, levelValues, table } from "../format.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";

export interface ShowOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export async function show(programFiles: ProgramFiles, run: string, options: ShowOptions): Promise<number> {
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const detail = await services.handlers["runs.get"]({ run: await findRun(services, run) });
    console.log(options.json ? JSON.stringify(detail.imported ? { ...detail, experiment: undefined } : { ...detail, hyperparameters: levelValues(detail) }) : describe(detail));
    return exitCodes.ok;
  });
}

/** Mean speed over the training time, evaluations included. */
function speedText({ steps, trained }: RunDetail): string {
  if (steps === 0 || trained?.from !== "clock" || trained.milliseconds === 0) return "–";
  return `${Number(((1000 * steps) / trained.milliseconds).toPrecision(3))} steps per second`;
}

/** Describes a run as text, one block per subject. */
export function describe(run: RunDetail): string {
  if (run.imported) return describeImported(run, run.imported);
  const result = resultOf(run);
  const facts = [
    ["run", run.id],
    ["name", run.name],
    ["status", run.elsewhere ? `${run.status}, in another process` : run.reason ? `${run.status}: ${run.reason}` : run.status],
    ["stack", run.stack],
    ["experiment", experimentLine(run.experiment)],
    ["created", formatTime(run.createdAt)],
    ["trained for", trainedText(run.trained, formatDuration)],
    ["speed", speedText(run)],
    ["steps", `${run.steps} of ${run.totalSteps}`],
    ["loss", run.steps === 0 ? "–" : formatLoss(run.loss)],
    [metricOf(result.name).label, metricText(result.name, result.value)],
    ["device", run.device ?? "–"],
  ];
  const engine = run.environment?.engine;
  if (engine) facts.push(["engine", `${engineTitle(engine.kind)}, ${engine.precision}${engine.driver ? `, ${engine.driver}` : ""}: ${engine.why}`]);
  if (run.deletedAt !== null) facts.push(["in the bin", `since ${formatTime(run.deletedAt)}`]);
  if (run.environment) {
    const { hypertower, node, platform, libraries, gitCommit } = run.environment;
    const versions = Object.entries(libraries).map(([name, version]) => `${name} ${version}`);
    facts.push(["versions", [`hypertower ${hypertower}`, `node ${node}`, platform, ...versions].join(", ")]);
    if (gitCommit) facts.push(["git commit", gitCommit]);
  }
  const evaluations = run.evaluations.map((one) => `  ${epochLine(one, run.experiment)}`);
  return [
    table(facts),
    "",
    "hyperparameters",
    ...levelLines(run).map((line) => `  ${line}`),
    "",
    "evaluations",
    ...(evaluations.length > 0 ? evaluations : ["  none yet"]),
    "",
    "configuration",
    JSON.stringify(run.experiment, null, 2).replace(/^/gm, "  "),
  ].join("\n");
}

function describeImported(run: RunDetail, { format, path, configuration, series }: NonNullable<RunDetail["imported"]>): string {
  const facts = [
    ["run", run.id],
    ["name", run.name],
    ["imported from", `${recordFormatNames[format]}: ${path}`],
    ["imported", formatTime(run.createdAt)],
    ...(run.startedAt === null ? [] : [["recorded", `${formatTime(run.startedAt)} to ${formatTime(run.finishedAt ?? run.startedAt)}`]]),
    ["last step", String(run.steps - 1)],
    ["series", series.join(", ")],
  ];
  if (run.deletedAt !== null) facts.push(["in the bin", `since ${formatTime(run.deletedAt)}`]);
  return [table(facts), "", "configuration", ...(configuration.length > 0 ? [table(configuration.map(([field, value]) => [`  ${field}`, String(value)]))] : ["  none recorded"])].join("\n");
}
