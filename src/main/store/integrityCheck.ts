/** A process that checks the file of a store: `integrityCheck FILE`. Nobody waits for it. */
import { constants, setPriority } from "node:os";
import { checkStore } from "./checkStore.ts";

try {
  setPriority(constants.priority.PRIORITY_LOW);
} catch {
  // It is a courtesy only.
}
checkStore(process.argv[2]!);
