/** A host that does what a line of standard input says, and prints as JSON whether it was told yes. */
import { createInterface } from "node:readline";
import { createServices } from "../../src/main/services/createServices.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { processFile } from "./processes.ts";

export type ClaimOrder =
  | { readonly resume: string }
  | { readonly retry: string }
  | { readonly extend: string; readonly seeds: readonly number[] }
  | { readonly delete: string }
  | { readonly stop: string }
  | { readonly close: true };
export type ClaimAnswer = { readonly yes: true } | { readonly no: string };

const [storeDir = ""] = process.argv.slice(2);
const services = await createServices(
  { storeDir, host: "browser", version: "0", launchTrainer: nodeLauncher(processFile("trainer")) },
  { places: 2 },
);
const { handlers } = services;
const tell = (answer: unknown) => process.stdout.write(`${JSON.stringify(answer)}\n`);

async function obey(order: ClaimOrder): Promise<void> {
  if ("resume" in order) await handlers["studies.resume"]({ study: order.resume });
  else if ("retry" in order) await handlers["studies.retry"]({ study: order.retry });
  else if ("stop" in order) await handlers["studies.stop"]({ study: order.stop });
  else if ("delete" in order) await handlers["studies.delete"]({ studies: [order.delete], withRuns: true });
  else if ("extend" in order) {
    const { study } = await handlers["studies.get"]({ study: order.extend });
    await handlers["studies.extend"]({ study: order.extend, definition: { ...study, seeds: order.seeds } });
  } else {
    await services.close();
    process.stdin.destroy();
  }
}
createInterface({ input: process.stdin }).on("line", (line) => {
  obey(JSON.parse(line) as ClaimOrder).then(
    () => tell({ yes: true }),
    (error: unknown) => tell({ no: error instanceof Error ? error.message : String(error) }),
  );
}).on("close", () => process.exit());
tell("ready");
