/** Paths of the user's folders; the program's own folder is never written. */
import { join, resolve } from "node:path";
import envPaths from "env-paths";

/** The user's folder: `HYPERTOWER_HOME`, or the platform's folder for application data. Not created here. */
export function userFolder(env: NodeJS.ProcessEnv = process.env): string {
  const home = env["HYPERTOWER_HOME"]?.trim();
  return home ? resolve(home) : envPaths("hypertower", { suffix: "" }).data;
}

/** The data folder: `HYPERTOWER_DATA`, or `datasets` in the user's folder. Not created here. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  const data = env["HYPERTOWER_DATA"]?.trim();
  return data ? resolve(data) : join(userFolder(env), "datasets");
}
