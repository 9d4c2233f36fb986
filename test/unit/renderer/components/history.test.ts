import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { beforeEach, expect, it } from "vitest";
import HistoryPage from "@/pages/HistoryPage.vue";
import { statusLabels } from "@/lib/format.ts";
import { useRuns } from "@/stores/runs.ts";
import { listedOf } from "@shared/listedRun.ts";
import { runStatuses, type RunSummary } from "@shared/run.ts";
import { runsPerPage } from "@shared/runPages.ts";
import { byTestid, choose, click, emptyRouter, hasTestid, layOut, mountPart, onPage, services, type } from "./support.ts";
import { runOf } from "./samples.ts";

beforeEach(() => layOut(1200, 600));

/** Answers lists a part at a time, newest first, as the services do. */
function store(runs: readonly RunSummary[], binned: readonly RunSummary[] = []): void {
  services.answer("runs.list", ({ deleted, limit = 1e9, before }) => {
    const sorted = [...(deleted ? binned : runs)].sort((a, b) => b.createdAt - a.createdAt);
    const from = before ? sorted.findIndex(({ id }) => id === before.id) + 1 : 0;
    return sorted.slice(from, from + limit).map(listedOf);
  });
}

async function page(runs: readonly RunSummary[], { binned = [], path = "/runs" }: { binned?: readonly RunSummary[]; path?: string } = {}) {
  store(runs, binned);
  const router = emptyRouter();
  await router.push(path);
  const wrapper = mountPart(HistoryPage, { router });
  await useRuns().load();
  await flushPromises();
  return { wrapper, router };
}

const rows = (wrapper: VueWrapper) => wrapper.findAll('[data-testid^="run-row-"]').map((row) => row.attributes("data-testid")!.slice("run-row-".length));
const disabled = (wrapper: VueWrapper, testid: string) => byTestid(wrapper, testid).attributes("disabled") !== undefined;
const select = (wrapper: VueWrapper, testid: string) => wrapper.get(`[data-testid="${testid}"] input, input[data-testid="${testid}"]`).setValue(true).then(flushPromises);
const sortBy = async (wrapper: VueWrapper, title: string) => {
  await wrapper.findAll(".el-table-v2__header-cell").find((cell) => cell.text() === title)!.trigger("click");
  await flushPromises();
};

const three = () => [
  runOf("a", { createdAt: 1, testError: 5, loss: 0.2 }, { seed: 30 }),
  runOf("b", { createdAt: 2, testError: 3, loss: null }, { seed: 10, tower: [{ optimizer: "rmsProp" }] }),
  runOf("c", { createdAt: 3, testError: 9, loss: 0.1 }, { seed: 20 }),
];

it("shows the newest first, and sorts by any column, what has no value last", async () => {
  const { wrapper } = await page(three());
  expect(rows(wrapper)).toEqual(["c", "b", "a"]);
  await sortBy(wrapper, "Seed");
  expect(rows(wrapper)).toEqual(["b", "c", "a"]);
  await sortBy(wrapper, "Seed");
  expect(rows(wrapper)).toEqual(["a", "c", "b"]);
  await sortBy(wrapper, "Loss");
  expect(rows(wrapper)).toEqual(["c", "a", "b"]);
  await sortBy(wrapper, "Loss");
  expect(rows(wrapper)).toEqual(["a", "c", "b"]);
  await sortBy(wrapper, "Steps");
  await sortBy(wrapper, "Seed");
  // Another column begins ascending, whatever the order by the one before.
  expect(rows(wrapper)).toEqual(["b", "c", "a"]);
});

it("keeps the order over visits", async () => {
  const first = await page(three());
  await sortBy(first.wrapper, "Result");
  expect(rows(first.wrapper)).toEqual(["b", "a", "c"]);
  first.wrapper.unmount();
  expect(rows((await page(three())).wrapper)).toEqual(["b", "a", "c"]);
});

it("filters by every word and by status, and says how many fit", async () => {
  const { wrapper } = await page([...three(), runOf("d", { status: "running", createdAt: 4 })]);
  expect(byTestid(wrapper, "history-count").text()).toBe("4 runs");
  await type(wrapper, "history-filter", "rmsprop seed");
  expect(rows(wrapper)).toEqual(["b"]);
  expect(byTestid(wrapper, "history-count").text()).toBe("1 of 4 runs");
  await type(wrapper, "history-filter", "");
  await choose(wrapper, "history-status", "Active");
  expect(rows(wrapper)).toEqual(["d"]);
  await choose(wrapper, "history-status", "Diverged");
  expect(byTestid(wrapper, "empty-state").text()).toContain("No run matches");
  await byTestid(wrapper, "empty-state").get("button").trigger("click");
  expect(rows(wrapper)).toEqual(["d", "c", "b", "a"]);
});

it.each(runStatuses)("shows that a run is %s, and why", async (status) => {
  const { wrapper } = await page([runOf("a", { status, reason: "the loss is not finite" })]);
  const tag = byTestid(wrapper, "run-status");
  expect(tag.text()).toBe(statusLabels[status]);
  expect(tag.attributes("title")).toBe("The loss is not finite.");
});

it("draws a screenful of thousands, which come a part at a time", async () => {
  const { wrapper } = await page(Array.from({ length: 2 * runsPerPage + 5 }, (_, i) => runOf(`run-${i}`, { createdAt: i })));
  expect(services.inputs("runs.list").filter(({ deleted }) => !deleted)).toHaveLength(3);
  expect(byTestid(wrapper, "history-count").text()).toBe(`${(2 * runsPerPage + 5).toLocaleString("en")} runs`);
  expect(rows(wrapper)[0]).toBe(`run-${2 * runsPerPage + 4}`);
  expect(rows(wrapper).length).toBeGreaterThan(5);
  expect(rows(wrapper).length).toBeLessThan(60);
});

it("compares two runs or more", async () => {
  const { wrapper, router } = await page(three());
  await select(wrapper, "select-a");
  expect(disabled(wrapper, "compare-button")).toBe(true);
  await select(wrapper, "select-c");
  await click(wrapper, "compare-button");
  expect(router.currentRoute.value.path).toBe("/compare");
  expect(router.currentRoute.value.query["runs"]).toBe("c,a");
});

it("acts only upon what is selected and shown", async () => {
  const { wrapper } = await page(three());
  await select(wrapper, "select-all");
  await type(wrapper, "history-filter", "rmsprop");
  services.answer("runs.delete", ({ runs }) => runs.map((id) => ({ ...three().find((run) => run.id === id)!, deletedAt: 5 })));
  await click(wrapper, "delete-button");
  expect(services.inputs("runs.delete")).toEqual([{ runs: ["b"] }]);
});

it("moves runs to the bin, and offers to take that back", async () => {
  const { wrapper } = await page(three());
  await select(wrapper, "select-a");
  services.answer("runs.delete", () => [{ ...three()[0]!, deletedAt: 5 }]);
  services.answer("runs.restore", () => [three()[0]!]);
  await click(wrapper, "delete-button");
  expect(rows(wrapper)).toEqual(["c", "b"]);
  expect(byTestid(wrapper, "bin-toggle").text()).toMatch(/Bin.*1/);
  onPage("undo-button").click();
  await flushPromises();
  expect(services.inputs("runs.restore")).toEqual([{ runs: ["a"] }]);
  expect(rows(wrapper)).toEqual(["c", "b", "a"]);
});

it("keeps runs and selection where deleting fails, and says why", async () => {
  const { wrapper } = await page(three());
  await select(wrapper, "select-a");
  services.refuse("runs.delete", "the disk is full");
  await click(wrapper, "delete-button");
  expect(document.body.querySelector(".el-notification")?.textContent).toContain("the disk is full");
  expect(rows(wrapper)).toEqual(["c", "b", "a"]);
  expect(disabled(wrapper, "delete-button")).toBe(false);
});

it("deletes no run that trains", async () => {
  const { wrapper } = await page([runOf("a"), runOf("b", { status: "running" })]);
  await select(wrapper, "select-b");
  expect(disabled(wrapper, "delete-button")).toBe(true);
  expect(byTestid(wrapper, "delete-button").attributes("title")).toMatch(/Stop active runs/);
});

it("shows the bin, restores from it, and forgets what was selected outside", async () => {
  const { wrapper, router } = await page(three(), { binned: [runOf("z", { deletedAt: 9 })] });
  await select(wrapper, "select-all");
  await click(wrapper, "bin-toggle");
  expect(rows(wrapper)).toEqual(["z"]);
  expect(disabled(wrapper, "restore-button")).toBe(true);
  expect(hasTestid(wrapper, "delete-button")).toBe(false);
  services.answer("runs.restore", () => [runOf("z", { createdAt: 9 })]);
  await select(wrapper, "select-z");
  await click(wrapper, "restore-button");
  expect(byTestid(wrapper, "empty-state").text()).toContain("bin is empty");
  await router.push("/runs");
  await flushPromises();
  expect(rows(wrapper)).toEqual(["z", "c", "b", "a"]);
});

it("hides runs of studies until they are asked for", async () => {
  const { wrapper } = await page([runOf("a"), runOf("s", { study: "study", createdAt: 2_000 })]);
  expect(rows(wrapper)).toEqual(["a"]);
  await click(wrapper, "study-runs-toggle");
  expect(rows(wrapper)).toEqual(["s", "a"]);
});

it("says where no run is", async () => {
  const { wrapper, router } = await page([]);
  expect(byTestid(wrapper, "empty-state").text()).toContain("No runs yet");
  await byTestid(wrapper, "empty-state").get("button").trigger("click");
  await flushPromises();
  expect(router.currentRoute.value.path).toBe("/");
  const ofStudies = await page([runOf("s", { study: "study" })]);
  expect(byTestid(ofStudies.wrapper, "empty-state").text()).toContain("1 run here belong");
});

it("opens a run by a click on its row, but not on its box", async () => {
  const { wrapper, router } = await page(three());
  await select(wrapper, "select-b");
  expect(router.currentRoute.value.path).toBe("/runs");
  await byTestid(wrapper, "run-row-b").trigger("click");
  await flushPromises();
  expect(router.currentRoute.value.path).toBe("/runs/b");
});
