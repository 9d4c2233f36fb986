import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import App from "@/App.vue";
import { byTestid, hasTestid, mountPart, services } from "./support.ts";

const info = { version: "1.0.0", host: "desktop", platform: "linux", cpu: "a processor", cores: 8, storePath: "/store", storeProblem: null } as const;

async function window(storeDamage: string | null) {
  services.answer("app.info", () => ({ ...info, storeDamage }));
  for (const name of ["datasets.list", "experiments.presets", "studies.presets", "runs.list", "studies.list"] as const) services.answer(name, () => []);
  const wrapper = mountPart(App, { stubs: ["SideBar", "ConnectionBanner"] });
  await flushPromises();
  return wrapper;
}

it("says that the store is damaged, where that is known when the window opens", async () => {
  expect(byTestid(await window("/store/hypertower.sqlite is damaged (quick_check: a page). Keep a copy of it."), "store-damage").text()).toContain("is damaged (quick_check: a page). Keep a copy of it.");
});

it("says that the store is damaged as soon as a check has found it", async () => {
  const wrapper = await window(null);
  expect(hasTestid(wrapper, "store-damage")).toBe(false);
  services.emit("store.damaged", { message: "/store/hypertower.sqlite is damaged." });
  await flushPromises();
  expect(byTestid(wrapper, "store-damage").text()).toContain("is damaged.");
});

it("says that training is paused because the store's file is gone, saves a copy, and says when training continues", async () => {
  const wrapper = await window(null);
  expect(hasTestid(wrapper, "store-problem")).toBe(false);
  services.emit("store.problem", { problem: { kind: "missing", message: "The store's file /store/hypertower.sqlite is gone." } });
  await flushPromises();
  expect(byTestid(wrapper, "store-problem").text()).toContain("/store/hypertower.sqlite is gone");
  services.answer("store.saveCopy", () => ({ folder: "/store-saved" }));
  await byTestid(wrapper, "save-copy").trigger("click");
  await flushPromises();
  expect(document.body.textContent).toContain("Saved in /store-saved.");
  services.emit("store.problem", { problem: null });
  await flushPromises();
  expect(hasTestid(wrapper, "store-problem")).toBe(false);
  expect(document.body.textContent).toContain("The store can be used again. Training continues.");
});

it("offers no copy of a store that only cannot be written", async () => {
  const wrapper = await window(null);
  services.emit("store.problem", { problem: { kind: "unwritable", message: "The disk is full." } });
  await flushPromises();
  expect(byTestid(wrapper, "store-problem").text()).toContain("The disk is full.");
  expect(hasTestid(wrapper, "save-copy")).toBe(false);
});
