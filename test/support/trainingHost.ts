/** A host that trains one experiment with many checkpoints, waits some epochs after the start, and prints its progress; tests kill it. */
import { createServices } from "../../src/main/services/createServices.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { unacknowledged } from "./unacknowledged.ts";
import { processFile } from "./processes.ts";

const [storeDir = "", experiment = "{}"] = process.argv.slice(2);
const launch = nodeLauncher(processFile("trainer"));
let trainer: number | undefined;
const services = await createServices(
  {
    storeDir,
    host: "browser",
    version: "0",
    launchTrainer: async () => {
      const launched = await launch();
      trainer = launched.pid;
      return unacknowledged(launched, () => true);
    },
  },
  { checkpointEvery: 30 },
);
services.on("run.evaluated", ({ run, evaluations }) => evaluations.forEach((evaluation) => process.stdout.write(`${run} ${trainer} ${evaluation.epoch}\n`)));
await services.handlers["runs.start"]({ experiment: JSON.parse(experiment) });
