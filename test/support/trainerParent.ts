/** Starts a trainer, prints its pid once it runs, and waits to be killed. */
import { experiment } from "../../src/shared/experiment.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";

const trainer = await nodeLauncher(process.argv[2] ?? "")();
trainer.onMessage((message) => {
  if (message.type === "started") process.send?.(trainer.pid);
});
trainer.send({ type: "start", experiment: experiment.parse({ name: JSON.stringify({ steps: 1e9 }) }) });
