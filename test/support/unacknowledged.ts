/** A trainer that hears of no stored report while `held`. It waits once 64 are outstanding, so a test that interrupts it cannot come too late. */
import type { TrainerProcess } from "../../src/main/hosting/process.ts";

export const unacknowledged = (trainer: TrainerProcess, held: () => boolean): TrainerProcess => ({
  ...trainer,
  send: (message) => {
    if (message.type !== "stored" || !held()) trainer.send(message);
  },
});
