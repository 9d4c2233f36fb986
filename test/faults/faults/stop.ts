/** Processes that are stopped for longer than any timeout, as by a machine that sleeps. */
import { delay, type Fault } from "../frame.ts";

/** The harness's hosts end a trainer that was silent for 4 s, and poll other hosts every 0.4 s. */
const milliseconds = 6_000;

const stop = (name: string, whom: "trainers" | "host" | "all"): Fault => ({
  name,
  round: (frame, random) =>
    frame.disturb(
      random,
      async (command) => {
        command.signal(whom, "SIGSTOP");
        await delay(milliseconds);
        command.signal(whom, "SIGCONT");
      },
      1,
    ),
});

export const stopTrainer = stop("stop-trainer", "trainers");
export const stopHost = stop("stop-host", "host");
export const stopAll = stop("stop-all", "all");
