/** Requests about fleets: what is set up, passwords that stay in the host, and Slurm profiles. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { fleetHandlers } from "../../../src/main/services/fleetHandlers.ts";
import { fleetServices } from "../../../src/main/services/fleets.ts";
import type { Coordinator } from "../../../src/main/fleet/coordinator/coordinator.ts";
import { aMachine } from "../../support/fleet/memoryFleet.ts";
import { freshFolder } from "../../support/storeFixtures.ts";

let folder: string;
beforeEach(() => {
  folder = freshFolder();
  vi.stubEnv("HYPERTOWER_SLURM", join(folder, "slurm.json"));
  vi.stubEnv("HYPERTOWER_QUEUE", "");
  vi.stubEnv("PATH", "/nowhere");
});
afterEach(() => void vi.unstubAllEnvs());

const address = "queue:postgres://coordinator@db.example/hypertower";
const withPassword = "queue:postgres://coordinator:secret@db.example/hypertower";
const profile = { folder: "/scratch/me", minutes: 30 };

/** A coordinator that was given a queue with its password. */
function handlers(workers: Coordinator["workers"] = () => Promise.resolve([])) {
  const drained: string[] = [];
  const coordinator = {
    list: () => [{ name: withPassword, problem: null, units: [] }],
    workers,
    drain: (name: string) => Promise.resolve(void drained.push(name)),
  } as unknown as Coordinator;
  const fleets = fleetServices(coordinator, { retry: () => Promise.reject(new Error("not asked")), attach: () => Promise.resolve() }, { storeFolder: folder, nameOf: () => null });
  return { fleets, drained, ask: fleetHandlers(fleets) };
}

it("shows a queue without its password, and steers it by that name", async () => {
  const asked: string[] = [];
  const { ask, drained, fleets } = handlers((name) => {
    asked.push(name);
    return Promise.resolve([{ id: "w1", machine: aMachine("node1"), startedAt: 1, seenAt: 2, load: 1, units: [], draining: false }]);
  });
  const listed = await ask["fleets.list"]({});
  expect(JSON.stringify(listed)).not.toContain("secret");
  expect(listed.fleets.find(({ name }) => name === address)?.workers).toHaveLength(1);
  expect(asked).toEqual([withPassword]);
  await ask["fleets.drain"]({ fleet: address, worker: "w1", draining: true });
  expect(drained).toEqual([withPassword]);
  expect(await fleets.nameToStore(withPassword)).toBe(address);
  expect(readFileSync(join(folder, "queue", "urls.json"), "utf8")).toContain("secret");
});

it("offers the queue of HYPERTOWER_QUEUE, whose password a study need not give", async () => {
  vi.stubEnv("HYPERTOWER_QUEUE", "postgres://coordinator:hidden@other.example/work");
  const { ask, fleets } = handlers(() => Promise.reject(new Error("postgres://coordinator:hidden@other.example does not answer")));
  const listed = await ask["fleets.list"]({});
  expect(listed.fleets.map(({ name }) => name)).toContain("queue:postgres://coordinator@other.example/work");
  expect(JSON.stringify(listed)).toContain("does not answer");
  expect(JSON.stringify(listed)).not.toContain("hidden");
  expect(await fleets.nameToStore("queue:postgres://coordinator@other.example/work")).toBe("queue:postgres://coordinator@other.example/work");
  expect(readFileSync(join(folder, "queue", "urls.json"), "utf8")).toContain("hidden");
});

it("says that a machine is no login node, without asking the shared folder", async () => {
  const { ask } = handlers(() => Promise.resolve([]));
  await ask["fleets.saveProfile"]({ name: "gpu", profile: { ...profile, atOnce: 8 }, replace: false });
  const gpu = async () => (await ask["fleets.list"]({})).fleets.find(({ name }) => name === "slurm:gpu");
  expect(await gpu()).toMatchObject({ kind: "slurm", atOnce: 8, problem: "Slurm’s sbatch, squeue, scancel are not on the PATH: start Hypertower on a login node of the cluster (hypertower serve)." });
  const programs = join(folder, "bin");
  mkdirSync(programs);
  for (const name of ["sbatch", "squeue", "scancel"]) {
    writeFileSync(join(programs, name), "");
    chmodSync(join(programs, name), 0o755);
  }
  vi.stubEnv("PATH", programs);
  expect(await gpu()).toMatchObject({ problem: null });
});

it("keeps profiles that are valid, replaces one on purpose alone, and makes scripts", async () => {
  const { ask } = handlers();
  const save = ask["fleets.saveProfile"];
  await expect(save({ name: "a b", profile, replace: false })).rejects.toMatchObject({ fields: [{ path: "name" }] });
  await expect(save({ name: "gpu", profile: { ...profile, minutes: 0, prologue: ["a\nb"] }, replace: false })).rejects.toMatchObject({ fields: [{ path: "minutes" }, { path: "prologue.0" }] });
  await save({ name: "gpu", profile, replace: false });
  await expect(save({ name: "gpu", profile, replace: false })).rejects.toMatchObject({ fields: [{ path: "name", message: "is the name of another profile" }] });
  await save({ name: "gpu", profile: { ...profile, minutes: 45 }, replace: true });
  expect(await ask["fleets.profiles"]({})).toMatchObject({ file: join(folder, "slurm.json"), profiles: { gpu: { minutes: 45 } }, problem: null });
  expect(await ask["fleets.script"]({ profile: { ...profile, partition: "long" }, units: 3, threads: 2 })).toMatchObject({ script: expect.stringMatching(/--array=0-2[^]*--partition=long[^]*--cpus-per-task=2/) as string });
  await expect(ask["fleets.removeProfile"]({ name: "none" })).rejects.toThrow("There is no Slurm profile named none");
  await ask["fleets.removeProfile"]({ name: "gpu" });
  writeFileSync(join(folder, "slurm.json"), "{");
  expect((await ask["fleets.profiles"]({})).problem).toContain("not valid JSON");
  await expect(save({ name: "gpu", profile, replace: false })).rejects.toThrow("not valid JSON");
  expect(readFileSync(join(folder, "slurm.json"), "utf8")).toBe("{");
});
