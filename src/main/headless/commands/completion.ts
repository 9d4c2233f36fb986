/** `hypertower completion SHELL`: prints the script. */
import { scriptFor, type Shell } from "../completion/shells.ts";
import { exitCodes } from "../exitCodes.ts";

export function completion(shell: Shell): number {
  process.stdout.write(scriptFor(shell));
  return exitCodes.ok;
}
