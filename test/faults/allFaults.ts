/** Every fault of the harness. */
import type { Fault } from "./frame.ts";
import { killAll, killHost, killTrainer } from "./faults/kill.ts";
import { powerLossFiles, powerLossTraining } from "./faults/powerLoss.ts";

export const allFaults: readonly Fault[] = [killTrainer, killHost, killAll, powerLossTraining, powerLossFiles];
