import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import RunHeader from "@/components/run/RunHeader.vue";
import { isActive, isResumable, runStatuses, type RunSummary } from "@shared/run.ts";
import { byTestid, click, deferred, emptyRouter, hasTestid, mountPart, onPage, services } from "./support.ts";
import { runOf } from "./samples.ts";

async function header(changes: Partial<RunSummary> = {}, input: Parameters<typeof runOf>[2] = {}) {
  if (!hasAnswer) services.answer("runs.resumption", () => ({ step: 40, problem: null }) as never);
  const router = emptyRouter();
  await router.push("/runs/a");
  const wrapper = mountPart(RunHeader, { props: { run: runOf("a", changes, input) }, router });
  await flushPromises();
  return { wrapper, router };
}
let hasAnswer = false;
const message = () => document.body.querySelector(".el-notification")?.textContent ?? null;

it.each(runStatuses)("offers what can be done with a run that is %s", async (status) => {
  const { wrapper } = await header({ status });
  expect(hasTestid(wrapper, "pause-button")).toBe(isActive(status) && status !== "paused");
  expect(hasTestid(wrapper, "resume-button")).toBe(status === "paused");
  expect(hasTestid(wrapper, "stop-button")).toBe(isActive(status));
  expect(hasTestid(wrapper, "resume-ended-button")).toBe(isResumable(status));
  expect(byTestid(wrapper, "delete-run-button").attributes("disabled") !== undefined).toBe(isActive(status));
});

it("leaves a run alone that another process trains, and says so", async () => {
  const { wrapper } = await header({ status: "running", elsewhere: true });
  expect(byTestid(wrapper, "run-elsewhere").text()).toMatch(/another Hypertower process/);
  for (const button of ["pause-button", "resume-button", "stop-button", "resume-ended-button"]) expect(hasTestid(wrapper, button), button).toBe(false);
});

it("pauses once, and says why where it cannot", async () => {
  const { wrapper } = await header({ status: "running" });
  const paused = deferred<RunSummary>();
  services.answer("runs.pause", () => paused.promise);
  await click(wrapper, "pause-button");
  await click(wrapper, "pause-button");
  expect(services.inputs("runs.pause")).toEqual([{ run: "a" }]);
  expect(byTestid(wrapper, "stop-button").attributes("disabled")).toBeDefined();
  paused.resolve(runOf("a", { status: "paused" }));
  await flushPromises();
  services.refuse("runs.stop", "the trainer does not answer");
  await click(wrapper, "stop-button");
  expect(message()).toContain("the trainer does not answer");
  expect(byTestid(wrapper, "stop-button").attributes("disabled")).toBeUndefined();
});

it("resumes where its checkpoint is, or begins again where there is none", async () => {
  const first = await header({ status: "stopped" });
  services.answer("runs.resume", () => runOf("a", { status: "running" }));
  await click(first.wrapper, "resume-ended-button");
  expect(services.inputs("runs.resume")).toEqual([{ run: "a", fromStart: false }]);

  hasAnswer = true;
  services.answer("runs.resumption", () => ({ step: 0, problem: "Its checkpoint is damaged." }) as never);
  const second = await header({ status: "stopped" });
  expect(byTestid(second.wrapper, "resume-ended-button").text()).toBe("Restart");
  await click(second.wrapper, "resume-ended-button");
  expect(services.inputs("runs.resume").at(-1)).toEqual({ run: "a", fromStart: true });
  hasAnswer = false;
});

it("renames by Enter, not by Escape, and to nothing never", async () => {
  const { wrapper } = await header();
  services.answer("runs.rename", ({ name }) => runOf("a", { name }));
  const rename = async (name: string, key: string) => {
    await click(wrapper, "rename-button");
    const input = byTestid(wrapper, "rename-input");
    await input.setValue(name);
    await input.trigger("keydown", { key });
    await flushPromises();
    expect(hasTestid(wrapper, "rename-input")).toBe(false);
  };
  await rename("given up", "Escape");
  await rename("  ", "Enter");
  await rename("a", "Enter");
  expect(services.inputs("runs.rename")).toEqual([]);
  await rename(" better ", "Enter");
  expect(services.inputs("runs.rename")).toEqual([{ run: "a", name: "better" }]);
});

it("moves a run to the bin, goes to the list, and takes that back", async () => {
  const { wrapper, router } = await header();
  services.answer("runs.delete", () => [runOf("a", { deletedAt: 1 })]);
  services.answer("runs.restore", () => [runOf("a")]);
  await click(wrapper, "delete-run-button");
  expect(router.currentRoute.value.path).toBe("/runs");
  onPage("undo-button").click();
  await flushPromises();
  expect(services.inputs("runs.restore")).toEqual([{ runs: ["a"] }]);
});

it("stays where a run cannot be deleted", async () => {
  const { wrapper, router } = await header();
  services.refuse("runs.delete", "the store is read-only");
  await click(wrapper, "delete-run-button");
  expect(message()).toContain("the store is read-only");
  expect(router.currentRoute.value.path).toBe("/runs/a");
});

it("restores a run from the bin, and resumes none that lies there", async () => {
  const { wrapper } = await header({ status: "stopped", deletedAt: 5 });
  expect(hasTestid(wrapper, "resume-ended-button")).toBe(false);
  services.answer("runs.restore", () => [runOf("a")]);
  await click(wrapper, "restore-button");
  expect(services.inputs("runs.restore")).toEqual([{ runs: ["a"] }]);
});

it("trains again at what a tower learned, once it has finished", async () => {
  const tower = [{ optimizer: "sgd", alpha: 0.01 }, { optimizer: "sgd" }] as const;
  const without = await header({}, { tower: [tower[0]] });
  expect(hasTestid(without.wrapper, "rerun-button")).toBe(false);
  const stopped = await header({ status: "stopped" }, { tower: [...tower] });
  expect(byTestid(stopped.wrapper, "rerun-button").attributes("disabled")).toBeDefined();
  const { wrapper, router } = await header({ hyperparameters: [{ level: 0, name: "alpha", metric: "L0.alpha", initial: 0.01, value: 0.25 }] as never }, { tower: [...tower] });
  services.answer("runs.start", () => runOf("again"));
  await click(wrapper, "rerun-button");
  expect(services.inputs("runs.start")).toMatchObject([{ experiment: { tower: [{ optimizer: "sgd", alpha: 0.25 }] } }]);
  expect(router.currentRoute.value.path).toBe("/runs/again");
});
