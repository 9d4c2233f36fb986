import type { Fault } from "../frame.ts";

const kill = (name: string, whom: "trainers" | "host" | "all"): Fault => ({
  name,
  round: (frame, random) => frame.disturb(random, (command) => command.signal(whom, "SIGKILL")),
});

export const killTrainer = kill("kill-trainer", "trainers");
export const killHost = kill("kill-host", "host");
export const killAll = kill("kill-all", "all");
