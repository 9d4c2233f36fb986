/** A host on "another machine" that trains experiments for real until it is ended; says the ids of its runs, and which it lost. */
import { createServices } from "../../src/main/services/createServices.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";

const [storeDir = "", machine = "", count = "1", experiment = "{}"] = process.argv.slice(2);
const launchTrainer = nodeLauncher(new URL("../../src/main/trainer/trainer.ts", import.meta.url));
const services = await createServices({ storeDir, host: "browser", version: "0", launchTrainer }, { storeOptions: { machine }, checkpointEvery: 200 });
services.on("run.noted", ({ run, event }) => {
  if (event.kind === "takenOver") process.stdout.write(`lost ${run} ${event.message}\n`);
});
for (let i = 0; i < Number(count); i++) {
  const { id } = await services.handlers["runs.start"]({ experiment: { ...JSON.parse(experiment), seed: i } });
  process.stdout.write(`run ${id}\n`);
}
process.on("SIGTERM", () => void services.close().then(() => process.exit(0)));
