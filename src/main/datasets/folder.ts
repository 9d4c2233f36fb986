/** Where downloaded and imported data lives: the user's data folder, never the program's. */
import { join, resolve } from "node:path";
import envPaths from "env-paths";

/** `HYPERTOWER_DATA`, else `datasets` in `HYPERTOWER_HOME` or in the platform's place for application data. Not created here. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  const [data, home] = [env["HYPERTOWER_DATA"]?.trim(), env["HYPERTOWER_HOME"]?.trim()];
  if (data) return resolve(data);
  return join(home ? resolve(home) : envPaths("hypertower", { suffix: "" }).data, "datasets");
}
