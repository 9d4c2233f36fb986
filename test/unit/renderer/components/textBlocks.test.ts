/** The form of a transformer on a text. */
import { expect, it } from "vitest";
import SettingsPanel from "@/components/experiment/SettingsPanel.vue";
import { findPreset } from "@shared/presets.ts";
import { byTestid, choose, hasTestid, mountForm, type } from "./support.ts";
import { datasetOf, draftErrors, draftFrom } from "./samples.ts";

it("offers steps of an epoch while blocks are drawn at random", async () => {
  const draft = draftFrom(findPreset("gpt-mini")!.experiment);
  const { wrapper, value } = mountForm(SettingsPanel, draft, { check: draftErrors, props: { datasets: [datasetOf("tiny-shakespeare")], errors: new Map<string, string>() } });
  expect((byTestid(wrapper, "steps-per-epoch").element as HTMLInputElement).value).toBe("250");
  await type(wrapper, "steps-per-epoch", "0");
  expect(byTestid(wrapper, "steps-per-epoch").attributes("aria-invalid")).toBe("true");
  await type(wrapper, "steps-per-epoch", "");
  expect(byTestid(wrapper, "steps-per-epoch").attributes("aria-invalid")).toBeUndefined();
  expect(wrapper.text()).toContain("Draw blocks of the text at random");
  await wrapper.get('[data-testid="shuffle"] input').setValue(false);
  expect(value().shuffle).toBe(false);
  expect(hasTestid(wrapper, "steps-per-epoch")).toBe(false);
  await choose(wrapper, "model-kind", "Character RNN");
  expect(hasTestid(wrapper, "shuffle")).toBe(false);
});
