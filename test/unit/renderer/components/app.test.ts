import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import App from "@/App.vue";
import { byTestid, hasTestid, mountPart, services } from "./support.ts";

const info = { version: "1.0.0", host: "desktop", platform: "linux", cpu: "a processor", cores: 8, storePath: "/store" } as const;

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
