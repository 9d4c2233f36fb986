import { flushPromises } from "@vue/test-utils";
import { beforeEach, expect, it } from "vitest";
import HistoryPage from "@/pages/HistoryPage.vue";
import RunHeader from "@/components/run/RunHeader.vue";
import { filterRuns } from "@/lib/runTable.ts";
import { readTagChange } from "@/lib/tagWords.ts";
import { useRuns } from "@/stores/runs.ts";
import { listedOf } from "@shared/listedRun.ts";
import { byTestid, choose, click, emptyRouter, hasTestid, layOut, mountPart, services, type } from "./support.ts";
import { runOf } from "./samples.ts";

beforeEach(() => layOut(1400, 600));

it("tags of a run are shown on its page, added and removed", async () => {
  const wrapper = mountPart(RunHeader, { props: { run: runOf("a", { tags: ["paper"] }) } });
  await flushPromises();
  expect(byTestid(wrapper, "tag-paper").text()).toBe("paper");
  services.answer("runs.tag", ({ add, remove }) => [runOf("a", { tags: [...(add ?? []), ...(remove ?? [])] })]);
  await byTestid(wrapper, "tag-paper").get(".el-tag__close").trigger("click");
  await click(wrapper, "add-tag");
  await type(wrapper, "tag-input", "-no");
  await byTestid(wrapper, "tag-input").trigger("keydown", { key: "Enter" });
  expect(byTestid(wrapper, "tag-problem").text()).toContain("-no is not a tag: letters, digits");
  await type(wrapper, "tag-input", "draft, v2 paper");
  await byTestid(wrapper, "tag-input").trigger("keydown", { key: "Enter" });
  await flushPromises();
  expect(services.inputs("runs.tag")).toEqual([{ runs: ["a"], add: [], remove: ["paper"] }, { runs: ["a"], add: ["draft", "v2"], remove: [] }]);
  expect(hasTestid(wrapper, "tag-input")).toBe(false);
});

it("the list of runs shows tags, filters by one, and changes those of a selection", async () => {
  const all = [runOf("a", { createdAt: 1, tags: ["paper", "x"] }), runOf("b", { createdAt: 2 }), runOf("c", { createdAt: 3, tags: ["paper"] })];
  services.answer("runs.list", ({ deleted }) => (deleted ? [] : [...all].reverse().map(listedOf)));
  const wrapper = mountPart(HistoryPage, { router: emptyRouter() });
  await useRuns().load();
  await flushPromises();
  const rows = () => wrapper.findAll('[data-testid^="run-row-"]').map((row) => row.attributes("data-testid")!.slice("run-row-".length));
  expect(wrapper.text()).toContain("paper, x");
  expect(byTestid(wrapper, "history-tag").text()).toContain("Any tag");
  await choose(wrapper, "history-tag", "paper");
  expect(rows()).toEqual(["c", "a"]);
  await wrapper.get('[data-testid="select-a"] input, input[data-testid="select-a"]').setValue(true);
  await flushPromises();
  services.answer("runs.tag", () => [runOf("a", { createdAt: 1, tags: ["new"] })]);
  await click(wrapper, "tag-button");
  const box = document.body.querySelector(".el-message-box")!;
  const input = box.querySelector("input")!;
  input.value = "new -paper";
  input.dispatchEvent(new Event("input"));
  await flushPromises();
  box.querySelector<HTMLButtonElement>(".el-message-box__btns .el-button--primary")!.click();
  await flushPromises();
  expect(services.inputs("runs.tag")).toEqual([{ runs: ["a"], add: ["new"], remove: ["paper"] }]);
  expect(rows()).toEqual(["c"]);
});

it("lists without tags offer no filter by them", async () => {
  services.answer("runs.list", ({ deleted }) => (deleted ? [] : [listedOf(runOf("a"))]));
  const wrapper = mountPart(HistoryPage, { router: emptyRouter() });
  await useRuns().load();
  await flushPromises();
  expect(hasTestid(wrapper, "history-tag")).toBe(false);
  expect(wrapper.text()).not.toContain("Tags");
});

it("a text finds runs by their tags", () => {
  const runs = [runOf("a", { tags: ["paper"] }), runOf("b")].map(listedOf);
  expect(filterRuns(runs, "pap", "all").map(({ id }) => id)).toEqual(["a"]);
  expect(filterRuns(runs, "", "all", "paper").map(({ id }) => id)).toEqual(["a"]);
});

it("changes of tags are read from words", () => {
  expect(readTagChange(" paper, -draft  v2 ")).toEqual({ add: ["paper", "v2"], remove: ["draft"] });
  expect(readTagChange("a!b")).toContain("a!b is not a tag");
  expect(readTagChange("-")).toContain("- is not a tag");
  expect(readTagChange("  ")).toContain("Write tags to add");
});
