/** A worker as `hypertower worker --folder` or `--queue` starts it, which misses others' signs of life after seconds. */
import { FolderSource } from "../../src/main/fleet/folder/source.ts";
import { QueueSource } from "../../src/main/fleet/queue/queueSource.ts";
import { findMachine } from "../../src/main/fleet/worker/machine.ts";
import { newWorkerId, Worker } from "../../src/main/fleet/worker/worker.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import packageJson from "../../package.json" with { type: "json" };
import { processFile } from "./processes.ts";

const [kind, where, spoolFolder, silence] = process.argv.slice(2) as [string, string, string, string];
const say = (line: string) => console.error(line);
const launch = nodeLauncher(processFile("trainer"));
const source =
  kind === "folder"
    ? new FolderSource({ root: where, lookEvery: 300, aliveEvery: 1_000, lostEvery: 1_000, claimEvery: 500, lostAfter: Number(silence) * 1_000, say })
    : await QueueSource.open(where, { networks: spoolFolder, beat: 1_000, poll: 1_000 });
const found = await findMachine({ launch, version: packageJson.version, kinds: ["onnx-cpu"] });
const worker = new Worker({ source, id: newWorkerId(), found, launch, places: 1, spoolFolder, say });
process.on("SIGTERM", () => worker.leave("the worker was asked to end"));
await worker.done;
