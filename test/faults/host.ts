/**
 * `host STORE ORDER`: trains runs in a store like the command line with --json, but with short times: checkpoints
 * every 0.1 s, beats, polls of owners and watches of trainers every few seconds at most. An order is JSON:
 * `{"train": EXPERIMENT, "times": N}` or `{"resume": RUN}`.
 */
import { followToTheEnd, trainToTheEnd } from "../../src/main/headless/commands/train.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { tickLength, type WatchdogOptions } from "../../src/main/hosting/watchdog.ts";
import { createServices } from "../../src/main/services/createServices.ts";
import { messageOf } from "../../src/shared/errors.ts";
import { isActive } from "../../src/shared/run.ts";
import { experiment, type ExperimentInput } from "../../src/shared/experiment.ts";

export type Order = { readonly train: ExperimentInput; readonly times?: number } | { readonly resume: string };

/** A tick counts as 5 s of silence: a trainer may be silent for 4 s, and for 30 s while it loads. */
const watch: WatchdogOptions = {
  silence: 40 * tickLength,
  loading: 300 * tickLength,
  ticks: (tick) => {
    const timer = setInterval(tick, 100);
    return () => clearInterval(timer);
  },
};

const [storeDir = "", text = "{}"] = process.argv.slice(2);
const order = JSON.parse(text) as Order;

async function obey(): Promise<number> {
  const services = await createServices(
    { storeDir, host: "browser", version: "0", launchTrainer: nodeLauncher(new URL("../../src/main/trainer/trainer.ts", import.meta.url)) },
    {
      checkpointEvery: 100,
      places: 2,
      watch,
      storeOptions: { beatEvery: 200, ownerPollEvery: 400, watchEvery: 100, busyGrace: 300 },
    },
  );
  try {
    if ("train" in order) {
      const codes = await Promise.all(Array.from({ length: order.times ?? 1 }, () => trainToTheEnd(services, experiment.parse(order.train), { json: true })));
      return Math.max(...codes);
    }
    const { status } = await services.handlers["runs.get"]({ run: order.resume });
    if (isActive(status)) throw new Error(`run ${order.resume} is ${status}: another process trains it`);
    const resumption = await services.handlers["runs.resumption"]({ run: order.resume });
    if (!resumption) return 0;
    return await followToTheEnd(services, () => services.handlers["runs.resume"]({ run: order.resume, fromStart: resumption.problem !== null }), { json: true });
  } finally {
    await services.close();
  }
}

try {
  process.exitCode = await obey();
} catch (error) {
  console.error(`host: ${messageOf(error)}`);
  process.exitCode = 1;
}
