/**
 * `npm run bench:runs`: a store of 10,000 runs (`--runs 100000`), made without training, and how long its list
 * takes in the store at once and page by page as JSON, with the longest block of the event loop.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { newRun } from "../../src/main/hosting/newRun.ts";
import { Store } from "../../src/main/store/store.ts";
import { experiment } from "../../src/shared/experiment.ts";
import { runsPerPage } from "../../src/shared/runPages.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "10000" } } });
const total = Number(values.runs);
const folder = mkdtempSync(join(tmpdir(), "hypertower-bench-runs-"));

/** Runs as the store writes them, copied within the file in one transaction with other ids, names and times. */
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
}

function timed<T>(what: string, work: () => T): T {
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(cpu);
  console.log(`${what.padEnd(44)}${(performance.now() - begin).toFixed(1).padStart(9)} ms, of the processor ${((user + system) / 1e3).toFixed(1).padStart(9)} ms`);
  return result;
}

try {
  fill();
  const store = timed(`open ${total} runs`, () => new Store(folder));
  timed("list in the store, at once", () => store.listRuns());
  timed("first page in the store", () => store.listRuns(false, undefined, { limit: runsPerPage }));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begin = performance.now();
  let bytes = 0;
  let count = 0;
  let longest = 0;
  for (let before: { createdAt: number; id: string } | undefined, more = true; more; ) {
    const pageBegin = performance.now();
    const page = store.listRuns(false, undefined, { limit: runsPerPage, before });
    bytes += JSON.stringify(page).length;
    longest = Math.max(longest, performance.now() - pageBegin);
    count += page.length;
    const last = page.at(-1);
    before = last && { createdAt: last.createdAt, id: last.id };
    more = page.length === runsPerPage;
    await setImmediate();
  }
  console.log(`${"all pages, as JSON for a client".padEnd(44)}${(performance.now() - begin).toFixed(1).padStart(9)} ms`);
  console.log(`${count} runs, ${(bytes / 1e6).toFixed(1)} MB; longest page ${longest.toFixed(1)} ms; longest block ${(delay.max / 1e6).toFixed(1)} ms`);
  store.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
