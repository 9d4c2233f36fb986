import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { beforeEach, expect, it } from "vitest";
import PointTable from "@/components/study/PointTable.vue";
import StudyRunTable from "@/components/study/StudyRunTable.vue";
import { studyCurves } from "@shared/study/curves.ts";
import type { StudyMetric } from "@shared/study/metric.ts";
import type { StudyPoint } from "@shared/study/result.ts";
import { makePoint, stepSizeStudy } from "../../../support/studyPoints.ts";
import { byTestid, emptyRouter, layOut, mountPart } from "./support.ts";

const study = stepSizeStudy([-3, -2, -1], [0, 1], [0, 1]);
const metric = { name: "testError", at: "final" } as const;
const at = (height: number, power: number, seed: number, result: Parameters<typeof makePoint>[3], changes: Partial<StudyPoint> = {}): StudyPoint => ({ ...makePoint(height, [10 ** power], seed, result), ...changes });

beforeEach(() => layOut(1100, 600));

const rows = (wrapper: VueWrapper) => wrapper.findAll(".el-table-v2__row").map((row) => row.findAll(".el-table-v2__row-cell").map((cell) => cell.text()));
const column = (wrapper: VueWrapper, index: number) => rows(wrapper).map((cells) => cells[index]);

async function runTable(points: StudyPoint[], measured: StudyMetric = metric) {
  const router = emptyRouter();
  await router.push("/studies/s");
  const wrapper = mountPart(StudyRunTable, { props: { study, points, metric: measured }, router });
  await flushPromises();
  const sortBy = async (title: string) => {
    await wrapper.findAll(".el-table-v2__header-cell").find((cell) => cell.text() === title)!.trigger("click");
    await flushPromises();
  };
  return { wrapper, router, sortBy };
}

const points = () => [
  at(0, -3, 0, { error: 8 }),
  at(0, -2, 1, { error: 3 }),
  at(1, -1, 0, { error: null }),
  at(1, -1, 1, { status: "waiting" }),
];

it("lists every run of a study, the best first, those without a value last", async () => {
  const { wrapper, sortBy } = await runTable(points());
  expect(column(wrapper, 4)).toEqual(["3.00 %", "8.00 %", "–", "–"]);
  await sortBy("α");
  expect(column(wrapper, 2)).toEqual(["0.001", "0.01", "0.1", "0.1"]);
  await sortBy("α");
  expect(column(wrapper, 2)).toEqual(["0.1", "0.1", "0.01", "0.001"]);
});

it("names what became of each, a run that exploded among them", async () => {
  const { wrapper } = await runTable([
    at(0, -3, 0, { status: "finished", evaluations: [{ testError: 88, testLoss: 1e6 }] }),
    at(0, -2, 0, { error: null }),
    at(0, -1, 0, { status: "failed" }, { reason: "the trainer ended by itself" }),
    at(1, -1, 1, { status: "waiting" }),
  ], { name: "testLoss", at: "final" });
  expect(column(wrapper, 0).sort()).toEqual(["Diverged", "Exploded", "Failed", "Waiting"]);
  const titles = wrapper.findAll(".el-table-v2__row .ellipsis").map((cell) => cell.attributes("title"));
  expect(titles).toContain("The trainer ended by itself.");
  expect(titles.some((title) => title?.startsWith("Exploded: not finite"))).toBe(true);
});

it("opens a run by its row, but none that waits", async () => {
  const { wrapper, router } = await runTable(points());
  const waiting = wrapper.findAll(".el-table-v2__row").find((row) => row.text().startsWith("Waiting"))!;
  await waiting.trigger("click");
  await flushPromises();
  expect(router.currentRoute.value.path).toBe("/studies/s");
  expect(waiting.find("a").exists()).toBe(false);
  await byTestid(wrapper, "study-run-run-0-0.01-1").trigger("click");
  await flushPromises();
  expect(router.currentRoute.value.path).toBe("/runs/run-0-0.01-1");
});

async function pointTable(given: StudyPoint[], pointed: readonly string[] = []) {
  const seen: (readonly string[])[] = [];
  const curves = studyCurves(study, given, { metric });
  const wrapper = mountPart(PointTable, { props: { base: study.base, curves, pointed, onPoint: (runs: readonly string[]) => seen.push(runs) } });
  await flushPromises();
  return { wrapper, seen };
}
const many = () => [
  ...[0, 1].flatMap((seed) => [at(0, -3, seed, { error: 8 + 2 * seed }), at(0, -2, seed, { error: 3 })]),
  at(0, -1, 0, { error: 50 }),
  at(0, -1, 1, { error: null }),
];

it("shows a mean and its standard error for every point, by value or the best first", async () => {
  const { wrapper } = await pointTable(many());
  expect(column(wrapper, 2)[0]).toBe("9.00 ± 1.00");
  expect(column(wrapper, 1)).toEqual(["0.001", "0.01", "0.1"]);
  await byTestid(wrapper, "point-order").findAll("input")[1]!.setValue(true);
  await flushPromises();
  expect(column(wrapper, 1)).toEqual(["0.01", "0.001", "0.1"]);
});

it("says what a mean contains, and opens a point to its runs", async () => {
  const { wrapper } = await pointTable(many());
  expect(column(wrapper, 3)[2]).toContain("1 diverged");
  await wrapper.findAll(".el-table-v2__row")[2]!.trigger("click");
  await flushPromises();
  const inner = rows(wrapper).slice(3);
  expect(inner.map((cells) => cells[0])).toEqual(["seed 0", "seed 1"]);
  expect(inner.map((cells) => cells[2])).toEqual(["50.00", "–"]);
  expect(inner[1]![3]).toBe("diverged");
  await wrapper.findAll(".el-table-v2__row")[2]!.trigger("click");
  await flushPromises();
  expect(rows(wrapper)).toHaveLength(3);
});

it("lights the row that the chart's pointer rests on, and tells the chart of its own", async () => {
  const { wrapper, seen } = await pointTable(many(), ["run-0-0.01-1"]);
  expect(wrapper.findAll(".el-table-v2__row").map((row) => row.classes().includes("lit"))).toEqual([false, true, false]);
  await wrapper.findAll(".el-table-v2__row")[0]!.trigger("mouseenter");
  expect(seen.at(-1)).toEqual(["run-0-0.001-0", "run-0-0.001-1"]);
  await wrapper.findAll(".el-table-v2__row")[0]!.trigger("mouseleave");
  expect(seen.at(-1)).toEqual([]);
});
