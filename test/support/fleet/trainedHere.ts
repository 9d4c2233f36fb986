/** Trains an experiment in a trainer of this machine, as its host would. */
import { nodeLauncher } from "../../../src/main/hosting/nodeLauncher.ts";
import type { Experiment } from "../../../src/shared/experiment.ts";
import type { FromTrainer } from "../../../src/main/trainer/messages.ts";
import { factsOf, type RunFacts } from "./units.ts";

const launch = nodeLauncher(new URL("../../../src/main/trainer/trainer.ts", import.meta.url));

/** All messages of a trainer on this machine, to a host that stores each report at once. */
export async function messagesOf(experiment: Experiment): Promise<FromTrainer[]> {
  const trainer = await launch();
  const messages: FromTrainer[] = [];
  const gone = new Promise((resolve) => trainer.onExit(resolve));
  trainer.onMessage((message) => {
    messages.push(message);
    if (message.type === "rows" || message.type === "evaluation") trainer.send({ type: "stored", reports: 1 });
  });
  trainer.send({ type: "start", experiment });
  await gone;
  return messages;
}

/** What a trainer reports to a host on this machine. */
export const trainedHere = async (experiment: Experiment): Promise<RunFacts> => factsOf(await messagesOf(experiment));
