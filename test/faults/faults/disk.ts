/** Disks that are full, fail, have no inodes left or can only be read while runs are trained; all of it ends again. */
import type { Fault } from "../frame.ts";
import { outlast, within } from "../shimmed.ts";
import { shimProblem, type Failing } from "../shim/shim.ts";

/** @param match part of the paths that are concerned */
const failing = (name: string, what: Failing, match: string): Fault => ({
  name,
  problem: shimProblem,
  round: (frame, random) =>
    outlast(frame, random, (_, control) => ({
      begin: async (command) => {
        const before = control.failures();
        control.fail(what, match, Math.floor(random() * (match.startsWith("/") ? 1_000 : 20_000)));
        await within(10_000, () => command.isOver() || control.failures() > before);
        return control.failures() > before;
      },
      end: () => control.end(),
    })),
});

export const diskFaults: readonly Fault[] = [
  failing("full-everything", "full", ""),
  failing("full-commit", "full", "hypertower.sqlite"),
  failing("full-checkpoint", "full", "/checkpoints/"),
  failing("full-weights", "full", "/weights/"),
  failing("io-error-log", "writeError", "-wal"),
  failing("io-error-sync", "syncError", "hypertower.sqlite"),
  failing("io-error-files", "writeError", "s/"),
  failing("no-inodes", "noInodes", ""),
  failing("read-only", "readOnly", ""),
];
