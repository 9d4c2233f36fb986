/** `hypertower salvage FOLDER --into NEW-FOLDER`: saves what is readable of a damaged store into a new one. */
import { resolve } from "node:path";
import { plural } from "../../../shared/text.ts";
import { salvageStore } from "../../hosting/salvage.ts";
import { withUserError } from "../../services/userErrors.ts";
import { table } from "../format.ts";
import { exitCodes } from "../session.ts";

export interface SalvageCommandOptions {
  readonly into: string;
  readonly json?: boolean;
}

export async function salvage(folder: string, options: SalvageCommandOptions): Promise<number> {
  const isShown = !options.json && process.stderr.isTTY;
  const report = await withUserError(() =>
    salvageStore(resolve(folder), resolve(options.into), {
      onProgress: isShown ? (done, total) => process.stderr.write(done === total ? "\r\u001b[K" : `\rsaving run ${done} of ${total}`) : undefined,
    }),
  );
  if (options.json) {
    console.log(JSON.stringify(report));
    return exitCodes.ok;
  }
  const { from, into, runs, studies, files, repairs } = report;
  const rows = [...studies.map((study) => ["study", study] as const), ...runs.map((run) => ["run", run] as const)].map(([kind, { id, name, outcome, steps, evaluations, events }]) => [
    outcome,
    kind,
    id,
    name,
    ...(kind === "run" ? [plural(steps, "step"), plural(evaluations, "evaluation"), plural(events, "event")] : ["", "", ""]),
  ]);
  const losses = [...studies, ...runs].flatMap(({ id, losses: all }) => all.map((loss) => `  ${id}: ${loss}`));
  const count = (outcome: string) => runs.filter((run) => run.outcome === outcome).length;
  const lines = [
    table(rows),
    ...(losses.length > 0 ? ["", "Lost or not proven:", ...losses] : []),
    ...(repairs.length > 0 ? ["", "Mended in a copy, to read it:", ...repairs.map((repair) => `  ${repair}`)] : []),
    ...(files.damaged.length > 0 ? ["", "Checkpoints and weights that were left out:", ...files.damaged.map((file) => `  ${file}`)] : []),
    "",
    `Saved ${plural(count("whole"), "whole run")} and ${plural(count("part"), "run")} in part, with ${plural(files.copied, "file")}, into ${into}; ${plural(count("lost"), "run")} lost.`,
    `The damaged store ${from} is unchanged. Keep it until you have looked at the new one: hypertower serve --store ${into}`,
  ];
  console.log(lines.join("\n"));
  return exitCodes.ok;
}
