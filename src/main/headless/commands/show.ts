/** `hypertower show RUN`: one run with its configuration, evaluations and final hyperparameters. */
import type { RunDetail } from "../../../shared/run.ts";
import { UserError, type Services } from "../../services/services.ts";
import { epochLine, experimentLine, formatDuration, formatLoss, formatPercent, formatTime, levelLines, levelValues, table } from "../format.ts";
import { exitCodes, openExisting, storeDirOf, type Places } from "../session.ts";

export interface ShowOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export async function show(places: Places, run: string, options: ShowOptions): Promise<number> {
  const services = await openExisting(places, storeDirOf(options.store));
  try {
    const detail = await services.handlers["runs.get"]({ run: await findRun(services, run) });
    console.log(options.json ? JSON.stringify({ ...detail, hyperparameters: levelValues(detail) }) : describe(detail));
    return exitCodes.ok;
  } finally {
    await services.close();
  }
}

/** The id of the run meant by an id, the beginning of one, or `last`. Runs in the bin are found too. */
async function findRun(services: Services, wanted: string): Promise<string> {
  const kept = await services.handlers["runs.list"]({ deleted: false });
  const all = [...kept, ...(await services.handlers["runs.list"]({ deleted: true }))];
  if (wanted === "last") {
    const last = kept.reduce<(typeof kept)[number] | undefined>((a, b) => (a && a.createdAt >= b.createdAt ? a : b), undefined);
    if (!last) throw new UserError("there are no runs yet");
    return last.id;
  }
  const exact = all.find(({ id }) => id === wanted);
  if (exact) return exact.id;
  const matches = [...new Set(all.map(({ id }) => id).filter((id) => id.startsWith(wanted)))];
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) throw new UserError(`there is no run ${wanted}; "hypertower runs" lists them`);
  throw new UserError(`${wanted} is the beginning of ${matches.length} runs: ${matches.slice(0, 5).join(", ")}${matches.length > 5 ? ", …" : ""}`);
}

/** The run in words, one block for each subject. */
export function describe(run: RunDetail): string {
  const facts = [
    ["run", run.id],
    ["name", run.name],
    ["status", run.reason ? `${run.status}: ${run.reason}` : run.status],
    ["stack", run.stack],
    ["experiment", experimentLine(run.experiment)],
    ["created", formatTime(run.createdAt)],
    ["duration", run.startedAt !== null && run.finishedAt !== null ? formatDuration(run.finishedAt - run.startedAt) : "–"],
    ["steps", `${run.steps} of ${run.totalSteps}`],
    ["loss", run.steps === 0 ? "–" : formatLoss(run.loss)],
    ["test error", formatPercent(run.testError)],
    ["device", run.device ?? "–"],
  ];
  if (run.deletedAt !== null) facts.push(["in the bin", `since ${formatTime(run.deletedAt)}`]);
  if (run.environment) {
    const { hypertower, node, platform, libraries, gitCommit } = run.environment;
    const versions = Object.entries(libraries).map(([name, version]) => `${name} ${version}`);
    facts.push(["versions", [`hypertower ${hypertower}`, `node ${node}`, platform, ...versions].join(", ")]);
    if (gitCommit) facts.push(["git commit", gitCommit]);
  }
  const evaluations = run.evaluations.map((one) => `  ${epochLine(one, run.experiment.budget.epochs)}`);
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
