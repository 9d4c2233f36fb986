/**
 * `failingHost FOLDER HOW`: trains a run, then meets an error that nothing handles: `throw` or `reject`; `locked`: while
 * another process holds the store's lock. Prints the run and its steps before that.
 */
import { join } from "node:path";
import Database from "better-sqlite3";
import { createServices } from "../../src/main/services/createServices.ts";
import { guardProcess } from "../../src/main/services/lastResort.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import { openHostLog } from "../../src/main/services/logs.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { processFile } from "./processes.ts";

const [storeDir = "", how = ""] = process.argv.slice(2);
guardProcess((lines) => {
  console.error(lines.join("\n"));
  process.exit(1);
});
openHostLog({ storeDir, where: "train", version: "1" });
const services = await createServices(
  { storeDir, host: "browser", version: "1", launchTrainer: nodeLauncher(processFile("fakeTrainer")) },
  { datasets: { problem: () => Promise.resolve(null), list: () => Promise.resolve([]) } },
);
const { id: run } = await services.handlers["runs.start"]({ experiment: { name: JSON.stringify({ steps: 1e9 }) } });
const steps = async () => (await services.handlers["runs.get"]({ run })).steps;
while ((await steps()) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
if (how === "locked") {
  new Database(join(storeDir, storeFileName)).exec("BEGIN IMMEDIATE");
  const before = await steps();
  while ((await steps()) === before) await new Promise((resolve) => setTimeout(resolve, 5));
}
console.log(JSON.stringify({ run, steps: await steps() }));
if (how === "reject") void Promise.reject(new Error("a slip"));
else
  setTimeout(() => {
    throw new Error("a slip");
  });
