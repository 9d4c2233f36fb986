/** The pages of results: one run, one study, a comparison. Charts are left out: they have tests of their own. */
import { flushPromises } from "@vue/test-utils";
import { beforeEach, expect, it, vi } from "vitest";
import ComparePage from "@/pages/ComparePage.vue";
import RunPage from "@/pages/RunPage.vue";
import StudyPage from "@/pages/StudyPage.vue";
import { useRuns } from "@/stores/runs.ts";
import { useStudies } from "@/stores/studies.ts";
import { listedOf } from "@shared/listedRun.ts";
import type { RunDetail, RunSummary } from "@shared/run.ts";
import type { StudyDetail, StudyPoint } from "@shared/study/result.ts";
import { makePoints, stepSizeStudy } from "../../../support/studyPoints.ts";
import { byTestid, deferred, emptyRouter, hasTestid, layOut, mountPart, services } from "./support.ts";
import { runOf } from "./samples.ts";

const stubs = ["LineChart", "StudyChart", "PredictionsPanel", "ParallelPanel"];

beforeEach(() => {
  layOut(1200, 700);
  services.answer("series.read", () => [] as never);
});

const detailOf = (run: RunSummary, changes: Partial<RunDetail> = {}): RunDetail => ({ ...run, environment: null, metrics: ["loss"], evaluations: [], events: [], ...changes });

async function runPage(detail: RunDetail) {
  services.answer("runs.get", () => detail);
  services.answer("runs.resumption", () => null);
  const wrapper = mountPart(RunPage, { props: { id: detail.id }, stubs });
  await flushPromises();
  return wrapper;
}

it("shows a run's curves of its learned levels first", async () => {
  const wrapper = await runPage(detailOf(runOf("a", {}, { tower: [{ optimizer: "adam" }, { optimizer: "sgd", alpha: 1e-4 }] })));
  expect(document.title).toBe("a · Hypertower");
  expect(services.inputs("series.read").flatMap(({ metrics }) => metrics ?? [])).toContain("loss");
  expect(wrapper.get("h1, [data-testid='run-title']").text()).toContain("a");
  expect(hasTestid(wrapper, "run-thinned")).toBe(false);
});

it("shows what is in force of a scheduled hyperparameter", async () => {
  const run = runOf("a", {}, { tower: [{ optimizer: "sgd", alpha: 0.1, schedules: { alpha: "cosine" } }] });
  const hyperparameters = [
    { level: 0, name: "alpha", metric: "L0.alpha", initial: 0.1, value: 0.1 },
    { level: 0, name: "alpha.inForce", metric: "L0.alpha.inForce", initial: 0.1, value: 0.025 },
  ];
  const wrapper = await runPage(detailOf({ ...run, hyperparameters }));
  expect(services.inputs("series.read").flatMap(({ metrics }) => metrics ?? [])).toEqual(expect.arrayContaining(["L0.alpha", "L0.alpha.inForce"]));
  expect(wrapper.find('[testid="chart-L0.alpha.inForce"]').attributes("title")).toBe("α in force");
  expect(byTestid(wrapper, "value-0-α").text()).toBe("0.025");
  expect(byTestid(wrapper, "tower-values").text()).toContain("scheduled");
});

it("says what was erased of a thinned run, and that a run lies in the bin", async () => {
  const wrapper = await runPage(detailOf(runOf("a", { deletedAt: 5, thinned: { at: 1_700_000_000_000, width: 50 } as never })));
  expect(byTestid(wrapper, "run-thinned").text()).toMatch(/kept in buckets of 50 steps/);
  expect(wrapper.text()).toContain("This run is in the bin");
});

it("never goes back to what a reply said that was asked for before a newer event", async () => {
  const run = (status: RunSummary["status"]) => detailOf(runOf("a", { status }));
  const wrapper = await runPage(run("running"));
  const late = deferred<RunDetail>();
  services.answer("runs.get", () => late.promise);
  services.emit("run.changed", runOf("a", { status: "paused" }));
  await flushPromises();
  services.answer("runs.get", () => new Promise(() => undefined));
  services.emit("run.changed", runOf("a", { status: "failed" }));
  late.resolve(run("paused"));
  await flushPromises();
  expect(byTestid(wrapper, "run-status").text()).toMatch(/failed/i);
});

it("says which run cannot be shown, and offers the others", async () => {
  services.refuse("runs.get", "there is no run x");
  const wrapper = mountPart(RunPage, { props: { id: "x" }, stubs });
  await flushPromises();
  expect(wrapper.text()).toContain("there is no run x");
  expect(wrapper.get("a").attributes("href")).toBe("/runs");
});

const study = stepSizeStudy([-3, -2, -1], [0, 1], [0, 1, 2]);

function studyDetail(points: StudyPoint[], changes: Partial<StudyDetail> = {}): StudyDetail {
  const count = (status: StudyPoint["status"]) => points.filter((point) => point.status === status).length;
  return {
    id: "s", name: "step sizes", status: "finished", reason: null, study, createdAt: 0, startedAt: 0, finishedAt: 1_000, trained: { milliseconds: 1_000, from: "clock" }, runningSince: null,
    total: points.length, finished: count("finished"), diverged: count("diverged"), failed: count("failed"), pruned: 0, skipped: 0, deletedAt: null, points, ...changes,
  } as unknown as StudyDetail;
}

async function studyPage(detail: StudyDetail) {
  services.answer("studies.get", () => detail);
  useStudies().keep(detail);
  const router = emptyRouter();
  await router.push("/studies/s");
  const wrapper = mountPart(StudyPage, { props: { id: "s" }, router, stubs });
  await flushPromises();
  // The analysis waits until the page is drawn.
  vi.runOnlyPendingTimers();
  await flushPromises();
  return wrapper;
}
const falling = () => makePoints(study, (height, [alpha]) => ({ error: (height === 0 ? 3 : 1) * -Math.log10(alpha!) }));

it("gives the numbers of every height, with what their intervals are over", async () => {
  const wrapper = await studyPage(studyDetail(falling()));
  expect(document.title).toBe("step sizes · Hypertower");
  const rows = byTestid(wrapper, "numbers-table").findAll("tbody tr");
  expect(rows).toHaveLength(2);
  expect(wrapper.text()).toContain("Diverged and exploded runs count as the worst");
});

it("withholds times that the runs of one program share, and says why", async () => {
  const heads = async (detail: StudyDetail) => {
    const wrapper = await studyPage(detail);
    return [byTestid(wrapper, "numbers-table").text().includes("Time per step"), wrapper.text().includes("Heights are not compared by time, because up to 4 runs")];
  };
  expect(await heads(studyDetail(falling()))).toEqual([true, false]);
  expect(await heads(studyDetail(falling(), { study: { ...study, cohort: 4 } }))).toEqual([false, true]);
});

it("says why a study stopped, and how many of its runs lie in the bin", async () => {
  const points = falling().map((point, i): StudyPoint => (i === 0 ? { ...point, run: null, status: "missing" } : point));
  const wrapper = await studyPage(studyDetail(points, { status: "paused", reason: "the disk is full" }));
  expect(byTestid(wrapper, "study-reason").text()).toContain("The disk is full");
  expect(wrapper.text()).toContain("1 run of this study is in the bin and left out");
});

async function comparePage(runs: readonly RunSummary[], query: Record<string, string>) {
  services.answer("runs.list", () => runs.map(listedOf));
  services.answer("runs.get", ({ run }) => detailOf(runs.find(({ id }) => id === run)!, { evaluations: [{ step: 1, epoch: 1, trainLoss: null, testLoss: null, testError: runs.find(({ id }) => id === run)!.testError }] }));
  await useRuns().load();
  const router = emptyRouter();
  await router.push({ path: "/compare", query });
  const wrapper = mountPart(ComparePage, { router, stubs });
  await flushPromises();
  return { wrapper, router };
}
const three = () => [runOf("a", { testError: 4 }, { seed: 0 }), runOf("b", { testError: 6 }, { seed: 1 }), runOf("c", { testError: 9 }, { tower: [{ optimizer: "sgd" }] })];

it("keeps what is compared in the address: runs, the baseline, the grouping", async () => {
  const { wrapper, router } = await comparePage(three(), { runs: "a,b,c" });
  const errors = () => wrapper.get('[data-field="testError"]').findAll("td").map((cell) => cell.text());
  expect(errors().join()).toContain("4.00 %");
  await byTestid(wrapper, "compare-group").get("input").trigger("click");
  await flushPromises();
  expect(router.currentRoute.value.query).toEqual({ runs: "a,b,c", group: "seed" });
  expect(errors().join()).toContain("5.00 ± 1.00 %");
});

it("names runs that the store does not have, and shows the others", async () => {
  const { wrapper } = await comparePage(three(), { runs: "a,gone,c" });
  expect(wrapper.text()).toContain("Not in the store: gone");
});

it("leads to the runs where there is nothing to compare yet", async () => {
  const { wrapper, router } = await comparePage(three(), {});
  expect(wrapper.text()).toContain("Nothing to compare yet");
  await wrapper.findAll("button").find((button) => button.text() === "Choose runs")!.trigger("click");
  await flushPromises();
  expect(router.currentRoute.value.path).toBe("/runs");
});
