/** `hypertower import-runs PATH...`: runs that other programs recorded, to be compared with those trained here. */
import { resolve } from "node:path";
import { recordFormatNames, type ImportRunsAnswer, type TableColumns } from "../../../shared/importedRun.ts";
import { plural } from "../../../shared/text.ts";
import { onInterrupt } from "../interrupt.ts";
import { table } from "../format.ts";
import { closing, exitCodes, openServices, storeDirOf, type ProgramFiles } from "../session.ts";

export interface ImportRunsOptions {
  readonly store?: string;
  readonly json?: boolean;
  readonly watch?: boolean;
  readonly step?: string;
  readonly time?: string;
  readonly epoch?: string;
}

function print({ runs, warnings }: Pick<ImportRunsAnswer, "runs" | "warnings">, json: boolean | undefined): void {
  for (const warning of warnings) console.error(`warning: ${warning}`);
  if (json) return console.log(JSON.stringify({ type: "imported", runs }));
  console.log(table([["RUN", "NAME", "FORMAT", "VALUES", ""], ...runs.map(({ id, name, format, points, isNew }) => [id, name, recordFormatNames[format], String(points), isNew ? "new" : "read again"])]));
}

export async function importRuns(programFiles: ProgramFiles, paths: readonly string[], { store, json, watch = false, step, time, epoch }: ImportRunsOptions): Promise<number> {
  const services = await openServices(programFiles, storeDirOf(store));
  const columns: TableColumns = { ...(step !== undefined && { step }), ...(time !== undefined && { time }), ...(epoch !== undefined && { epoch }) };
  return closing(services, async () => {
    const answer = await services.handlers["importedRuns.import"]({ paths: paths.map((path) => resolve(path)), watch, columns });
    print(answer, json);
    if (answer.watch === null) return exitCodes.ok;
    if (!json) console.error(`watching ${plural(paths.length, "path")}; Ctrl+C stops`);
    const stepsOf = new Map(answer.runs.map(({ id }) => [id, -1]));
    const unsubscribe = services.on("run.changed", (run) => {
      if (!run.imported || stepsOf.get(run.id) === run.steps) return;
      stepsOf.set(run.id, run.steps);
      console.log(json ? JSON.stringify({ type: "run", id: run.id, name: run.name, steps: run.steps, loss: run.loss }) : `${run.id}  ${run.name}  step ${run.steps - 1}${run.loss === null ? "" : `  loss ${run.loss.toPrecision(5)}`}`);
    });
    await new Promise<void>((done) => {
      const forget = onInterrupt(finished);
      const ended = services.on("importedRuns.changed", () => {
        void Promise.resolve(services.handlers["importedRuns.watches"]({})).then((watches) => watches.length === 0 && finished());
      });
      function finished(): void {
        forget();
        ended();
        done();
      }
    });
    unsubscribe();
    return exitCodes.ok;
  });
}
