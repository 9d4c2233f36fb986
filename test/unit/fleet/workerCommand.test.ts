import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FolderFleet } from "../../../src/main/fleet/folder/folderFleet.ts";
import { everything } from "../../support/edition.ts";
import { Driven } from "../../support/fleet/drive.ts";
import { trainedHere } from "../../support/fleet/trainedHere.ts";
import { makeUnit, tiny, version } from "../../support/fleet/units.ts";

const entry = join(import.meta.dirname, "../../../src/main/headless/entry.ts");
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "worker-command-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** @param through a command that starts it */
function start(args: readonly string[], through: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const [program, ...rest] = [...through, process.execPath, entry, "worker", ...args] as [string, ...string[]];
  const child = spawn(program, rest, { env: { ...process.env, TMPDIR: root, HYPERTOWER_CONFIG: join(root, "none.json"), ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => child.on("close", (code) => resolve({ code, output })));
  return { child, ended, said: () => output };
}

async function shared(name: string, ...units: ReturnType<typeof makeUnit>[]) {
  const folder = join(root, name);
  const fleet = await FolderFleet.open(folder);
  await fleet.submit(units.map((unit) => ({ unit, files: [] })));
  return { folder, fleet, driven: new Driven(fleet, units.map(({ id }) => id)) };
}

it.skipIf(!everything)("goes on after a kill -9 of the worker from the newest checkpoint, and leaves at SIGUSR2", async () => {
  const experiment = tiny(3, 1_000);
  const { folder, driven } = await shared("killed", makeUnit("unit-1", [[["run-1", experiment]]], { checkpointEvery: 150 }));
  const unit = join(folder, "units", "unit-1");
  const args = ["--unit", join(unit, "unit.json"), "--results", unit];
  const first = start(args);
  await driven.until(() => readdirSync(join(unit, "checkpoints")).length > 0, 30);
  first.child.kill("SIGKILL");
  await first.ended;

  const second = start(args, [], { SLURM_JOB_ID: "77", SLURMD_NODENAME: "n1" });
  await driven.until(() => readdirSync(join(unit, "checkpoints")).some((name) => name.includes("@000002")), 30);
  second.child.kill("SIGUSR2");
  const left = await second.ended;
  expect(left.output).toMatch(/trains unit unit-1 of the study a study: 1 run, attempt 2\n.*left, because the job's time limit is near/s);
  expect(left.code).toBe(6);

  const third = await start(args).ended;
  expect(third.code).toBe(0);
  await driven.settled();
  expect(driven.states.get("unit-1")).toMatchObject({ state: "ended", attempts: 3 });
  expect(JSON.parse(readFileSync(join(unit, "attempts/000002/worker.json"), "utf8"))).toMatchObject({ host: "n1", job: "77" });
  expect(driven.problems).toEqual([]);
  expect(driven.facts("unit-1", "run-1")).toEqual(await trainedHere(experiment));
}, 240_000);

it.skipIf(!everything)("says what its machine has, and why it cannot train a unit", async () => {
  const { needs, ...rest } = makeUnit("unit-1", [[["run-1", tiny(1)]]]);
  const { folder } = await shared("unable", { ...rest, needs: { ...needs, threads: 256 } });
  const unit = join(folder, "units", "unit-1");
  const { code, output } = await start(["--unit", join(unit, "unit.json"), "--results", unit]).ended;
  expect(output).toMatch(new RegExp(`cores? of .*; Hypertower ${version}, Node ${process.versions.node}\n.*engine onnx-cpu: `));
  expect(output).toMatch(/this machine cannot train the unit: it needs 256 threads, and this machine gives it \d+ cores?\n/);
  expect(code).toBe(7);
  writeFileSync(join(unit, "unit.json"), "{}");
  expect(await start(["--unit", join(unit, "unit.json"), "--results", unit]).ended).toMatchObject({ code: 1, output: expect.stringMatching(/hypertower: The unit .*unit.json is not valid: format/) as string });
});

it.skipIf(!everything)("trains what is in a shared folder, several units at a time, until it is empty", async () => {
  const experiments = [tiny(1, 20), tiny(2, 20), tiny(3, 20)];
  const { folder, driven } = await shared("together", ...experiments.map((experiment, i) => makeUnit(`unit-${i}`, [[["run-1", experiment]]])));
  const workers = await Promise.all([start(["--folder", folder, "--places", "2", "--until-empty"]).ended, start(["--folder", folder, "--until-empty", "--places", "1"]).ended]);
  expect(workers.map(({ code }) => code)).toEqual([0, 0]);
  await driven.settled();
  for (const [i, experiment] of experiments.entries()) expect(driven.facts(`unit-${i}`, "run-1")).toEqual(await trainedHere(experiment));
});

const canMount = process.platform === "linux" && spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).status === 0;

it.skipIf(!everything || !canMount)("hands in all of it once there is space again in a shared folder that was full", async () => {
  const experiment = tiny(3, 600);
  const unit = makeUnit("unit-1", [[["run-1", experiment]]]);
  const results = join(root, "small");
  mkdirSync(results);
  const file = join(root, "unit-full.json");
  writeFileSync(file, JSON.stringify(unit));
  // In a namespace of its own, where a small disk holds the results; what it holds is copied out at the end.
  const script = 'mount -t tmpfs -o size=192k tmpfs "$1" && head -c 130000 /dev/zero > "$1/filler"; (while [ ! -e "$2" ]; do sleep 0.05; done; rm "$1/filler"; mount -o remount,size=64m "$1") & shift 2; "$@"; code=$?; cp -r "$HELD" "$HELD-copy"; exit $code';
  const go = join(root, "go");
  const worker = start(["--unit", file, "--results", results], ["unshare", "-rm", "bash", "-c", script, "bash", results, go], { HELD: results });
  while (!worker.said().includes("handing in does not work at present")) await delay(30);
  writeFileSync(go, "");
  const { code, output } = await worker.ended;
  expect(output).toMatch(/its disk, or your quota there, is full; free space there.*handing in works again/s);
  expect(code).toBe(0);
  const copied = join(root, "full");
  mkdirSync(join(copied, "units"), { recursive: true });
  spawnSync("cp", ["-r", `${results}-copy`, join(copied, "units", "unit-1")]);
  writeFileSync(join(copied, "units", "unit-1", "unit.json"), JSON.stringify(unit));
  const driven = new Driven(await FolderFleet.open(copied), ["unit-1"]);
  await driven.settled();
  expect(driven.facts("unit-1", "run-1")).toEqual(await trainedHere(experiment));
  expect(statSync(copied).isDirectory()).toBe(true);
});
