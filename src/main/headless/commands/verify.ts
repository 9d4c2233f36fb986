/** `hypertower verify [RUN...]`: checks the store, or some of its runs, without writing it. */
import { verifyStore, runsLike } from "../../hosting/verify.ts";
import { plural } from "../../../shared/text.ts";
import { isDamaged, type Finding, type VerifiedRun } from "../../../shared/verification.ts";
import { UserError } from "../../services/services.ts";
import { withUserError } from "../../services/userErrors.ts";
import { formatTime } from "../format.ts";
import { exitCodes, storeDirOf } from "../session.ts";

export interface VerifyCommandOptions {
  readonly store?: string;
  readonly json?: boolean;
}

export async function verify(wanted: readonly string[], options: VerifyCommandOptions): Promise<number> {
  const folder = storeDirOf(options.store);
  const report = await withUserError(async () => {
    const runs = wanted.map((run) => oneRun(folder, run));
    return await verifyStore(folder, { runs: runs.length > 0 ? runs : undefined, onProgress: progress(options.json ?? false) });
  });
  const { path, runs, findings } = report;
  if (options.json) console.log(JSON.stringify(report));
  else console.log([...findings.flatMap(findingLines), ...summaryLines(path, runs, findings)].join("\n"));
  return isDamaged(findings) ? exitCodes.damaged : exitCodes.ok;
}

function oneRun(folder: string, wanted: string): string {
  const [id, ...others] = runsLike(folder, wanted);
  if (id === undefined) throw new UserError(`there is no run ${wanted}; "hypertower runs" lists them`);
  if (others.length > 0) throw new UserError(`${wanted} matches ${others.length + 1} runs: ${[id, ...others].slice(0, 5).join(", ")}`);
  return id;
}

function progress(json: boolean): ((done: number, total: number) => void) | undefined {
  if (json || !process.stderr.isTTY) return undefined;
  return (done, total) => process.stderr.write(done === total ? "\r\u001b[K" : `\rchecking run ${done} of ${total}`);
}

export function findingLines({ severity, run, study, where, problem, meaning, advice }: Finding): string[] {
  const whose = run ? `run ${run}, ` : study ? `study ${study}, ` : "";
  return [`${severity === "damage" ? "DAMAGED" : "warning"}  ${whose}${where}: ${problem}`, `         ${meaning}`, `         ${advice}`];
}

function summaryLines(path: string, runs: readonly VerifiedRun[], findings: readonly Finding[]): string[] {
  const values = runs.reduce((sum, run) => sum + run.values, 0);
  const open = runs.filter(({ protectedSince }) => protectedSince === null);
  const later = runs.filter(({ protectedSince, protectedFromStart }) => protectedSince !== null && !protectedFromStart);
  const since = Math.max(...later.map(({ protectedSince }) => protectedSince ?? 0));
  return [
    ...(findings.length > 0 ? [""] : []),
    `${path}: ${plural(runs.length, "run")}, ${plural(values, "value")} compared with their checksums, ${isDamaged(findings) ? plural(findings.filter(({ severity }) => severity === "damage").length, "damage", "damages") : "no damage"}.`,
    ...(later.length > 0 ? [`${plural(later.length, "run")} of an earlier Hypertower ${later.length === 1 ? "is" : "are"} protected since ${formatTime(since)}; earlier changes cannot be noticed.`] : []),
    ...(open.length > 0 ? [`${plural(open.length, "run")} ${open.length === 1 ? "has" : "have"} no checksums yet; Hypertower makes them in the background after it has opened the store.`] : []),
  ];
}
