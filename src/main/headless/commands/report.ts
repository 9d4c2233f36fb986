/** `hypertower report STUDY|RUN`: writes tables, figures and a page into a folder. */
import { resolve } from "node:path";
import { pictureSettings, type PictureSettings, type ReportSubject } from "../../../shared/reports.ts";
import { fieldErrors } from "../../../shared/experiment.ts";
import { UserError, type Services } from "../../services/services.ts";
import { findRun, findStudy } from "../find.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";

export interface ReportOptions extends Partial<Record<"theme" | "metric" | "at" | "band" | "reference", string>> {
  readonly out?: string;
  readonly width?: number;
  readonly height?: number;
  readonly scale?: number;
  readonly yLog?: boolean;
  readonly run?: boolean;
  readonly force?: boolean;
  readonly damagedAnyway?: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

export async function report(programFiles: ProgramFiles, wanted: string, options: ReportOptions): Promise<number> {
  const settings = readSettings(options);
  return withStore(programFiles, storeDirOf(options.store), async (services) => {
    const of = await findSubject(services, wanted, options.run ?? false);
    if (!options.damagedAnyway) await services.requireSound(of);
    const folder = resolve(options.out ?? `report-${"study" in of ? of.study : of.run}`);
    const { files, remarks } = await services.writeReport(of, folder, settings, {
      force: options.force ?? false,
      onRemarks: (all) => {
        for (const remark of all) console.error(remark);
      },
      onFile: (file) => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${file}`);
      },
    });
    if (process.stderr.isTTY) process.stderr.write("\r\u001B[K");
    if (options.json) console.log(JSON.stringify({ type: "report", of, folder, files, remarks }));
    else console.log(`wrote ${files.length} files to ${folder}; open ${resolve(folder, "report.html")}`);
    return exitCodes.ok;
  });
}

/** Checks the options before the store is opened. @throws UserError naming every invalid option */
function readSettings({ theme, metric, at, band, reference, width, height, scale, yLog }: ReportOptions): PictureSettings {
  const given = Object.fromEntries(Object.entries({ theme, metric, at, band, reference, width, height, scale, yLog }).filter(([, value]) => value !== undefined));
  const parsed = pictureSettings.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new UserError("The report options are not valid.", fieldErrors(parsed.error).map(({ path, message }) => ({ path: `--${path.split(".")[0]!.replace("yLog", "y-log")}`, message })));
}

/** Finds the study or run with the id; `last` is the latest study, or with --run the latest run. */
async function findSubject(services: Services, wanted: string, runOnly: boolean): Promise<ReportSubject> {
  if (runOnly) return { run: await findRun(services, wanted) };
  try {
    return { study: await findStudy(services, wanted) };
  } catch (error) {
    if (!(error instanceof UserError) || wanted === "last") throw error;
    const run = await findRun(services, wanted).catch((second: unknown) => {
      if (!(second instanceof UserError)) throw second;
      // Neither was found: report both reasons.
      throw new UserError(`${error.message}; ${second.message}`);
    });
    return { run };
  }
}
