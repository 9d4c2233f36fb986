/**
 * `npm run bench:fleet`: simulated workers hand in recorded logs of a study of 10,000 runs of 1,000 steps, into a shared
 * folder and into PostgreSQL, while a client asks for runs: segments taken in per second, memory of the coordinator, times
 * of requests, size of the store. `--runs 500 --on folder` for a quick try.
 */
import { fork } from "node:child_process";
import { mkdtempSync, mkdirSync, rmSync, statSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Fleet } from "../../src/main/fleet/fleet.ts";
import { FolderFleet } from "../../src/main/fleet/folder/folderFleet.ts";
import { QueueFleet } from "../../src/main/fleet/queue/queueFleet.ts";
import { nodeLauncher } from "../../src/main/hosting/nodeLauncher.ts";
import { createServices } from "../../src/main/services/createServices.ts";
import { dispatch } from "../../src/main/services/dispatch.ts";
import { storeFileName } from "../../src/main/store/database.ts";
import packageJson from "../../package.json" with { type: "json" };
import { startQueueServer } from "../support/queueServer.ts";
import type { FleetRequest } from "./fleetClient.ts";
import type { FleetPeerPlan } from "./fleetPeer.ts";

const { values } = parseArgs({
  options: {
    on: { type: "string", default: "folder,queue" },
    runs: { type: "string", default: "10000" },
    workers: { type: "string", default: "64" },
    /** Segments of a run. */
    segments: { type: "string", default: "10" },
    /** Runs of a unit, about. */
    unit: { type: "string", default: "20" },
    /** Minutes after which a fleet is given up, and what is known is printed. */
    limit: { type: "string", default: "120" },
  },
});
const [runs, workers, segments, limit] = [values.runs, values.workers, values.segments, values.limit].map(Number) as [number, number, number, number];
if (!(runs >= 10) || runs % 10 !== 0) throw new Error(`--runs ${values.runs}: must be a multiple of 10`);
const steps = 1_000;

const quantile = (sorted: readonly number[], at: number) => sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))] ?? Number.NaN;

/** Counts what the store has committed. */
function counting(fleet: Fleet, onTaken: (count: number) => void): Fleet {
  return new Proxy(fleet, {
    get: (target, name) => {
      if (name === "taken") {
        return async (refs: Parameters<Fleet["taken"]>[0]) => {
          onTaken(refs.length);
          return target.taken(refs);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

async function measure(kind: "folder" | "queue"): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "hypertower-bench-fleet-"));
  const shared = join(folder, "shared");
  mkdirSync(shared);
  const server = kind === "queue" ? await startQueueServer() : undefined;
  let taken = 0;
  const services = await createServices(
    { storeDir: join(folder, "store"), host: "browser", version: packageJson.version, launchTrainer: nodeLauncher(new URL("../../src/main/trainer/trainer.ts", import.meta.url)) },
    { openFleet: async () => counting(server ? await QueueFleet.open(server.coordinator) : await FolderFleet.open(shared), (count) => (taken += count)) },
  );
  const began = performance.now();
  const processor = process.cpuUsage();
  const since = () => (performance.now() - began) / 1_000;
  const { id } = await services.handlers["studies.start"]({
    study: {
      name: "Simulated fleet",
      base: { dataset: { kind: "iris", trainExamples: 120, testExamples: 30 }, model: { hidden: [4] }, batchSize: 12, budget: { epochs: steps / 10 }, tower: [{ optimizer: "sgd" }], engine: { kind: "onnx-cpu", threads: 1 } },
      axes: [{ values: { kind: "grid", scale: "log", from: 1e-4, to: 1e-1, points: 10 } }],
      heights: { values: [1], rule: { kind: "fixed", alphas: [1e-3] } },
      seeds: Array.from({ length: runs / 10 }, (_, i) => i),
    },
    workers: 64,
    cohort: 1,
    on: kind === "folder" ? `folder:${shared}` : "queue",
    unitTime: Number(values.unit) * 500,
  });
  console.log(`\n${kind}: ${runs} runs of ${steps} steps in ${segments} segments each, ${workers} workers; ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}; started after ${since().toFixed(1)} s`);
  const plan: FleetPeerPlan = { kind, where: server?.worker ?? shared, workers, segments };
  const peer = fork(join(import.meta.dirname, "fleetPeer.ts"), [JSON.stringify(plan)]);
  let [handedIn, bytes] = [0, 0];
  peer.on("message", (message) => {
    handedIn++;
    bytes += (message as { readonly bytes: number }).bytes;
  });
  const client = fork(join(import.meta.dirname, "fleetClient.ts"));
  const gone = new Promise((resolve) => client.once("exit", resolve));
  let times: Record<FleetRequest, number[]> = { list: [], run: [] };
  let latest: string | undefined;
  client.on("message", (message) => {
    const news = message as { readonly request?: FleetRequest; readonly times?: Record<FleetRequest, number[]> };
    if (news.times) times = news.times;
    const answer = async () => {
      const reply = news.request === "list" || latest === undefined ? await dispatch(services, "runs.list", { limit: 200 }) : await dispatch(services, "runs.get", { run: latest });
      if (!reply.ok) throw new Error(reply.error.message);
      if (news.request === "list") latest = (reply.value as { id: string }[])[0]?.id;
      client.send(reply);
    };
    if (news.request) void answer();
  });
  const memory: number[] = [];
  let first: number | undefined;
  let last = { at: since(), taken: 0 };
  let ended = 0;
  try {
    while (since() < limit * 60) {
      await pause(1_000);
      if (first === undefined && taken > 0) first = since();
      memory.push(process.memoryUsage().rss);
      const now = (await services.handlers["studies.list"]({ deleted: false })).find((study) => study.id === id)!;
      ended = now.finished + now.diverged + now.failed;
      const isOver = now.status !== "running";
      if (isOver || since() - last.at > 15) {
        const { heapUsed, rss } = process.memoryUsage();
        console.log(`${since().toFixed(0).padStart(6)} s  ${ended} runs ended, ${handedIn} segments handed in, ${taken} taken in (${((taken - last.taken) / (since() - last.at)).toFixed(0)} a second); heap ${(heapUsed / 1e6).toFixed(0)} MB, process ${(rss / 1e6).toFixed(0)} MB; load ${loadavg()[0]!.toFixed(1)}`);
        last = { at: since(), taken };
      }
      if (isOver) break;
    }
    const seconds = since() - (first ?? 0);
    const { user, system } = process.cpuUsage(processor);
    client.send("end");
    await gone;
    const sorted = { list: times.list.toSorted((a, b) => a - b), run: times.run.toSorted((a, b) => a - b) };
    const size = ["", "-wal"].reduce((sum, ending) => sum + (statSync(join(folder, "store", storeFileName + ending), { throwIfNoEntry: false })?.size ?? 0), 0);
    const mb = (value: number) => `${(value / 1e6).toFixed(0)} MB`;
    console.log(`taken in: ${taken} segments of ${(bytes / Math.max(handedIn, 1) / 1e3).toFixed(1)} kB, ${(taken / seconds).toFixed(0)} a second; ${ended} of ${runs} runs ended in ${seconds.toFixed(0)} s; processor time of the coordinator ${((user + system) / 1e3 / Math.max(taken, 1)).toFixed(1)} ms a segment`);
    const quarter = Math.max(1, memory.length >> 2);
    console.log(`memory of the coordinator's process: highest in the second quarter ${mb(Math.max(...memory.slice(quarter, 2 * quarter)))}, in the last ${mb(Math.max(...memory.slice(-quarter)))}`);
    for (const request of ["list", "run"] as const) console.log(`request ${request}: ${sorted[request].length} times, median ${quantile(sorted[request], 0.5).toFixed(0)} ms, p95 ${quantile(sorted[request], 0.95).toFixed(0)} ms, longest ${(sorted[request].at(-1) ?? Number.NaN).toFixed(0)} ms`);
    console.log(`store: ${mb(size)}, ${(size / Math.max(ended, 1) / 1e3).toFixed(0)} kB a run`);
  } finally {
    peer.kill("SIGKILL");
    client.kill();
    await services.close();
    await server?.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

for (const kind of values.on.split(",")) {
  if (kind !== "folder" && kind !== "queue") throw new Error(`--on ${kind}: allowed are folder and queue`);
  await measure(kind);
}
process.exit();
