import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UnitPaths } from "../../../src/main/fleet/folder/layout.ts";
import { FolderClaim } from "../../../src/main/fleet/folder/claim.ts";
import { runSlurm, slurmError } from "../../../src/main/fleet/slurm/commands.ts";
import { endedReason, parseJobs, phaseOf, waitingReason } from "../../../src/main/fleet/slurm/jobs.ts";
import { findProfile, readProfiles, writeProfiles } from "../../../src/main/fleet/slurm/profiles.ts";
import { scriptOf } from "../../../src/main/fleet/slurm/script.ts";
import { SlurmFleet } from "../../../src/main/fleet/slurm/slurmFleet.ts";
import { slurmProfile, type SlurmProfileInput } from "../../../src/shared/fleet/profile.ts";
import { listed, RecordedSlurm, refusals } from "../../support/fleet/recordedSlurm.ts";
import { makeUnit, tiny } from "../../support/fleet/units.ts";

let root: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "slurm-unit-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function open(more: Partial<SlurmProfileInput> = {}) {
  const folder = join(root, `shared ${count++}`);
  const slurm = new RecordedSlurm((path) => readFileSync(path, "utf8"));
  const fleet = await SlurmFleet.open({ profileName: "test", profile: slurmProfile.parse({ folder, minutes: 60, ...more }), run: slurm.run, user: "me" });
  return { folder, slurm, fleet };
}
const units = (many: number) => Array.from({ length: many }, (_, i) => ({ unit: makeUnit(`unit-${i}`, [[["run-1", tiny(i)]]]), files: [] }));
const ids = (many: number) => units(many).map(({ unit }) => unit.id);
const claim = (folder: string, id: string) => FolderClaim.begin(units(10).find(({ unit }) => unit.id === id)!.unit, { paths: UnitPaths.of(folder, id), networks: "", worker: "worker-1", host: "n1", job: "1_0" });

describe("a fleet on Slurm", () => {
  it("submits arrays no larger than the cluster takes, and gives states and reasons of their jobs", async () => {
    const { fleet, slurm } = await open();
    slurm.arraySize = 3;
    await fleet.submit(units(7));
    expect(slurm.scripts.map((script) => /--array=(.*)$/m.exec(script)![1])).toEqual(["0-2", "0-2", "0-0"]);
    slurm.set("1_0", "RUNNING", "n1");
    slurm.set("1_1", "PENDING", "", "Resources");
    slurm.set("2_0", "PENDING", "", "BeginTime");
    const { units: news } = await fleet.look(ids(7), 10);
    expect(news.map(({ state, where, reason, job }) => [state, where, reason, job])).toEqual([
      ["running", "n1", null, "1_0"],
      ["waiting", null, "the nodes are busy (Resources)", "1_1"],
      ["waiting", null, "Slurm has not looked at it yet", "1_2"],
      ["waiting", null, "Slurm waits a while before it starts a job again (BeginTime)", "2_0"],
      ["waiting", null, "Slurm has not looked at it yet", "2_1"],
      ["waiting", null, "Slurm has not looked at it yet", "2_2"],
      ["waiting", null, "Slurm has not looked at it yet", "3_0"],
    ]);
    await fleet.submit(units(7));
    expect(slurm.scripts).toHaveLength(3);
  });

  it("never has more jobs at once than the profile allows, over all arrays", async () => {
    const { fleet, slurm } = await open({ atOnce: 4 });
    slurm.arraySize = 5;
    await fleet.submit(units(9));
    expect(slurm.scripts.map((script) => /--array=(.*)$/m.exec(script)![1])).toEqual(["0-4%2", "0-3%2"]);
    const more = units(12).slice(9);
    await fleet.submit(more);
    expect(slurm.scripts).toHaveLength(2);
    expect((await fleet.look(["unit-9"], 1)).units).toMatchObject([{ state: "waiting", job: null, reason: "so many jobs at once as the profile allows (4) are there" }]);
    // The first array has ended but for one job.
    for (let i = 0; i < 4; i++) slurm.set(`1_${i}`, "COMPLETED", "n1");
    await fleet.look(ids(12).slice(9), 1);
    expect(/--array=(.*)$/m.exec(slurm.scripts[2]!)![1]).toBe("0-2%1");
  });

  it("submits a unit again that a job left or a failed node lost, and sets it aside after so many failures", async () => {
    const { fleet, slurm, folder } = await open({ attempts: 2 });
    await fleet.submit(units(1));
    const first = await claim(folder, "unit-0");
    await first.end({ type: "left", reason: "its time is over" });
    slurm.set("1_0", "FAILED", "n1", "NonZeroExitCode");
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "waiting", reason: "its time is over", job: "2_0" }]);
    (await claim(folder, "unit-0")).release();
    slurm.set("2_0", "NODE_FAIL", "n2", "NodeDown");
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "waiting", attempts: 2, reason: "the node of its job 2_0 failed (n2)", job: "3_0" }]);
    slurm.set("3_0", "TIMEOUT", "n2", "TimeLimit");
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "failed", reason: "its job 3_0 reached its time limit on n2 before it could leave" }]);
    await fleet.retry(ids(1));
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "waiting", job: "4_0" }]);
    slurm.set("4_0", "PREEMPTED", "n2", "None");
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "waiting", reason: "its job 4_0 was preempted on n2", job: "5_0" }]);
    slurm.set("5_0", "OUT_OF_MEMORY", "n2", "OutOfMemory");
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "failed", reason: "its job 5_0 ran out of memory on n2; raise memory of the profile" }]);
  });

  it("leaves out nodes that cannot train a unit, and asks where the shared folder is missing", async () => {
    const { fleet, slurm, folder } = await open();
    await fleet.submit(units(2));
    const refused = join(folder, "units", "unit-0", "refused");
    mkdirSync(refused);
    writeFileSync(join(refused, "n1"), "it needs the engine ONNX Runtime, CUDA");
    slurm.set("1_0", "FAILED", "n1", "NonZeroExitCode");
    slurm.set("1_1", "FAILED", "n2", "NonZeroExitCode");
    const { units: news } = await fleet.look(ids(2), 1);
    expect(news.map(({ reason }) => reason)).toEqual(["the node n1 cannot train it: it needs the engine ONNX Runtime, CUDA", `its job 1_1 ended on n2 (FAILED, NonZeroExitCode), and left nothing in ${folder}: is this folder at the same path on n2?`]);
    expect(slurm.scripts.slice(1).map((script) => /--exclude=(.*)$/m.exec(script)?.[1])).toEqual(["n1", undefined]);
  });

  it("knows a canceled job from one that it canceled, and removes what was forgotten", async () => {
    const { fleet, slurm, folder } = await open();
    await fleet.submit(units(2));
    slurm.set("1_0", "CANCELLED", "n1");
    expect((await fleet.look(ids(2), 1)).units[0]).toMatchObject({ state: "canceled", reason: "its job 1_0 was canceled in Slurm" });
    await fleet.cancel(["unit-1"]);
    expect(slurm.asked.at(-1)).toEqual({ program: "scancel", args: ["1_1"] });
    expect((await fleet.look(ids(2), 1)).units[1]).toMatchObject({ state: "canceled", reason: "canceled" });
    expect(readdirSync(join(folder, "arrays"))).toHaveLength(1);
    await fleet.forget(ids(2));
    expect([...readdirSync(join(folder, "arrays")), ...readdirSync(join(folder, "units"))]).toEqual([]);
  });

  it("finds jobs again by the name of their array where the coordinator ended before it knew their number", async () => {
    const { fleet, slurm, folder } = await open();
    await fleet.submit(units(1));
    const path = join(folder, "units", "unit-0", "job.json");
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, "utf8")) as object), job: null }));
    slurm.set("1_0", "RUNNING", "n1");
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "running", job: "1_0" }]);
    // Or before it asked.
    slurm.jobs.clear();
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "waiting", job: "2_0" }]);
  });

  it("keeps units that Slurm does not take at present, and refuses those that it never will", async () => {
    const { fleet, slurm, folder } = await open();
    slurm.refuses = refusals.unreachable;
    await fleet.submit(units(1));
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "waiting", reason: "The units could not be submitted: Slurm says: Batch job submission failed: Unable to contact slurm controller (connect failure)" }]);
    slurm.refuses = null;
    expect((await fleet.look(ids(1), 1)).units).toMatchObject([{ state: "waiting", job: "1_0" }]);
    slurm.refuses = refusals.partition;
    await expect(fleet.submit(units(3).slice(1))).rejects.toThrow("Slurm says: invalid partition specified: nope; Batch job submission failed: Invalid partition name specified; correct the partition of the profile");
    expect(readdirSync(join(folder, "units"))).toEqual(["unit-0"]);
    slurm.missing = true;
    await expect(fleet.look(ids(1), 1)).rejects.toThrow(/was not found/);
  });

  it("submits single jobs where a cluster has no arrays", async () => {
    const { fleet, slurm } = await open();
    slurm.arraySize = 1;
    await fleet.submit(units(2));
    expect(slurm.scripts).toHaveLength(2);
    expect(slurm.scripts[0]).not.toContain("--array");
    slurm.set("2", "RUNNING", "n1");
    expect((await fleet.look(ids(2), 1)).units).toMatchObject([{ state: "waiting", job: "1" }, { state: "running", job: "2" }]);
  });
});

it("reads what squeue lists, and says what it means", () => {
  const jobs = parseJobs(listed);
  expect(jobs).toHaveLength(8);
  expect(jobs.map((job) => `${job.id} ${phaseOf(job)}`)).toEqual(["2_1 over", "7 over", "1_2 waiting", "8 waiting", "9_0 waiting", "1_0 running", "11_0 waiting", "12_0 over"]);
  expect(jobs.filter((job) => phaseOf(job) === "waiting").map(waitingReason)).toEqual([
    "so many jobs at once as the profile allows are running (JobArrayTaskLimit)",
    "the partition does not let jobs run so long: lower minutes of the profile (PartitionTimeLimit)",
    "it is held; scontrol release lets it go (JobHeldUser)",
    "its node could not start it, and Slurm holds it; scontrol release lets it go (launch failed requeued held)",
  ]);
  expect(endedReason(jobs.at(-1)!)).toBe("the node of its job 12_0 failed (n3)");
  expect(parseJobs("garbage\n|||\n1_x|a|RUNNING||\n")).toEqual([]);
});

it("says what Slurm said with what to do, and that a program is missing", async () => {
  expect(slurmError("It failed", refusals.gres)).toMatchObject({ retry: false, message: "It failed: Slurm says: Invalid generic resource (gres) specification; correct gres of the profile, such as gpu:1 (sinfo -o %G lists them)" });
  expect(slurmError("It failed", refusals.memory).message).toMatch(/lower the memory of the profile/);
  const { PATH } = process.env;
  process.env["PATH"] = root;
  try {
    await expect(runSlurm("sbatch", [])).rejects.toThrow(/The program sbatch of Slurm was not found: start the coordinator on a login node/);
  } finally {
    process.env["PATH"] = PATH;
  }
});

describe("the script", () => {
  const plan = (more: Partial<SlurmProfileInput>, folder: string) => ({ profile: slurmProfile.parse({ folder, minutes: 90, ...more }), name: "hypertower-x", folder: `${folder}/arrays/hypertower-x`, units: 3, threads: 2, throttle: 2, exclude: [] });

  it("asks for what the profile says", () => {
    const script = scriptOf(plan({ partition: "gpu", account: "lab", gres: "gpu:1", constraint: "a100|h100", memory: "4G", qos: "low", data: "/data/it's", prologue: ["module load node/24"], options: ["--exclude=n9"], minutes: 1_500 }, "/shared"));
    expect(script.split("\n").filter((line) => line.startsWith("#SBATCH"))).toEqual([
      "#SBATCH --job-name=hypertower-x",
      "#SBATCH --array=0-2%2",
      "#SBATCH --partition=gpu",
      "#SBATCH --account=lab",
      "#SBATCH --qos=low",
      "#SBATCH --gres=gpu:1",
      "#SBATCH --constraint=a100|h100",
      "#SBATCH --mem=4G",
      "#SBATCH --nodes=1",
      "#SBATCH --ntasks=1",
      "#SBATCH --cpus-per-task=2",
      "#SBATCH --time=1-01:00:00",
      "#SBATCH --signal=B:USR2@120",
      '#SBATCH --output="/shared/arrays/hypertower-x/%a.log"',
      "#SBATCH --open-mode=append",
      "#SBATCH --requeue",
      "#SBATCH --exclude=n9",
    ]);
    expect(script).toContain("\nmodule load node/24\n");
    expect(script).toContain(`--data '/data/it'\\''s'`);
    expect(spawnSync("bash", ["-n"], { input: script }).status).toBe(0);
  });

  it.skipIf(process.platform === "win32")("starts the worker of its unit, passes signals on, and ends with the worker's code", async () => {
    const folder = join(root, "it's shared");
    mkdirSync(join(folder, "arrays/hypertower-x"), { recursive: true });
    writeFileSync(join(folder, "arrays/hypertower-x/units"), "unit-a\nunit-b\n");
    const command = join(root, "worker.sh");
    writeFileSync(command, `#!/bin/bash\necho "$@" > "${root}/called"\ntrap 'exit 6' USR2\nif [ -e "${root}/stay" ]; then kill -USR2 $PPID; while :; do sleep 0.02; done; fi\nexit 3\n`);
    chmodSync(command, 0o755);
    const script = join(root, "script.sh");
    writeFileSync(script, scriptOf(plan({ command: `'${command}'` }, folder)));
    const run = () => spawnSync("bash", [script], { env: { PATH: "/usr/bin:/bin", SLURM_ARRAY_TASK_ID: "1" }, encoding: "utf8" });
    expect(run().status).toBe(3);
    expect(readFileSync(join(root, "called"), "utf8")).toBe(`worker --unit ${folder}/units/unit-b/unit.json --results ${folder}/units/unit-b\n`);
    writeFileSync(join(root, "stay"), "");
    expect(run().status).toBe(6);
  });
});

describe("profiles", () => {
  it("are read from a file with comments, and written", () => {
    const path = join(root, "config", "slurm.json");
    expect(readProfiles(path)).toEqual({ profiles: {} });
    expect(() => findProfile("lab", path)).toThrow(/no Slurm profile named lab in .*; it has none: add one/);
    writeProfiles({ profiles: { lab: slurmProfile.parse({ folder: "/shared", minutes: 60 }) } }, path);
    expect(findProfile("lab", path)).toMatchObject({ folder: "/shared", command: "hypertower", warning: 120, attempts: 5 });
    writeFileSync(path, '{ // mine\n "profiles": { "lab": { "folder": "/shared", "minutes": 60 }, } }');
    expect(findProfile("lab", path)).toMatchObject({ minutes: 60 });
  });

  it("are refused with every field that is wrong", () => {
    const path = join(root, "wrong.json");
    writeFileSync(path, JSON.stringify({ profiles: { lab: { folder: "shared", minutes: 0, partition: "a b", prologue: ["one\ntwo"], options: ["-x"], colour: 1 } } }));
    const problem = (() => {
      try {
        readProfiles(path);
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    })();
    for (const field of ["profiles.lab.folder: must be an absolute path", "profiles.lab.minutes", "profiles.lab.partition: must not contain spaces", "profiles.lab.prologue.0: must be one line", "profiles.lab.options.0: must be an option of sbatch", "colour"]) expect(problem).toContain(field);
    writeFileSync(path, "{");
    expect(() => readProfiles(path)).toThrow(/not valid JSON: .* in line 1/);
  });

  it("print their script on the command line", () => {
    const path = join(root, "cli.json");
    writeProfiles({ profiles: { lab: slurmProfile.parse({ folder: "/shared", minutes: 60, atOnce: 3 }) } }, path);
    const entry = join(import.meta.dirname, "../../../src/main/headless/entry.ts");
    const printed = execFileSync(process.execPath, [entry, "slurm", "script", "lab", "--units", "7"], { env: { ...process.env, HYPERTOWER_SLURM: path }, encoding: "utf8" });
    expect(printed).toContain("#SBATCH --array=0-6%3\n");
  });
});
