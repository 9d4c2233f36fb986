/** `hypertower logs`: lists what a file of logs would hold, or writes it. Nothing is sent anywhere. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { formatBytes } from "../../../shared/format.ts";
import { messageOf } from "../../../shared/errors.ts";
import { supportFile, supportFiles } from "../../services/logs.ts";
import { UserError } from "../../services/services.ts";
import { table } from "../format.ts";
import { formatOf } from "../outFile.ts";
import { exitCodes, storeDirOf, withStore, type ProgramFiles } from "../session.ts";
import { writeWhole } from "../writeWhole.ts";

export interface LogsOptions {
  readonly out?: string;
  readonly force?: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

export async function logs(programFiles: ProgramFiles, options: LogsOptions): Promise<number> {
  if (options.out !== undefined) formatOf(options.out, { ".zip": "logs" });
  const storeDir = storeDirOf(options.store);
  if (!existsSync(storeDir)) throw new UserError(`there is no store in ${storeDir}, and so no logs; --store names another folder`);
  const files = await filesOf(programFiles, storeDir);
  const listed = files.map(({ name, what, content }) => ({ name, what, bytes: content.byteLength }));
  if (options.json) console.log(JSON.stringify({ files: listed }));
  else {
    console.log(table([["FILE", "SIZE", "HOLDS"], ...listed.map(({ name, bytes, what }) => [name, formatBytes(bytes), what])]));
    console.log("Paths, names of runs, studies and datasets, and those of this account and machine are taken out. Nothing is sent.");
  }
  if (options.out !== undefined) await writeWhole(resolve(options.out), supportFile(files), options.force ?? false);
  else if (!options.json) console.log("Add --out FILE.zip to write them into a file.");
  return exitCodes.ok;
}

/** A store that cannot be opened is when logs are needed most. */
async function filesOf(programFiles: ProgramFiles, storeDir: string) {
  try {
    return await withStore(programFiles, storeDir, (services) => services.supportFiles());
  } catch (error) {
    console.error(`The store could not be opened: ${messageOf(error)}`);
    return supportFiles({ storeDir, version: programFiles.version, host: "command line", problem: error });
  }
}
