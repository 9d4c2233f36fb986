/** Process that checks a store's file in the background: `integrityCheck FILE`. */
import { constants, setPriority } from "node:os";
import { checkStore } from "./checkStore.ts";

try {
  setPriority(constants.priority.PRIORITY_LOW);
} catch {
  // The check also works at normal priority.
}
checkStore(process.argv[2]!);
