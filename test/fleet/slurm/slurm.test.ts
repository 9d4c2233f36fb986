import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeProfiles } from "../../../src/main/fleet/slurm/profiles.ts";
import { SlurmFleet } from "../../../src/main/fleet/slurm/slurmFleet.ts";
import { slurmProfile, type SlurmProfileInput } from "../../../src/shared/fleet/profile.ts";
import { runCommand } from "../../support/commandLine.ts";
import { Driven } from "../../support/fleet/drive.ts";
import { makeUnit, tiny } from "../../support/fleet/units.ts";
import { trainedHere } from "../../support/fleet/trainedHere.ts";
import { Cluster, clusterProblem } from "./cluster.ts";

const entry = join(import.meta.dirname, "../../../src/main/headless/entry.ts");
const problem = clusterProblem();
if (problem !== null) throw new Error(`Slurm cannot be tried here: ${problem}`);

let cluster: Cluster;
let root: string;
let count = 0;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "slurm-shared-"));
  cluster = await Cluster.start({ nodes: 3, arraySize: 9 });
});
afterAll(async () => {
  await cluster?.stop();
  rmSync(root, { recursive: true, force: true });
});

const open = (more: Partial<SlurmProfileInput> = {}) => {
  const folder = join(root, `shared ${++count}`);
  mkdirSync(folder);
  return SlurmFleet.open({ profileName: "test", profile: slurmProfile.parse({ folder, command: `'${process.execPath}' '${entry}'`, minutes: 10, partition: "main", ...more }) });
};
const long = tiny(7, 2_500);
const unitsOf = (beginning: string, experiments: readonly ReturnType<typeof tiny>[]) => experiments.map((experiment, i) => ({ unit: makeUnit(`${beginning}-${i}`, [[[`run-${i}`, experiment]]], { checkpointEvery: 300 }), files: [] }));
const output = (driven: Driven) => JSON.stringify([...driven.states.values()], null, 1);

/** Slurm waits two minutes before it starts a job again; a person may start it earlier. */
const startAgain = (driven: Driven, unit: string) =>
  driven.until(() => {
    const { state, job } = driven.states.get(unit)!;
    if (state === "waiting" && job !== null) cluster.tryTo("scontrol", "update", `jobid=${job}`, "starttime=now");
    return state !== "waiting";
  });

describe("Slurm", () => {
  it("trains a small study on three nodes in several arrays, no more jobs at once than allowed, to what is trained here", async () => {
    const fleet = await open({ atOnce: 2 });
    const experiments = Array.from({ length: 10 }, (_, i) => tiny(i, 3));
    const units = unitsOf("study", experiments);
    await fleet.submit(units);
    const driven = new Driven(fleet, units.map(({ unit }) => unit.id));
    let most = 0;
    await driven.until(() => {
      most = Math.max(most, cluster.run("squeue", "--noheader", "--states=RUNNING", "--format=%i").split("\n").filter(Boolean).length);
      return [...driven.states.values()].every(({ state }) => state === "ended");
    });
    await driven.settled();
    expect(most).toBeLessThanOrEqual(2);
    expect(driven.problems).toEqual([]);
    for (const [i, experiment] of experiments.entries()) expect(driven.facts(`study-${i}`, `run-${i}`), output(driven)).toEqual(await trainedHere(experiment));
    await fleet.forget(units.map(({ unit }) => unit.id));
    expect((await fleet.look(["study-0"], 1)).units).toMatchObject([{ state: "unknown" }]);
  });

  it("goes on from a checkpoint after a preemption, and says why it waits", async () => {
    const fleet = await open();
    const units = unitsOf("preempted", [long]);
    await fleet.submit(units);
    const driven = new Driven(fleet, ["preempted-0"]);
    await driven.until(() => driven.rows("preempted-0", "run-0") > 3_000);
    cluster.run("sbatch", "--partition=urgent", "--nodes=3", "--exclusive", "--output=/dev/null", "--wrap=sleep 3");
    await driven.until(() => driven.states.get("preempted-0")!.state === "waiting");
    await driven.until(() => [...driven.seen.get("preempted-0")!].some((each) => each.includes("BeginTime")));
    await startAgain(driven, "preempted-0");
    await driven.settled();
    expect(driven.states.get("preempted-0"), output(driven)).toMatchObject({ state: "ended", attempts: 2 });
    expect(driven.problems).toEqual([]);
    expect(driven.facts("preempted-0", "run-0")).toEqual(await trainedHere(long));
  });

  it("loses nothing where a node loses its power", async () => {
    const fleet = await open();
    await fleet.submit(unitsOf("powerless", [long]));
    const driven = new Driven(fleet, ["powerless-0"]);
    await driven.until(() => driven.rows("powerless-0", "run-0") > 3_000);
    const node = driven.states.get("powerless-0")!.where!;
    cluster.killNode(node);
    await driven.until(() => driven.states.get("powerless-0")!.state === "waiting");
    cluster.startNode(node);
    // Slurm delays jobs of a failed node too.
    await startAgain(driven, "powerless-0");
    await driven.settled();
    expect(driven.states.get("powerless-0"), output(driven)).toMatchObject({ state: "ended", attempts: 2 });
    expect(driven.facts("powerless-0", "run-0")).toEqual(await trainedHere(long));
  });

  it("leaves before a time limit that is shorter than the unit, and goes on in the next job", async () => {
    const fleet = await open();
    await fleet.submit(unitsOf("limited", [long]));
    const driven = new Driven(fleet, ["limited-0"]);
    await driven.until(() => driven.rows("limited-0", "run-0") > 3_000);
    const { job } = driven.states.get("limited-0")!;
    // What --signal=B:USR2 sends when the time is near.
    cluster.run("scancel", "--batch", "--signal=USR2", job!);
    await driven.until(() => driven.states.get("limited-0")!.state === "waiting");
    expect(driven.segments.get("limited-0")!.at(-1)!.entries.at(-1)).toMatchObject({ type: "end", outcome: "left" });
    await startAgain(driven, "limited-0");
    await driven.settled();
    expect(driven.states.get("limited-0"), output(driven)).toMatchObject({ state: "ended" });
    expect(driven.facts("limited-0", "run-0")).toEqual(await trainedHere(long));
  });

  it("says that a job was canceled in Slurm, and cancels jobs itself", async () => {
    const fleet = await open();
    await fleet.submit(unitsOf("canceled", [tiny(1, 100_000), tiny(2, 100_000)]));
    const driven = new Driven(fleet, ["canceled-0", "canceled-1"]);
    await driven.until(() => [...driven.states.values()].every(({ state }) => state === "running"));
    const job = driven.states.get("canceled-0")!.job!;
    cluster.run("scancel", job);
    await fleet.cancel(["canceled-1"]);
    await driven.settled();
    expect(driven.states.get("canceled-0")).toMatchObject({ state: "canceled", reason: `its job ${job} was canceled in Slurm` });
    expect(driven.states.get("canceled-1")).toMatchObject({ state: "canceled", reason: "canceled" });
    await expect.poll(() => cluster.run("squeue", "--noheader", "--states=RUNNING,PENDING,COMPLETING"), { timeout: 20_000 }).toBe("");
  });

  it("says in words what is wrong with a profile, and sets a unit aside whose jobs fail", async () => {
    await expect((await open({ partition: "none" })).submit(unitsOf("wrong", [tiny(1)]))).rejects.toThrow(/Slurm says: invalid partition specified: none.*correct the partition of the profile/);
    await expect((await open({ gres: "gpu:1" })).submit(unitsOf("wrong", [tiny(1)]))).rejects.toThrow(/correct gres of the profile/);
    const fleet = await open({ command: "no-such-program", attempts: 2 });
    await fleet.submit(unitsOf("broken", [tiny(1)]));
    const driven = new Driven(fleet, ["broken-0"]);
    await driven.settled();
    expect(driven.states.get("broken-0")).toMatchObject({ state: "failed", attempts: 0 });
    expect(driven.states.get("broken-0")!.reason).toMatch(/ended on n\d \(FAILED, NonZeroExitCode\) before Hypertower began; the last lines of its output:\n.*no-such-program: command not found/s);
    const other = await open();
    const [unit] = unitsOf("version", [tiny(1)]);
    await other.submit([{ ...unit!, unit: { ...unit!.unit, needs: { ...unit!.unit.needs, hypertower: "0.0.1" } } }]);
    const refused = new Driven(other, ["version-0"]);
    await refused.settled();
    expect(refused.states.get("version-0")).toMatchObject({ state: "failed", attempts: 0 });
    expect(refused.states.get("version-0")!.reason).toMatch(/cannot train it: it was made by Hypertower 0.0.1/);
  });

  it("trains a study of the command line to the table of one that is trained here", async () => {
    const folder = join(root, "study");
    mkdirSync(folder);
    const profiles = join(root, "slurm.json");
    writeProfiles({ profiles: { here: slurmProfile.parse({ folder, command: `'${process.execPath}' '${entry}'`, minutes: 10, atOnce: 3 }) } }, profiles);
    const study = join(root, "study.json");
    const { name: _name, ...base } = tiny(0, 10);
    writeFileSync(study, JSON.stringify({ name: "a study", base, seeds: [0, 1, 2, 3, 4, 5] }));
    const train = async (where: string) => {
      const { code, stdout, stderr } = await runCommand(join(root, `store-${where.slice(0, 5)}`), ["study", study, "--on", where, "--unit-minutes", "0.001"], undefined, { HYPERTOWER_SLURM: profiles });
      expect(code, stderr).toBe(0);
      return stdout.split("\n").filter((line) => /^(HEIGHT|height|At height)/.test(line));
    };
    const there = await train("slurm:here");
    expect(there).toHaveLength(3);
    expect(there).toEqual(await train("local"));
  });

  it("prints the script that it would submit, and asks Slurm about it, without submitting", async () => {
    const fleet = await open({ minutes: 20, memory: "100M", prologue: ["module load node"], atOnce: 5 });
    const script = await fleet.dryRun(20, 1);
    expect(script).toContain("#SBATCH --array=0-8%5\n");
    expect(script).toContain("\nmodule load node\n");
    expect(await fleet.check(1)).toMatch(/to start at/);
    expect(cluster.run("squeue", "--noheader", "--states=PENDING,RUNNING")).toBe("");
    expect(existsSync(cluster.conf) && readFileSync(cluster.conf, "utf8")).toContain("MaxArraySize=9");
  });
});
