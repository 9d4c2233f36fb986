/** Where downloaded and imported data lives: the user's data folder, never the program's. */
import { join, resolve } from "node:path";
import envPaths from "env-paths";

/** What a user has of Hypertower: `HYPERTOWER_HOME`, or the platform's place for application data. Not created here. */
export function userFolder(env: NodeJS.ProcessEnv = process.env): string {
  const home = env["HYPERTOWER_HOME"]?.trim();
  return home ? resolve(home) : envPaths("hypertower", { suffix: "" }).data;
}

/** `HYPERTOWER_DATA`, else `datasets` in `HYPERTOWER_HOME` or in the platform's place for application data. Not created here. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  const data = env["HYPERTOWER_DATA"]?.trim();
  return data ? resolve(data) : join(userFolder(env), "datasets");
}
