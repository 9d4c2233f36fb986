import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";
import { nextTick } from "vue";
import App from "@/App.vue";
import EditableTitle from "@/components/common/EditableTitle.vue";
import NumberField from "@/components/form/NumberField.vue";
import ThemeSwitch from "@/components/shell/ThemeSwitch.vue";
import { attempt, notifyError, notifyUndo } from "@/composables/useNotify.ts";
import { RequestError } from "@/transport/client.ts";
import { listedOf } from "@shared/listedRun.ts";
import { byTestid, click, hasTestid, mountForm, mountPart, services, type } from "./support.ts";
import { datasetOf, runOf } from "./samples.ts";

const messages = () => [...document.body.querySelectorAll(".el-notification")].map(({ textContent }) => textContent.trim());

function host(): void {
  services.answer("app.info", () => ({ version: "1.2.3", host: "browser", platform: "linux", cpu: "a processor", cores: 8, storePath: "/store", storeDamage: null, storeProblem: null }));
  services.answer("experiments.presets", () => []);
  services.answer("studies.presets", () => []);
  services.answer("datasets.list", () => [datasetOf("mnist")]);
  services.answer("runs.list", ({ deleted }) => (deleted ? [] : [listedOf(runOf("a", { status: "running", steps: 25, totalSteps: 100 })), listedOf(runOf("b"))]));
  services.answer("studies.list", () => []);
}

it("says what could not be read, and reads it again on request", async () => {
  host();
  services.refuse("studies.list", "the store is locked");
  const wrapper = mountPart(App);
  await flushPromises();
  const alert = () => wrapper.find(".load-error");
  expect(alert().text()).toContain("the store is locked");
  services.answer("studies.list", () => []);
  await alert().get("button").trigger("click");
  await flushPromises();
  expect(alert().exists()).toBe(false);
});

it("says that the store is damaged", async () => {
  host();
  services.answer("app.info", () => ({ version: "1.2.3", host: "browser", platform: "linux", cpu: "a processor", cores: 8, storePath: "/store", storeDamage: "page 7 cannot be read", storeProblem: null }));
  const wrapper = mountPart(App);
  await flushPromises();
  expect(byTestid(wrapper, "store-damage").text()).toContain("page 7 cannot be read");
});

it("shows its license and those of its packages, found by name", async () => {
  host();
  const wrapper = mountPart(App);
  await flushPromises();
  await click(wrapper, "about");
  await vi.waitFor(() => expect(document.querySelector("[data-testid=about-packages]")).not.toBeNull());
  const dialog = document.querySelector<HTMLElement>("[data-testid=about-dialog]")!;
  expect(dialog.textContent).toContain("1.2.3");
  const find = dialog.querySelector<HTMLInputElement>("input")!;
  find.value = "better-sqlite3";
  find.dispatchEvent(new Event("input"));
  await flushPromises();
  expect(dialog.textContent).toContain("1 package");
  dialog.querySelector<HTMLElement>(".el-collapse-item__header")!.click();
  await flushPromises();
  expect(dialog.querySelector("pre")!.textContent).toContain("Permission is hereby granted");
});

it("lists what a file of logs holds before it is saved", async () => {
  host();
  services.answer("logs.describe", () => ({ files: [{ name: "about.json", what: "Version and platform", bytes: 2048 }], path: "/download/logs/logs.zip", filename: "logs.zip" }));
  const wrapper = mountPart(App);
  await flushPromises();
  await click(wrapper, "about");
  const at = (testid: string) => document.querySelector<HTMLElement>(`[data-testid=${testid}]`);
  await vi.waitFor(() => expect(at("logs-describe")).not.toBeNull());
  at("logs-describe")!.click();
  await vi.waitFor(() => expect(at("logs-contents")).not.toBeNull());
  expect(at("logs-contents")!.textContent).toMatch(/Nothing is sent.*about\.json.*2.*kB.*Version and platform/s);
  const saved = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    expect([this.getAttribute("href"), this.download]).toEqual(["/download/logs/logs.zip", "logs.zip"]);
  });
  at("logs-save")!.click();
  await flushPromises();
  expect(saved).toHaveBeenCalledOnce();
  expect(at("logs-contents")).toBeNull();
});

it("shows what trains on every page, and follows it", async () => {
  host();
  const wrapper = mountPart(App);
  await flushPromises();
  expect(byTestid(wrapper, "active-runs").findAll("a").map((link) => [link.attributes("href"), link.attributes("aria-label")])).toEqual([["/runs/a", "a, 25 percent"]]);
  expect(byTestid(wrapper, "nav-runs").text()).toMatch(/2$/);
  services.emit("run.changed", runOf("a", { status: "running", steps: 50, totalSteps: 100 }));
  await vi.advanceTimersByTimeAsync(200);
  expect(byTestid(wrapper, "active-runs").text()).toContain("50 %");
  services.emit("run.changed", runOf("a"));
  await vi.advanceTimersByTimeAsync(200);
  expect(hasTestid(wrapper, "active-runs")).toBe(false);
});

it("shows what another process changed, and reads no list again for it", async () => {
  host();
  const wrapper = mountPart(App);
  await flushPromises();
  const asked = services.requests.length;
  services.emit("runs.listed", [listedOf(runOf("theirs", { status: "running", steps: 30, totalSteps: 100 }))]);
  services.emit("store.changed", { runs: ["theirs"], studies: [] });
  await vi.advanceTimersByTimeAsync(1100);
  expect(byTestid(wrapper, "active-runs").text()).toContain("30 %");
  expect(services.requests).toHaveLength(asked);
});

it("leads past the navigation", async () => {
  host();
  const wrapper = mountPart(App);
  await wrapper.get("a.skip").trigger("click");
  expect(document.activeElement?.id).toBe("main");
});

it("remembers the theme, and steps through all three where there is room for one button", async () => {
  const wide = mountPart(ThemeSwitch, { props: { slim: false } });
  await click(wide, "theme-dark");
  expect(document.documentElement.classList.contains("dark")).toBe(true);
  expect(localStorage.getItem("hypertower.theme")).toBe("dark");
  expect(byTestid(wide, "theme-dark").attributes("aria-pressed")).toBe("true");
  const slim = mountPart(ThemeSwitch, { props: { slim: true } });
  await click(slim, "theme-dark");
  await click(slim, "theme-system");
  await click(slim, "theme-light");
  expect(hasTestid(slim, "theme-dark")).toBe(true);
  await click(wide, "theme-light");
  expect(document.documentElement.classList.contains("dark")).toBe(false);
});

it("names the fields of an error that its message does not name, and stays until it is closed", async () => {
  notifyError("The run was not started", new RequestError("the experiment is not valid", [{ path: "seed", message: "seed must be a number" }]));
  await nextTick();
  expect(messages()).toHaveLength(1);
  expect(messages()[0]).toContain("The run was not started");
  expect(messages()[0]).toContain("the experiment is not valid seed must be a number");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(messages()).toHaveLength(1);
});

it("does not say twice what the message says", async () => {
  notifyError("Not saved", new RequestError("seed must be a number", [{ path: "seed", message: "seed must be a number" }]));
  await nextTick();
  expect(messages()[0]!.match(/seed must be/g)).toHaveLength(1);
});

it("tells whether an action went well", async () => {
  expect(await attempt("Not done", () => Promise.resolve())).toBe(true);
  expect(messages()).toEqual([]);
  expect(await attempt("Not done", () => Promise.reject(new Error("the disk is full")))).toBe(false);
  expect(messages()[0]).toContain("the disk is full");
});

it("offers to undo the latest deed alone, and once", async () => {
  const undone: string[] = [];
  notifyUndo("First", () => void undone.push("first"));
  await nextTick();
  notifyUndo("Second", () => void undone.push("second"));
  await flushPromises();
  const offers = [...document.body.querySelectorAll<HTMLElement>(".el-notification")].filter(({ style }) => style.display !== "none");
  expect(offers.at(-1)!.textContent).toContain("Second");
  offers.at(-1)!.querySelector<HTMLElement>("[data-testid=undo-button]")!.click();
  await flushPromises();
  expect(undone).toEqual(["second"]);
});

it("types numbers as people do, and steps with the arrow keys inside the range", async () => {
  const { wrapper, value } = mountForm(NumberField, 0.01, { props: { path: "alpha", step: "decades", domain: { min: 0, max: 1 }, testid: "field" } });
  const field = byTestid(wrapper, "field");
  const press = (key: string) => field.trigger("keydown", { key });
  await press("ArrowUp");
  expect(value()).toBe(0.02);
  await press("ArrowDown");
  await press("ArrowDown");
  expect(value()).toBe(0.005);
  await type(wrapper, "field", "1");
  await press("ArrowUp");
  expect(value()).toBe(1);
  await type(wrapper, "field", "1e-3");
  expect(value()).toBe(0.001);
  // What is being typed stays as typed.
  expect((field.element as HTMLInputElement).value).toBe("1e-3");
  await type(wrapper, "field", "60,000");
  expect(value()).toBe(60_000);
  await type(wrapper, "field", "x");
  await press("ArrowUp");
  expect(value()).toBe("x");
});

it("shows a value that changes elsewhere", async () => {
  const { wrapper, set } = mountForm(NumberField, 0.01, { props: { path: "alpha", step: "decades", testid: "field" } });
  await set(1e-7);
  expect((byTestid(wrapper, "field").element as HTMLInputElement).value).toBe("1e-7");
});

it("gives a title back as it was where the pencil's field is left empty", async () => {
  const names: string[] = [];
  const wrapper = mountPart(EditableTitle, { props: { title: "old", of: "study", onRename: (name: string) => names.push(name) } });
  await click(wrapper, "rename-button");
  await byTestid(wrapper, "rename-input").setValue("   ");
  await byTestid(wrapper, "rename-input").trigger("blur");
  expect(byTestid(wrapper, "study-title").text()).toBe("old");
  expect(names).toEqual([]);
});
