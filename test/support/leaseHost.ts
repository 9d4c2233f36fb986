/**
 * A host that follows commands on standard input, and prints events of its runs as lines of JSON. It has its own
 * machine name, so other hosts judge it by its heartbeats, like hosts on other machines, and not by its lock.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createServices } from "../../src/main/services/createServices.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import type { ExperimentInput } from "../../src/shared/experiment.ts";
import { processFile } from "./processes.ts";

export type LeaseOrder = { readonly start: ExperimentInput } | { readonly take: string } | { readonly sleep: true } | { readonly close: true };
export type LeaseNews =
  | { readonly is: "ready" | "closed" }
  | { readonly is: "started"; readonly run: string }
  | { readonly is: "changed"; readonly run: string; readonly status: string; readonly steps: number }
  | { readonly is: "committed"; readonly runs: readonly string[] }
  | { readonly is: "noted"; readonly run: string; readonly kind: string; readonly message: string };

const [storeDir = "", machine = ""] = process.argv.slice(2);
const tell = (news: LeaseNews) => process.stdout.write(`${JSON.stringify(news)}\n`);
const services = await createServices(
  { storeDir, host: "browser", version: "0", launchTrainer: nodeLauncher(processFile("trainer")) },
  { checkpointEvery: 100, places: 2, storeOptions: { machine, beatEvery: 100, ownerPollEvery: 300 }, onCommit: (runs) => tell({ is: "committed", runs }) },
);
const { handlers } = services;
services.on("run.changed", ({ id, status, steps }) => tell({ is: "changed", run: id, status, steps }));
services.on("run.noted", ({ run, event: { kind, message } }) => tell({ is: "noted", run, kind, message }));

let closing = false;

async function obey(order: LeaseOrder): Promise<void> {
  if ("start" in order) {
    tell({ is: "started", run: (await handlers["runs.start"]({ experiment: order.start })).id });
    rmSync(join(storeDir, "hosts"), { recursive: true, force: true });
  } else if ("take" in order) {
    while ((await handlers["runs.get"]({ run: order.take })).status !== "interrupted") await new Promise((resolve) => setTimeout(resolve, 20));
    await handlers["runs.resume"]({ run: order.take, fromStart: false });
    rmSync(join(storeDir, "hosts"), { recursive: true, force: true });
  } else if ("sleep" in order) {
    // Stop between transactions: a process stopped within one keeps SQLite's lock until it continues.
    process.kill(process.pid, "SIGSTOP");
  } else {
    closing = true;
    await services.close();
    tell({ is: "closed" });
    process.stdin.destroy();
  }
}
const orders = createInterface({ input: process.stdin }).on("line", (line) => void obey(JSON.parse(line) as LeaseOrder));
// A test that was cut off leaves no host behind: whoever waits for its output would wait for ever.
orders.on("close", () => closing || process.exit(1));
tell({ is: "ready" });
