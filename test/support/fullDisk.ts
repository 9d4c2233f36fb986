/**
 * `fullDisk FOLDER`: fills the small disk on which FOLDER lies while runs are trained into a store there, frees it again, and
 * fills it a second time before the store is closed. Prints what happened as JSON.
 */
import { appendFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Store } from "../../src/main/store/store.ts";
import { experiment } from "../../src/shared/experiment.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";

const [folder, state] = process.argv.slice(2) as [string, string];
const filler = join(folder, "..", "filler");
const told: string[] = [];
const options = {
  commitAfter: 5,
  spillFolders: [folder, state],
  onWriteFailure: (error: unknown) => told.push(String(error)),
  onWriteRecovery: () => told.push("recovered"),
};

function fill(): void {
  writeFileSync(filler, "");
  for (const bytes of [1 << 16, 1 << 12, 1 << 8, 1]) {
    try {
      for (;;) appendFileSync(filler, Buffer.alloc(bytes));
    } catch {
      // Full for pieces of this size.
    }
  }
}

const store = new Store(folder, options);
const run = newRun(experiment.parse({}));
store.createRun(run);
store.beginSeries(run.id, ["loss"], { hypertower: "0", node: "24", platform: "test", cpu: "test", libraries: {}, gitCommit: null });
let step = 0;
const log = (count: number) => {
  store.appendRows(run.id, { firstStep: step, count, values: Float64Array.from({ length: count }, (_, i) => step + i) });
  step += count;
};
log(100);
store.flush();
fill();
// SQLite writes into the log's file where it has space left.
for (let i = 0; i < 100 && store.flush(); i++) log(1_000);
const failed = !store.flush();
rmSync(filler);
while (!told.includes("recovered")) await new Promise((resolve) => setTimeout(resolve, 20));
log(10);
store.flush();
fill();
for (let i = 0; i < 100 && store.flush(); i++) log(1_000);
let message = "";
try {
  store.close();
} catch (error) {
  message = String(error);
}
const spilled = readdirSync(state);
rmSync(filler, { force: true });
const again = new Store(folder, options);
const values = [...again.readSteps(run.id)].map(({ values: [value] }) => value);
again.close();
console.log(JSON.stringify({ failed, told, message, spilled, logged: step, kept: values.length, same: values.every((value, i) => value === i), left: readdirSync(state) }));
