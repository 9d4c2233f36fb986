/**
 * `npm run bench:scale`: a store filled in fast motion (`--rows 50000000`; a row is one logged value in `series_values`),
 * and a store of `--gb 100` gigabytes, most of them holes in its file: write rate at the end against the beginning, sizes,
 * memory, blocks of the event loop, and what is slow. Removes what it made; `--keep FOLDER` fills that folder and leaves it.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { storeFileName } from "../../src/main/store/database.ts";
import { enlargeWithHoles } from "./scaleHoles.ts";
import { measureStore } from "./scaleHuge.ts";
import { fillInFastMotion } from "./scaleRows.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "50000000" },
    gb: { type: "string", default: "100" },
    keep: { type: "string" },
    /** Ids of runs in that folder: measures it without filling it. */
    runs: { type: "string" },
    /** Parent of the folder to fill. */
    folder: { type: "string", default: tmpdir() },
  },
});
const folder = values.keep ?? mkdtempSync(join(values.folder, "hypertower-bench-scale-"));
mkdirSync(folder, { recursive: true });
console.log(`${cpus()[0]?.model.trim() ?? "?"}, ${cpus().length} cores, load ${loadavg().map((load) => load.toFixed(0)).join(", ")}; Node ${process.version}\n`);
try {
  const rows = Number(values.rows);
  const runs = values.runs ? values.runs.split(",") : await fillInFastMotion(folder, rows, Math.max(rows / 10, 1));
  await measureStore(folder, runs, { wholeVerify: true, vacuumFor: 0 });
  const bytes = Number(values.gb) * 1e9;
  if (bytes > 0) {
    console.log("");
    enlargeWithHoles(join(folder, storeFileName), bytes);
    await measureStore(folder, runs, { wholeVerify: false, vacuumFor: 60_000 });
  }
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
