/** Importing archives. */
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import ImportArchive from "@/components/report/ImportArchive.vue";
import { click, mountPart, onPage, services } from "./support.ts";

async function importing() {
  const wrapper = mountPart(ImportArchive);
  await click(wrapper, "archive-button");
  const field = onPage("archive-path") as HTMLInputElement;
  field.value = "/downloads/run.hypertower";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await flushPromises();
  onPage("archive-confirm").click();
  await flushPromises();
}

it("imports the archive at a path, and says what was skipped or renamed", async () => {
  services.answer("archives.import", () => ({ studies: [], runs: [{ id: "a", name: "", as: null }, { id: "b", name: "", as: "c" }] }));
  await importing();
  expect(services.inputs("archives.import")).toEqual([{ path: "/downloads/run.hypertower" }]);
  expect(document.body.textContent).toContain("Imported 1 run. 1 run was here already and was skipped. The id b belongs to another run here; the imported one is c.");
});

it("says why nothing was imported, and stays open", async () => {
  services.refuse("archives.import", "it is cut off.");
  await importing();
  expect(onPage("archive-problem").textContent).toContain("it is cut off.");
});
