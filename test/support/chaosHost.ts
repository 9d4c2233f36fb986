/**
 * The host of a study at a fleet, for tests that kill it: starts the study in a store, or goes on with the one that is
 * there, and prints a line of JSON whenever it has advanced. Signs of life are awaited for seconds, not minutes.
 */
import { setTimeout as pause } from "node:timers/promises";
import { FolderFleet } from "../../src/main/fleet/folder/folderFleet.ts";
import { openFleet } from "../../src/main/fleet/index.ts";
import { parseFleetName } from "../../src/main/fleet/name.ts";
import { QueueFleet } from "../../src/main/fleet/queue/queueFleet.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { createServices } from "../../src/main/services/createServices.ts";
import type { StudyInput } from "../../src/shared/study/study.ts";
import packageJson from "../../package.json" with { type: "json" };
import { processFile } from "./processes.ts";

export interface ChaosHostOrder {
  readonly store: string;
  /** As in `--on`. */
  readonly on: string;
  /** URL of the queue's coordinator. */
  readonly queue?: string;
  readonly study: StudyInput;
  /** Milliseconds that a unit should take. */
  readonly unitTime: number;
  readonly cohort: number;
}

export interface ChaosHostNews {
  readonly status: string;
  readonly ended: number;
  readonly failed: number;
  readonly reason: string | null;
}

/** Seconds of silence after which a worker counts as lost. */
export const lostAfter = 8;

const { store, on, queue, study, unitTime, cohort } = JSON.parse(process.argv[2]!) as ChaosHostOrder;
const launchTrainer = nodeLauncher(processFile("trainer"));
const { version } = packageJson;

function open(name: string) {
  const parsed = parseFleetName(name);
  if (parsed.kind === "folder") return FolderFleet.open(parsed.folder, { lostAfter: lostAfter * 1_000 });
  if (parsed.kind === "queue") return QueueFleet.open(queue!, { name, heartbeat: lostAfter, retryDelay: 1 });
  return openFleet(name, { storeFolder: store, version, warn: (message) => console.error(message), launch: launchTrainer });
}

const services = await createServices(
  { storeDir: store, host: "browser", version, launchTrainer },
  { checkpointEvery: 200, openFleet: open, fleet: { lookEvery: 300, moment: 300 } },
);
const say = (news: ChaosHostNews) => console.log(JSON.stringify(news));
const [there] = await services.handlers["studies.list"]({ deleted: false });
let id = there?.id;
if (id === undefined) ({ id } = await services.handlers["studies.start"]({ study, workers: on === "local" ? 2 : 64, on, unitTime, cohort }));
else if (there!.status !== "running" && there!.status !== "finished") await services.handlers["studies.resume"]({ study: id });
let said = "";
for (;;) {
  const now = await services.handlers["studies.get"]({ study: id });
  const news: ChaosHostNews = { status: now.status, ended: now.finished + now.diverged, failed: now.failed, reason: now.points.find(({ status }) => status === "failed")?.reason ?? null };
  if (JSON.stringify(news) !== said) say(news);
  said = JSON.stringify(news);
  if (now.status !== "running" && now.running === 0) {
    if (now.status === "finished" && now.failed > 0) await services.handlers["studies.retry"]({ study: id });
    else break;
  }
  await pause(200);
}
await services.close();
