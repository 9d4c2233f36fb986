/** Updates in the window: nothing is asked until the button is pressed. */
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import CheckUpdates from "@/components/shell/CheckUpdates.vue";
import { deferred, mountPart, services } from "./support.ts";

const release = { version: "1.2.0", date: "2026-11-30", notes: "- <b>Packages</b>", page: "https://example.com/v1.2.0", files: [{ name: "a.deb", bytes: 2048, form: "deb" }] };

async function pressed(testid: string, wrapper: ReturnType<typeof mountPart>): Promise<void> {
  await wrapper.get(`[data-testid=${testid}]`).trigger("click");
  await flushPromises();
}

it("asks only when told to, shows a release as text, and saves a package", async () => {
  services.answer("updates.check", () => ({ current: "1.1.0", source: "example.com", release }));
  const download = deferred<{ path: string }>();
  services.answer("updates.download", () => download.promise);
  const wrapper = mountPart(CheckUpdates);
  await flushPromises();
  expect(services.requests).toEqual([]);
  await pressed("updates-check", wrapper);
  expect(wrapper.get("[data-testid=updates-release]").text()).toMatch(/Hypertower 1\.2\.0.*2026-11-30.*https:\/\/example\.com\/v1\.2\.0.*<b>Packages<\/b>/s);
  await pressed("updates-download-deb", wrapper);
  expect(services.inputs("updates.download")).toEqual([{ name: "a.deb" }]);
  // One at a time.
  await pressed("updates-check", wrapper);
  expect(services.inputs("updates.check")).toHaveLength(1);
  download.resolve({ path: "/store/updates/a.deb" });
  await flushPromises();
  expect(wrapper.get("[data-testid=updates-saved]").text()).toContain("/store/updates/a.deb");
});

it("says that this is the newest version, that there is no source, and what failed", async () => {
  const wrapper = mountPart(CheckUpdates);
  services.answer("updates.check", () => ({ current: "1.2.0", source: "example.com", release: null }));
  await pressed("updates-check", wrapper);
  expect(wrapper.get("[data-testid=updates-newest]").text()).toContain("the newest version at example.com");
  services.answer("updates.check", () => ({ current: "1.2.0", source: null, release: null }));
  await pressed("updates-check", wrapper);
  expect(wrapper.get("[data-testid=updates-none]").text()).toContain("no source of updates");
  services.refuse("updates.check", "The release's checksums are not signed by Hypertower's key");
  await pressed("updates-check", wrapper);
  expect(wrapper.get("[data-testid=updates-failure]").text()).toContain("not signed by Hypertower's key");
});
