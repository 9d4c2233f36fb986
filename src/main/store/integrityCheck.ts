/** Process that checks a store's file in the background: `integrityCheck FILE`. */
import { constants, setPriority } from "node:os";
import { checkStore } from "./checkStore.ts";
import { endWhenLogGrows } from "./logLimit.ts";

try {
  setPriority(constants.priority.PRIORITY_LOW);
} catch {
  // The check also works at normal priority.
}
const file = process.argv[2]!;
const guard = endWhenLogGrows(file);
checkStore(file);
await guard.terminate();
// The port of an Electron utility process would keep it alive.
if ((process as { parentPort?: unknown }).parentPort) process.exit();
