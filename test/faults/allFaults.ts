/** Every fault of the harness. */
import type { Fault } from "./frame.ts";
import { clockBack, clockForward } from "./faults/clock.ts";
import { commandFaults } from "./faults/commands.ts";
import { diskFaults } from "./faults/disk.ts";
import { fullThenEnd, fullThenKill } from "./faults/fullEnd.ts";
import { hostFaults } from "./faults/hosts.ts";
import { killAll, killHost, killTrainer } from "./faults/kill.ts";
import { powerLossFiles, powerLossTraining } from "./faults/powerLoss.ts";
import { stopAll, stopHost, stopTrainer } from "./faults/stop.ts";
import { studyHostFaults } from "./faults/studyHosts.ts";
import { fileGone, folderGone } from "./faults/vanish.ts";

export const allFaults: readonly Fault[] = [
  killTrainer, killHost, killAll,
  stopTrainer, stopHost, stopAll,
  powerLossTraining, powerLossFiles,
  ...diskFaults,
  fullThenEnd, fullThenKill,
  ...commandFaults,
  folderGone, fileGone,
  clockForward, clockBack,
  ...hostFaults,
  ...studyHostFaults,
];
