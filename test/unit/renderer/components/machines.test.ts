/** The page of machines, the editor of Slurm profiles, and where a study trains. */
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import WherePanel from "@/components/studyForm/WherePanel.vue";
import MachinesPage from "@/pages/MachinesPage.vue";
import type { FleetInfo, FleetUnit } from "@shared/fleet/requests.ts";
import type { SlurmProfile } from "@shared/fleet/profile.ts";
import type { WorkerState } from "@shared/fleet/worker.ts";
import { byTestid, click, hasTestid, mountForm, mountPart, onPage, services } from "./support.ts";

const now = 1_000_000_000;
const worker = (changes: Partial<WorkerState> = {}): WorkerState => ({
  id: "node7-1",
  machine: { host: "node7", platform: "linux x64", processor: "a processor", cores: 16, memory: 64e9, engines: [{ kind: "onnx-cpu", device: "a processor", memory: null }], versions: { hypertower: "1", node: "24" } },
  startedAt: now - 60_000, seenAt: now - 12_000, load: 7.25, units: ["u1"], draining: false, ...changes,
});
const unit = (changes: Partial<FleetUnit> = {}): FleetUnit => ({ id: "u1", study: "s1", studyName: "Step sizes", state: "running", reason: null, job: "1234_5", place: "node7", attempts: 1, submittedAt: now, estimate: 600_000, runs: 8, heldUpBy: null, ...changes });
const fleet = (changes: Partial<FleetInfo> = {}): FleetInfo => ({ name: "slurm:gpu", kind: "slurm", problem: null, workers: [], units: [], atOnce: null, ...changes });
const profile: SlurmProfile = { folder: "/scratch/ht", command: "hypertower", minutes: 60, warning: 120, attempts: 5, prologue: ["module load node"], options: [], partition: "gpu" };

async function page(fleets: FleetInfo[], profiles: Record<string, SlurmProfile> = {}) {
  services.answer("fleets.list", () => ({ fleets, now }));
  services.answer("fleets.profiles", () => ({ file: "/home/me/slurm.json", profiles, problem: null }));
  for (const name of ["fleets.cancel", "fleets.retry", "fleets.drain", "fleets.saveProfile", "fleets.removeProfile"] as const) services.answer(name, () => null);
  const wrapper = mountPart(MachinesPage);
  await flushPromises();
  return wrapper;
}
const confirm = async () => {
  await flushPromises();
  document.querySelector<HTMLElement>(".el-message-box__btns .el-button--primary")!.click();
  await flushPromises();
};
const fill = async (testid: string, text: string) => {
  const field = onPage(testid) as HTMLInputElement;
  field.value = text;
  field.dispatchEvent(new Event("input"));
  await flushPromises();
};

it("says how to start a worker where no other machine trains", async () => {
  const wrapper = await page([fleet({ name: "queue", kind: "queue" })]);
  const help = byTestid(wrapper, "machines-empty").text();
  for (const command of ["hypertower serve", "hypertower queue init", "hypertower worker --queue"]) expect(help).toContain(command);
  expect(byTestid(wrapper, "fleet-queue").text()).toContain("Starts with the first study that trains there");
});

it("shows workers and units with reasons, and follows changes", async () => {
  const waiting = unit({ id: "u2", state: "waiting", reason: "Resources: all nodes are busy", place: null });
  const wrapper = await page([fleet({ workers: [worker()], units: [unit(), waiting, unit({ id: "u3", state: "failed", reason: "its data has another checksum" })] }), fleet({ name: "slurm:old", problem: "/gone cannot be opened" })]);
  expect(hasTestid(wrapper, "machines-empty")).toBe(false);
  expect(byTestid(wrapper, "worker-node7-1").text()).toMatch(/node7.*16 cores.*7\.3?.*12 s ago/s);
  expect(byTestid(wrapper, "unit-u2").text()).toContain("Resources: all nodes are busy");
  expect(byTestid(wrapper, "unit-u1").text()).toContain("job 1234_5");
  expect(byTestid(wrapper, "units-s1").text()).toContain("1 running, 1 waiting, 1 failed");
  expect(byTestid(wrapper, "fleet-slurm:old").text()).toContain("/gone cannot be opened");
  services.answer("fleets.list", () => ({ fleets: [fleet({ units: [unit({ state: "ended" })] })], now }));
  services.emit("fleets.changed", {});
  await flushPromises();
  expect(byTestid(wrapper, "unit-u1").text()).toContain("Being taken in");
  expect(hasTestid(wrapper, "unit-u3")).toBe(false);
});

it("drains, retries, and cancels after a confirmation", async () => {
  const wrapper = await page([fleet({ workers: [worker()], units: [unit({ id: "u3", state: "failed", reason: "its data has another checksum" }), unit()] })]);
  await click(wrapper, "drain-worker");
  expect(services.inputs("fleets.drain")).toEqual([{ fleet: "slurm:gpu", worker: "node7-1", draining: true }]);
  await click(wrapper, "retry-unit");
  expect(services.inputs("fleets.retry")).toEqual([{ units: ["u3"] }]);
  await byTestid(wrapper, "unit-u1").get("[data-testid='cancel-unit']").trigger("click");
  await flushPromises();
  expect(document.querySelector(".el-message-box")!.textContent).toContain("Cancel 1 unit with 8 runs?");
  expect(services.inputs("fleets.cancel")).toEqual([]);
  await confirm();
  expect(services.inputs("fleets.cancel")).toEqual([{ units: ["u1"] }]);
});

it("edits a Slurm profile, marks what is wrong, and shows its script", async () => {
  const wrapper = await page([], { gpu: profile });
  expect(byTestid(wrapper, "profile-gpu").text()).toContain("partition gpu · 60 min a job");
  await click(wrapper, "add-profile");
  onPage("profile-save").click();
  await flushPromises();
  expect(onPage("profile-dialog").textContent).toContain("is needed");
  expect(services.inputs("fleets.saveProfile")).toEqual([]);
  await fill("profile-name", "cpu");
  await fill("profile-folder", "/scratch/me");
  await fill("profile-minutes", "30");
  await fill("profile-memory", "lots");
  expect(onPage("profile-dialog").textContent).toContain("must be a number with K, M, G or T");
  await fill("profile-memory", "4G");
  services.answer("fleets.script", () => ({ script: "#!/bin/bash\n#SBATCH --mem=4G" }));
  onPage("profile-preview").click();
  await flushPromises();
  expect(onPage("profile-script").textContent).toContain("--mem=4G");
  services.refuse("fleets.saveProfile", "The profile was not saved:", [{ path: "name", message: "is the name of another profile" }]);
  onPage("profile-save").click();
  await flushPromises();
  expect(onPage("profile-dialog").textContent).toContain("is the name of another profile");
  services.answer("fleets.saveProfile", () => null);
  await fill("profile-name", "cpus");
  onPage("profile-save").click();
  await flushPromises();
  expect(services.inputs("fleets.saveProfile").at(-1)).toEqual({ name: "cpus", profile: { folder: "/scratch/me", minutes: 30, memory: "4G" }, replace: false });
});

it("offers where to train with the time at each, and says why one cannot be used", async () => {
  const queue = "queue:postgres://hypertower_coordinator@db.example/hypertower";
  services.answer("fleets.list", () => ({ fleets: [fleet({ atOnce: 40 }), fleet({ name: "slurm:old", problem: "sbatch was not found" }), fleet({ name: queue, kind: "queue", workers: [worker(), worker({ id: "w2", draining: true })] })], now }));
  const { wrapper, value } = mountForm(WherePanel, "local", { props: { estimate: { runs: 400, workers: 2, threads: 2, cohort: 1, duration: 7_200_000, disk: 1, diskFree: null } } });
  await flushPromises();
  const text = byTestid(wrapper, "where").text();
  expect(text).toContain("About 2 h, by measurement");
  // 4 hours of one program at 40 places; of 16 cores with two threads each at 8.
  expect(text).toContain("About 6 min: 40 jobs at the same time, as its profile allows");
  expect(text).toContain("About 30 min: room for 8 programs at its workers");
  expect(text).toContain("Queue at db.example/hypertower");
  expect(text).toContain("sbatch was not found");
  const radio = (name: string) => byTestid(wrapper, `where-${name}`).get("input");
  expect(radio("slurm:old").attributes("disabled")).toBeDefined();
  await radio("slurm:gpu").setValue(true);
  expect(value()).toBe("slurm:gpu");
});
