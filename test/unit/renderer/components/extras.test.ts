import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import ExtrasCard from "@/components/engines/ExtrasCard.vue";
import type { ExtraState, ExtraStates } from "@shared/extras/index.ts";
import { byTestid, click, deferred, hasTestid, mountPart, services } from "./support.ts";

const extra = (name: ExtraState["name"], state: Partial<ExtraState> = {}): ExtraState => ({ name, installed: false, included: false, problem: null, bytes: null, ...state });
const states = (...extras: ExtraState[]): ExtraStates => ({ extras, working: null, folder: "/home/ada/extras" });

async function card(answer: ExtraStates) {
  services.answer("extras.list", () => answer);
  const wrapper = mountPart(ExtrasCard);
  await flushPromises();
  return { wrapper, row: (name: string) => byTestid(wrapper, `extra-${name}`) };
}

it("offers what this machine lacks, installs it with progress, and has the engines looked for again", async () => {
  const { wrapper, row } = await card(states(extra("tfjs"), extra("webgpu", { included: true, installed: true }), extra("cuda", { problem: "it exists for linux-x64" })));
  expect([hasTestid(wrapper, "extra-webgpu"), hasTestid(wrapper, "extra-cuda")]).toEqual([false, false]);
  expect(row("tfjs").text()).toContain("26 MB to download");
  const done = deferred<ExtraStates>();
  services.answer("extras.install", () => done.promise);
  await click(wrapper, "extra-install");
  services.emit("extras.working", { working: { name: "tfjs", doing: "downloading", done: 13_000_000, total: 26_000_000 } });
  await flushPromises();
  expect(byTestid(row("tfjs"), "extra-doing").text()).toBe("downloading: 13 MB");
  expect(row("tfjs").text()).toContain("50%");
  done.resolve(states(extra("tfjs", { installed: true, bytes: 5_000_000 })));
  await flushPromises();
  expect(row("tfjs").text()).toContain("Installed, 5 MB");
  expect(hasTestid(row("tfjs"), "extra-remove")).toBe(true);
  expect(wrapper.findComponent(ExtrasCard).emitted("changed")).toHaveLength(1);
});

it("says why an installation failed, and cancels one", async () => {
  const { wrapper, row } = await card(states(extra("tfjs")));
  services.refuse("extras.install", "TensorFlow.js was not installed: the registry cannot be reached");
  await click(wrapper, "extra-install");
  expect(byTestid(row("tfjs"), "extra-failed").text()).toContain("the registry cannot be reached");
  services.emit("extras.working", { working: { name: "tfjs", doing: "downloading", done: 1, total: 2 } });
  services.answer("extras.cancel", () => true);
  await flushPromises();
  await click(wrapper, "extra-cancel");
  expect(services.inputs("extras.cancel")).toHaveLength(1);
});
