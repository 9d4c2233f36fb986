import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";
import ImportButton from "@/components/report/ImportButton.vue";
import StudiesPage from "@/pages/StudiesPage.vue";
import { useDraft } from "@/stores/draft.ts";
import { useStudies } from "@/stores/studies.ts";
import { useStudyDraft } from "@/stores/studyDraft.ts";
import { encodeLink } from "@shared/sharing.ts";
import type { StudySummary } from "@shared/study/result.ts";
import { makeStudy, stepSizeStudy } from "../../../support/studyPoints.ts";
import { byTestid, choose, click, emptyRouter, hasTestid, mountPart, onPage, services, type } from "./support.ts";

const studyOf = (id: string, changes: Partial<StudySummary> = {}): StudySummary => ({
  id, name: id, status: "finished", reason: null, study: stepSizeStudy([-2, -1], [0, 1], [0]), createdAt: 1, startedAt: 1, finishedAt: 61_001, trained: { milliseconds: 60_000, from: "clock" }, runningSince: null, total: 4,
  finished: 4, diverged: 0, failed: 0, pruned: 0, skipped: 0, running: 0, millisecondsLeft: null, deletedAt: null, ...changes,
});

async function page(studies: StudySummary[], { binned = [], path = "/studies" }: { binned?: StudySummary[]; path?: string } = {}) {
  services.answer("studies.list", ({ deleted }) => (deleted ? binned : studies));
  services.answer("runs.list", () => []);
  const router = emptyRouter();
  await router.push(path);
  const wrapper = mountPart(StudiesPage, { router });
  await useStudies().load();
  await flushPromises();
  return { wrapper, router, ids: () => wrapper.findAll('[data-testid^="study-row-"]').map((row) => row.attributes("data-testid")!.slice("study-row-".length)) };
}
type Page = Awaited<ReturnType<typeof page>>["wrapper"];
const select = (wrapper: Page, id: string) => wrapper.get(`[data-testid="select-${id}"] input, input[data-testid="select-${id}"]`).setValue(true).then(flushPromises);
const disabled = (wrapper: Page, testid: string) => byTestid(wrapper, testid).attributes("disabled") !== undefined;

it("lists studies with what became of their runs", async () => {
  const { wrapper } = await page([studyOf("a", { finished: 2, diverged: 1, failed: 1 }), studyOf("b", { status: "interrupted", reason: "the workbench was closed" })]);
  expect(byTestid(wrapper, "study-row-a").text()).toContain("2 of 4 finished, 1 diverged, 1 failed");
  expect(byTestid(wrapper, "study-row-a").text()).toContain("trained for 1 min");
  expect(byTestid(wrapper, "study-row-b").get("[data-status=interrupted]").attributes("title")).toBe("The workbench was closed.");
});

it("filters them by words and status", async () => {
  const { wrapper, ids } = await page([studyOf("wide"), studyOf("tall", { status: "running" })]);
  await type(wrapper, "study-filter", "wid");
  expect(ids()).toEqual(["wide"]);
  await type(wrapper, "study-filter", "");
  await choose(wrapper, "study-status", "Running");
  expect(ids()).toEqual(["tall"]);
});

it("moves a study to the bin with its runs, and offers to take that back", async () => {
  const { wrapper, ids } = await page([studyOf("a"), studyOf("b", { status: "paused" })]);
  services.answer("studies.delete", () => [studyOf("a", { deletedAt: 5 })]);
  services.answer("studies.restore", () => [studyOf("a")]);
  await select(wrapper, "a");
  await click(wrapper, "delete-button");
  expect(services.inputs("studies.delete")).toEqual([{ studies: ["a"], withRuns: true }]);
  expect(ids()).toEqual(["b"]);
  onPage("undo-button").click();
  await flushPromises();
  expect(ids().sort()).toEqual(["a", "b"]);
  await select(wrapper, "b");
  expect(disabled(wrapper, "delete-button")).toBe(true);
});

it("shows two studies or more side by side", async () => {
  const { wrapper, router } = await page([studyOf("a"), studyOf("b")]);
  await select(wrapper, "a");
  expect(disabled(wrapper, "compare-button")).toBe(true);
  await select(wrapper, "b");
  await click(wrapper, "compare-button");
  expect(router.currentRoute.value.fullPath).toMatch(/^\/studies\/[ab]\?beside=[ab]$/);
});

it("renames a study in a dialog, never to nothing", async () => {
  const { wrapper } = await page([studyOf("a")]);
  services.answer("studies.rename", ({ name }) => studyOf("a", { name }));
  const write = async (name: string) => {
    await click(wrapper, "rename-a");
    const box = [...document.body.querySelectorAll<HTMLElement>(".el-message-box")].at(-1)!;
    const input = box.querySelector("input")!;
    input.value = name;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await flushPromises();
    [...box.querySelectorAll<HTMLElement>("button")].find(({ textContent }) => textContent.trim() === "Rename")!.click();
    await flushPromises();
    return box;
  };
  const refused = await write("  ");
  expect(refused.textContent).toMatch(/1 to 200 characters/);
  expect(services.inputs("studies.rename")).toEqual([]);
  refused.querySelector<HTMLElement>(".el-message-box__headerbtn")!.click();
  await flushPromises();
  await write(" better ");
  expect(services.inputs("studies.rename")).toEqual([{ study: "a", name: "better" }]);
});

it("introduces studies where there are none, and says where the bin is empty", async () => {
  const { wrapper, router } = await page([]);
  expect(hasTestid(wrapper, "history-filter")).toBe(false);
  await click(wrapper, "first-study");
  expect(router.currentRoute.value.path).toBe("/studies/new");
  const bin = await page([], { path: "/studies?bin" });
  expect(byTestid(bin.wrapper, "empty-state").text()).toContain("bin is empty");
});

async function importing() {
  const router = emptyRouter();
  await router.push("/studies");
  const wrapper = mountPart(ImportButton, { router });
  await click(wrapper, "import-button");
  const paste = async (text: string) => {
    const area = onPage("import-text");
    const field = area.matches("textarea") ? (area as HTMLTextAreaElement) : area.querySelector("textarea")!;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await flushPromises();
    onPage("import-confirm").click();
    await flushPromises();
  };
  const problem = () => document.body.querySelector('[data-testid="import-problem"]')?.textContent ?? null;
  return { router, paste, problem };
}

it("takes in a link or the JSON of an experiment, and offers the draft back", async () => {
  const { router, paste, problem } = await importing();
  await paste(JSON.stringify({ seed: 4321 }));
  expect(problem()).toBeNull();
  expect(router.currentRoute.value.path).toBe("/");
  expect(useDraft().draft.seed).toBe(4321);
  onPage("undo-button").click();
  await flushPromises();
  expect(useDraft().draft.seed).not.toBe(4321);
});

it("opens the form of a study by its link", async () => {
  const { router, paste } = await importing();
  await paste(encodeLink({ kind: "study", value: makeStudy({ seeds: [5, 6, 7] }) }));
  expect(router.currentRoute.value.path).toBe("/studies/new");
  expect(useStudyDraft().draft.seeds.list).toBe("5, 6, 7");
});

it.each([
  ["a link that is cut off", encodeLink({ kind: "study", value: makeStudy({}) }).slice(0, 30), /damaged or incomplete/],
  ["what is no JSON", "hello", /.+/],
  ["an experiment that is not valid here", JSON.stringify({ seed: -1 }), /seed/],
])("refuses %s, and changes nothing", async (_, text, message) => {
  const { router, paste, problem } = await importing();
  const before = JSON.stringify(useDraft().draft);
  await paste(text);
  expect(problem()).toMatch(message);
  expect(JSON.stringify(useDraft().draft)).toBe(before);
  expect(router.currentRoute.value.path).toBe("/studies");
});

it("refuses a file that is too long without reading it", async () => {
  const { problem } = await importing();
  const file = new File([], "weights.json");
  Object.defineProperty(file, "size", { value: 33 * 2 ** 20 });
  const text = vi.spyOn(file, "text");
  Object.defineProperty(onPage("import-file"), "files", { value: [file], configurable: true });
  onPage("import-file").dispatchEvent(new Event("change", { bubbles: true }));
  await flushPromises();
  expect(problem()).toContain("weights.json is 33 MiB long");
  expect(text).not.toHaveBeenCalled();
});
