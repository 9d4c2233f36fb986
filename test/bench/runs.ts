/**
 * `npm run bench:runs`: a store of 10,000 runs (`--runs 100000`), made without training, and what its list costs: in the
 * store, in the services, and through the WebSocket to a client in a process of its own, with the longest block of the
 * host's event loop; then what a change by another process costs. Processor time stands beside wall time, which other
 * work on the machine stretches.
 */
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import Database from "better-sqlite3";
import type { Access } from "../../src/main/headless/server/access.ts";
import { attachSocket } from "../../src/main/headless/server/socket.ts";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { createServices } from "../../src/main/services/createServices.ts";
import { dispatch } from "../../src/main/services/dispatch.ts";
import { Store } from "../../src/main/store/store.ts";
import { experiment } from "../../src/shared/experiment.ts";
import type { ListedRun } from "../../src/shared/listedRun.ts";
import { nextPage, runsPerPage } from "../../src/shared/runPages.ts";
import type { ClientNews } from "./runsClient.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "10000" } } });
const total = Number(values.runs);
const folder = mkdtempSync(join(tmpdir(), "hypertower-bench-runs-"));

/** Runs as the store writes them, copied within the file in one transaction with other ids and times. */
function fill(): void {
  const store = new Store(folder);
  const samples = [1, 2, 3].map((height) =>
    newRun(experiment.parse({ tower: Array.from({ length: height }, (_, i) => ({ optimizer: i === 0 ? "adam" : "sgd" })) }), new Date()),
  );
  for (const run of samples) {
    store.createRun(run);
    store.saveRun({ ...run, status: "finished", steps: 100, finishedAt: run.createdAt + 1, testError: 5, loss: 0.1 });
  }
  store.close();
  const db = new Database(store.path);
  const columns = (db.pragma("table_info(runs)") as { name: string }[]).map(({ name }) => name).filter((name) => name !== "id" && name !== "created_at");
  const copy = db.prepare(`INSERT INTO runs (id, created_at, ${columns.join(", ")}) SELECT ?, ?, ${columns.join(", ")} FROM runs WHERE id = ?`);
  db.transaction(() => {
    for (let i = samples.length; i < total; i++) copy.run(randomUUID(), i, samples[i % samples.length]!.id);
  })();
  db.close();
  // The first write makes the checksums of the copied rows.
  const sealing = new Store(folder);
  sealing.renameRun(samples[0]!.id, samples[0]!.name);
  sealing.close();
}

/** Runs `work`; prints its wall time, this process's processor time and the longest block of the event loop. */
async function measured<T>(what: string, work: () => T | Promise<T>): Promise<T> {
  const blocks = monitorEventLoopDelay({ resolution: 1 });
  blocks.enable();
  // Its first samples say nothing of what follows.
  await delay(5);
  const begin = performance.now();
  const processor = process.cpuUsage();
  const result = await work();
  const wall = performance.now() - begin;
  const { user, system } = process.cpuUsage(processor);
  await delay(5);
  blocks.disable();
  const ms = (value: number) => `${value.toFixed(1).padStart(8)} ms`;
  console.log(`${what.padEnd(52)}${ms(wall)}, processor ${ms((user + system) / 1e3)}, longest block ${ms(blocks.max / 1e6)}`);
  return result;
}

/** All pages of a list, one after another, as a window asks for them. Returns how many runs came, in how many bytes. */
async function pages(read: (page: { limit: number; before?: { createdAt: number; id: string } }) => Promise<ListedRun[]>): Promise<{ count: number; bytes: number }> {
  let count = 0;
  let bytes = 0;
  for (let before: ReturnType<typeof nextPage>, more = true; more; more = before !== undefined) {
    const page = await read({ limit: runsPerPage, ...(before && { before }) });
    count += page.length;
    bytes += JSON.stringify(page).length;
    before = nextPage(page);
    await setImmediate();
  }
  return { count, bytes };
}

/** Bytes of a window's list: its runs, parsed from the pages. */
function listBytes(store: Store): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const held: ListedRun[] = [];
  for (let before: ReturnType<typeof nextPage>, more = true; more; more = before !== undefined) {
    const page = JSON.parse(JSON.stringify(store.listRuns(false, undefined, { limit: runsPerPage, ...(before && { before }) }))) as ListedRun[];
    held.push(...page);
    before = nextPage(page);
  }
  collect();
  return held.length > 0 ? process.memoryUsage().heapUsed - before : 0;
}

async function benchWindow(services: Awaited<ReturnType<typeof createServices>>): Promise<void> {
  const server = createServer();
  const socket = attachSocket(server, { mayConnect: () => true } as unknown as Access, services);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = fork(join(import.meta.dirname, "runsClient.ts"), [String((server.address() as AddressInfo).port)]);
  const news = async () => ((await once(client, "message")) as [ClientNews])[0];
  await news();
  const listed = await measured("WebSocket: all pages to a client", async () => {
    client.send("list");
    return news();
  });
  console.log(`${"  as the client sees it".padEnd(52)}${listed.milliseconds.toFixed(1).padStart(8)} ms, first page after ${listed.first.toFixed(1)} ms; ${listed.runs} runs, ${(listed.bytes / 1e6).toFixed(1)} MB`);

  const other = new Store(folder);
  const [run] = other.listRuns(false, undefined, { limit: 1 });
  const changed = await measured("a run renamed by another process, seen by the client", () => {
    other.renameRun(run!.id, "renamed");
    return news();
  });
  console.log(`${"  sent for it".padEnd(52)}${changed.bytes} bytes, ${changed.runs} run (others are noticed once a second)`);
  other.close();
  client.kill();
  await once(client, "exit");
  socket.terminate();
  socket.close();
  server.close();
}

try {
  fill();
  const store = await measured(`store: open ${total} runs`, () => new Store(folder));
  await measured("store: the list at once", () => store.listRuns());
  await measured("store: first page", () => store.listRuns(false, undefined, { limit: runsPerPage }));
  const { count, bytes } = await measured("store: all pages, as JSON", () => pages((page) => Promise.resolve(store.listRuns(false, undefined, page))));
  console.log(`${count} runs, ${(bytes / 1e6).toFixed(1)} MB in pages of ${runsPerPage}`);
  console.log(`a window holds them in ${(listBytes(store) / 1e6).toFixed(1)} MB of its heap`);
  store.close();

  const services = await createServices({ storeDir: folder, host: "browser", version: "0", launchTrainer: () => Promise.reject(new Error("nothing is trained here")) });
  await measured("services: all pages, as JSON", () =>
    pages(async (page) => {
      const reply = await dispatch(services, "runs.list", page);
      if (!reply.ok) throw new Error(reply.error.message);
      return reply.value as ListedRun[];
    }),
  );
  await benchWindow(services);
  await services.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
