import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import App from "@/App.vue";
import StoragePage from "@/pages/StoragePage.vue";
import { aBackup, aReport, noNotices } from "../../../support/pretendStorage.ts";
import type { StorageReport } from "@shared/storage.ts";
import type { DraftModel } from "@/lib/modelDraft.ts";
import { useDraft } from "@/stores/draft.ts";
import { byTestid, click, deferred, hasTestid, mountPart, onPage, services } from "./support.ts";

async function page(report: Partial<StorageReport> = {}) {
  services.answer("storage.report", () => aReport(report));
  const wrapper = mountPart(StoragePage);
  await flushPromises();
  return wrapper;
}

/** A closed dialog stays in the document until its animation would end. */
const boxes = () => [...document.body.querySelectorAll(".el-message-box")];
const dialog = () => boxes().at(-1)?.textContent ?? "";
async function answer(primary: boolean): Promise<void> {
  boxes().at(-1)!.querySelector<HTMLElement>(`.el-message-box__btns .el-button${primary ? "--primary" : ":not(.el-button--primary)"}`)!.click();
  await flushPromises();
}
const message = () => document.body.querySelector(".el-notification")?.textContent ?? null;

it("shows what takes the space, the largest runs and the backups", async () => {
  const wrapper = await page();
  expect(byTestid(wrapper, "space-log").text()).toMatch(/Steps of all runs.*400 MB/);
  expect(byTestid(wrapper, "space-backups").text()).toContain("180 MB");
  expect(byTestid(wrapper, "space-free").text()).toBe("180 GB of 500 GB free");
  expect(byTestid(wrapper, "space-of-run1").text()).toMatch(/A long run.*900,000.*250 MB.*40 MB/);
  expect(wrapper.findAll('[data-testid="backup"]').map((row) => row.text())).toEqual([expect.stringContaining("Daily"), expect.stringContaining("By hand")]);
  expect(hasTestid(wrapper, "no-backups")).toBe(false);
});

it("checks the store on request and explains what is wrong", async () => {
  const wrapper = await page();
  const checked = deferred<{ at: number; findings: { severity: "problem"; title: string; detail: string; advice: string }[] }>();
  services.answer("storage.check", () => checked.promise);
  expect(byTestid(wrapper, "health-state").text()).toBe("Not checked");
  await click(wrapper, "check-button");
  expect(byTestid(wrapper, "health-state").text()).toBe("Checking");
  checked.resolve({ at: Date.now(), findings: [{ severity: "problem", title: "The database is damaged", detail: "page 7", advice: "Restore a backup." }] });
  await flushPromises();
  expect(byTestid(wrapper, "health-state").text()).toBe("1 problem");
  expect(byTestid(wrapper, "finding").text()).toMatch(/The database is damaged.*page 7.*Restore a backup/);
  services.answer("storage.check", () => ({ at: Date.now(), findings: [] }));
  await click(wrapper, "check-button");
  expect(byTestid(wrapper, "health-state").text()).toBe("Sound");
});

it("erases the bin only after a confirmation that says what is erased", async () => {
  const wrapper = await page();
  services.answer("storage.erase", () => ({ done: "Erased 3 runs with 42,000 steps and 1 study for good." }));
  await click(wrapper, "empty-bin");
  expect(dialog()).toContain("Erases 3 runs and 1 study with 42,000 logged steps, and their checkpoints and weights: about 35 MB. This cannot be undone");
  await answer(false);
  expect(services.inputs("storage.erase")).toEqual([]);
  await click(wrapper, "empty-bin");
  services.answer("storage.report", () => aReport({ bin: { runs: 0, studies: 0, steps: 0 } }));
  await answer(true);
  expect(services.inputs("storage.erase")).toEqual([{ erasure: { what: "bin", runs: 3, studies: 1 } }]);
  expect(message()).toContain("Erased 3 runs");
  expect(hasTestid(wrapper, "empty-bin")).toBe(false);
});

it("erases networks that no run, study or draft uses, after a confirmation that names them", async () => {
  const wrapper = await page();
  services.answer("storage.erase", () => ({ done: "Erased 1 imported network (12 MB) for good." }));
  expect(byTestid(wrapper, "space-networks").text()).toMatch(/Imported networks.*2 unused, 15 MB.*24 MB/);
  useDraft().draft.model = { kind: "graph", network: "b".repeat(64), start: "file" } as DraftModel;
  await flushPromises();
  expect(byTestid(wrapper, "space-networks").text()).toContain("1 unused, 12 MB");
  await click(wrapper, "erase-networks");
  expect(dialog()).toContain("Erases 1 imported network that no run, study or draft uses, those in the bin included (12 MB): resnet18. This cannot be undone; your own ONNX files are not changed.");
  await answer(false);
  expect(services.inputs("storage.erase")).toEqual([]);
  await click(wrapper, "erase-networks");
  services.answer("storage.report", () => aReport({ unusedNetworks: [] }));
  await answer(true);
  expect(services.inputs("storage.erase")).toEqual([{ erasure: { what: "networks", hashes: ["a".repeat(64)] } }]);
  expect(hasTestid(wrapper, "erase-networks")).toBe(false);
});

it("erases checkpoints, weights and backups one by one, and says what that costs", async () => {
  const wrapper = await page();
  services.answer("storage.erase", () => ({ done: "Erased." }));
  await click(byTestid(wrapper, "space-of-run1"), "erase-checkpoint");
  expect(dialog()).toMatch(/checkpoint of A long run \(40 MB\).*only be restarted at its first step/);
  await answer(true);
  await click(byTestid(wrapper, "space-of-run1"), "erase-weights");
  await answer(true);
  await wrapper.findAll('[data-testid="erase-backup"]')[0]!.trigger("click");
  await flushPromises();
  await answer(true);
  expect(services.inputs("storage.erase").map(({ erasure }) => erasure)).toEqual([
    { what: "checkpoints", runs: ["run1"] },
    { what: "weights", runs: ["run1"] },
    { what: "backups", names: [aBackup().name] },
  ]);
  expect(hasTestid(byTestid(wrapper, "space-of-run2"), "erase-checkpoint")).toBe(false);
});

it("thins a run after a confirmation that says how many values and bytes are erased", async () => {
  const wrapper = await page();
  services.answer("storage.erase", () => ({ done: "Thinned 1 run." }));
  services.answer("storage.planThinning", ({ runs, width }) => ({ width, runs: runs.map((run) => ({ run, name: run, steps: 900_000, values: 1_800_000, bytes: 245e6 })), values: 1_800_000, bytes: 245e6 }));
  await click(byTestid(wrapper, "space-of-run1"), "thin-run");
  expect(dialog()).toMatch(/Erases the 1,800,000 logged values of A long run \(about 245 MB\) and keeps summaries of 256 steps each.*cannot be undone/);
  await answer(false);
  expect(services.inputs("storage.erase")).toEqual([]);
  await click(byTestid(wrapper, "space-of-run1"), "thin-run");
  await answer(true);
  expect(services.inputs("storage.erase")).toEqual([{ erasure: { what: "steps", runs: ["run1"], width: 256 } }]);
  services.refuse("storage.planThinning", "Run A long run is stopped and can still be resumed at step 7.");
  await click(byTestid(wrapper, "space-of-run1"), "thin-run");
  expect(document.body.textContent).toContain("can still be resumed at step 7");
});

it("offers no thinning of short, thinned and binned runs", async () => {
  const { largest } = aReport();
  const changed = [{ steps: 200 }, { thinnedTo: 256 }, { inBin: true }].map((change, i) => ({ ...largest[0]!, ...change, run: `run${i}` }));
  const wrapper = await page({ largest: changed });
  expect(hasTestid(wrapper, "thin-run")).toBe(false);
  expect(byTestid(wrapper, "space-of-run1").text()).toContain("thinned");
});

it("makes a backup, restores one at the next start, and keeps settings", async () => {
  const wrapper = await page({ backups: [] });
  expect(hasTestid(wrapper, "no-backups")).toBe(true);
  services.answer("storage.backUp", () => aBackup());
  services.answer("storage.report", () => aReport());
  await click(wrapper, "backup-button");
  expect(wrapper.findAll('[data-testid="backup"]')).toHaveLength(2);
  services.answer("storage.restore", ({ backup }) => ({ ...noNotices, restore: backup }));
  await click(wrapper, "restore-button");
  expect(dialog()).toMatch(/40 runs with 1,200,000 steps.*next start.*set aside, not erased/);
  await answer(true);
  expect(services.inputs("storage.restore")).toEqual([{ backup: aBackup().name }]);
  services.answer("storage.saveSettings", ({ settings }) => settings);
  await click(wrapper, "backup-settings");
  await byTestid(wrapper, "backups-enabled").get("input").trigger("change");
  await byTestid(wrapper, "backups").get("form").trigger("submit");
  await flushPromises();
  expect(services.inputs("storage.saveSettings")[0]!.settings).toMatchObject({ last: 3, daily: 7, weekly: 4 });
});

async function enter(folder: string): Promise<void> {
  const field = onPage("store-folder-path") as HTMLInputElement;
  field.value = folder;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await flushPromises();
  onPage("store-folder-confirm").click();
  await flushPromises();
}

it("takes in another store, and says what was done or why not", async () => {
  const wrapper = await page();
  services.refuse("storage.merge", "There is no store in /elsewhere.");
  await click(wrapper, "merge-button");
  await enter("/elsewhere");
  expect(onPage("store-folder-problem").textContent).toContain("There is no store in /elsewhere");
  services.answer("storage.merge", () => ({ remarks: ["Imported 2 runs.", "Run a is running in /other; it was left out."] }));
  await enter("/other");
  expect(services.inputs("storage.merge")).toEqual([{ path: "/elsewhere" }, { path: "/other" }]);
  expect([...document.body.querySelectorAll(".el-notification")].map(({ textContent }) => textContent).join()).toContain("Imported 2 runs. Run a is running in /other; it was left out.");
});

it("has the store moved at the next start", async () => {
  const wrapper = await page();
  services.answer("storage.move", ({ path }) => ({ ...noNotices, move: path === null ? null : { folder: path, problem: null } }));
  await click(wrapper, "move-button");
  expect(document.body.textContent).toContain("The store is open now, so it moves at the next start");
  await enter("/data/new");
  expect(services.inputs("storage.move")).toEqual([{ path: "/data/new", removeOld: false }]);
});

it("says why no backup was made", async () => {
  const wrapper = await page();
  services.refuse("storage.backUp", "No backup was made: it needs 90 MB, and only 10 MB are free.");
  await click(wrapper, "backup-button");
  expect(message()).toContain("only 10 MB are free");
});

it("tells on every page of lost steps, a full disk and a restore, until they end", async () => {
  services.answer("app.info", () => ({ version: "1.0.0", host: "desktop", platform: "linux", cpu: "a processor", cores: 8, storePath: "/store", storeDamage: null, storeProblem: null }));
  for (const name of ["datasets.list", "experiments.presets", "studies.presets", "runs.list", "studies.list"] as const) services.answer(name, () => []);
  services.answer("storage.notices", () => ({ ...noNotices, loss: "The store has lost 450 logged steps." }));
  const wrapper = mountPart(App, { stubs: ["SideBar", "ConnectionBanner"] });
  await flushPromises();
  expect(byTestid(wrapper, "notice-loss").text()).toContain("450 logged steps");
  services.answer("storage.acknowledgeLoss", () => noNotices);
  await click(wrapper, "acknowledge-loss");
  expect(hasTestid(wrapper, "notice-loss")).toBe(false);
  services.emit("storage.noticed", { ...noNotices, space: "Only 1 GB is free.", restore: aBackup().name, backup: "No space." });
  await flushPromises();
  expect(onPage("notice-space").textContent).toContain("Only 1 GB is free.");
  expect(hasTestid(wrapper, "notice-backup")).toBe(true);
  services.answer("storage.restore", () => noNotices);
  await click(wrapper, "cancel-restore");
  expect(services.inputs("storage.restore")).toEqual([{ backup: null }]);
  expect(hasTestid(wrapper, "notice-restore")).toBe(false);
});
