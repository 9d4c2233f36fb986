/** `hypertower fleet`, with a store that has units at a folder which workers share. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { cancelUnits, drainWorker, listFleets, listUnits, listWorkers, retryUnits } from "../../../src/main/headless/commands/fleet.ts";
import { programFiles } from "../../../src/main/headless/index.ts";
import { UnitsFolder } from "../../../src/main/fleet/folder/unitsFolder.ts";
import { WorkersFolder } from "../../../src/main/fleet/folder/workersFolder.ts";
import { aMachine } from "../../support/fleet/memoryFleet.ts";
import { freshFolder, openStore } from "../../support/storeFixtures.ts";

let store: string;
let fleet: string;
let printed: string[];

beforeEach(() => {
  const folder = freshFolder();
  store = join(folder, "store");
  fleet = `folder:${join(folder, "shared")}`;
  printed = [];
  vi.stubEnv("HYPERTOWER_SLURM", join(folder, "slurm.json"));
  vi.stubEnv("HYPERTOWER_QUEUE", "");
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  vi.spyOn(console, "error").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function submitted(...ids: string[]): void {
  const open = openStore(store);
  open.fleets.submit(fleet, ids.map((id) => ({ id, study: "s1", estimate: 60_000, unit: "{}", runs: [`${id}r1`, `${id}r2`] })));
  open.fleets.news(ids.map((id) => ({ id, state: id.startsWith("bad") ? "failed" : "waiting", reason: id.startsWith("bad") ? "its data has another checksum" : null, job: null, place: "node7", attempts: 5 })));
  open.closeNow();
}
const lines = () => printed.splice(0).map((line) => JSON.parse(line) as Record<string, unknown>);

it("lists fleets and units with reasons, and forgets a failed unit", async () => {
  submitted("good1", "bad1");
  expect(await listFleets(programFiles, { store, json: true })).toBe(0);
  const listed = lines();
  expect(listed.map(({ name }) => name)).toEqual(["queue", fleet]);
  expect(listed[1]).toMatchObject({ kind: "folder", workers: 0, units: { waiting: 1, failed: 1 }, problem: null });
  expect(await listUnits(programFiles, { store, json: true, failed: true })).toBe(0);
  expect(lines()).toMatchObject([{ id: "bad1", fleet, state: "failed", reason: "its data has another checksum", runs: 2 }]);
  expect(await listUnits(programFiles, { store })).toBe(0);
  expect(printed.splice(0).join("")).toMatch(/bad1.*failed.*its data has another checksum[^]*good1.*waiting/);
  await expect(listUnits(programFiles, { store, fleet: "slurm:gpu" })).rejects.toThrow(`There is no fleet slurm:gpu; there is ${fleet}.`);
  await expect(cancelUnits(programFiles, ["none"], { store, yes: true })).rejects.toThrow("There is no unit at any fleet whose id begins with none.");
  // Nobody can answer the question here.
  await expect(cancelUnits(programFiles, ["bad"], { store })).rejects.toThrow("Cancel 1 unit with 2 runs needs a confirmation: add --yes");
  expect(await cancelUnits(programFiles, ["bad"], { store, yes: true, json: true })).toBe(0);
  expect(lines()).toEqual([{ canceled: ["bad1"] }]);
  await listUnits(programFiles, { store, json: true });
  expect(lines().map(({ id }) => id)).toEqual(["good1"]);
  await expect(retryUnits(programFiles, ["good1"], { store })).rejects.toThrow("only a failed one can be tried again");
});

it("lists workers with their machines, and drains one", async () => {
  submitted("u1");
  const folder = new UnitsFolder(fleet.slice("folder:".length));
  await folder.open();
  const workers = new WorkersFolder(folder);
  await workers.register({ id: "node7-1", machine: aMachine("node7"), startedAt: Date.now() });
  await workers.beat("node7-1", ["u1"]);
  expect(await listWorkers(programFiles, { store, json: true })).toBe(0);
  expect(lines()).toMatchObject([{ fleet, id: "node7-1", units: ["u1"], machine: { host: "node7", cores: 4 }, draining: false }]);
  expect(await drainWorker(programFiles, fleet, "node7", { store, json: true })).toBe(0);
  expect(lines()).toEqual([{ fleet, worker: "node7-1", draining: true }]);
  await listWorkers(programFiles, { store });
  expect(printed.splice(0).join("")).toContain("takes no further unit");
  expect(await drainWorker(programFiles, fleet, "node7", { store, undo: true })).toBe(0);
  expect(printed.splice(0)).toEqual(["node7-1 takes units again"]);
});
