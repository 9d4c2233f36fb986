/** `hypertower updates`: asks for a newer version, and downloads a package on request. */
import { join } from "node:path";
import { formatBytes } from "../../../shared/format.ts";
import { Updates } from "../../services/updates/index.ts";
import { table } from "../format.ts";
import { exitCodes, storeDirOf } from "../session.ts";

export interface UpdatesOptions {
  readonly download?: string;
  readonly store?: string;
  readonly json?: boolean;
}

export async function updates(version: string, options: UpdatesOptions): Promise<number> {
  const asked = new Updates({ version, folder: join(storeDirOf(options.store), "updates") });
  if (options.download !== undefined) {
    const { path } = await asked.download(options.download);
    console.log(options.json ? JSON.stringify({ path }) : path);
    return exitCodes.ok;
  }
  const state = await asked.check();
  if (options.json) console.log(JSON.stringify(state));
  else if (state.source === null) console.log(`Hypertower ${state.current}. This build has no source of updates: it was not made by a release.`);
  else if (state.release === null) console.log(`Hypertower ${state.current} is the newest version at ${state.source}.`);
  else {
    const { version: newest, date, page, notes, files } = state.release;
    console.log(`Hypertower ${newest} of ${date} is available; this is ${state.current}.\n${page}\n\n${notes}\n`);
    if (files.length > 0) console.log(table([["PACKAGE", "SIZE"], ...files.map(({ name, bytes }) => [name, formatBytes(bytes)])]));
  }
  return exitCodes.ok;
}
