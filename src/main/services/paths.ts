/** Where the store lives unless somebody says otherwise. */
import { resolve } from "node:path";
import envPaths from "env-paths";

/** The folder named by HYPERTOWER_HOME, or the platform's place for application data. Not created here. */
export function defaultStoreDir(env: NodeJS.ProcessEnv = process.env): string {
  const home = env["HYPERTOWER_HOME"]?.trim();
  return home ? resolve(home) : envPaths("hypertower", { suffix: "" }).data;
}
