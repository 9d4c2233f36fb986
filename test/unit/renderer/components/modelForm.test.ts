import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";
import ModelFields from "@/components/experiment/model/ModelFields.vue";
import type { Draft } from "@/lib/draft.ts";
import { withDataset } from "@/lib/draft.ts";
import { byTestid, choose, click, hasTestid, mountForm, onPage, optionsOf, services, type } from "./support.ts";
import { datasetOf, draftErrors, draftFrom } from "./samples.ts";

const form = (draft: Draft) => mountForm(ModelFields, draft, { check: draftErrors });
const mnist = () => draftFrom({ model: { kind: "mlp", hidden: [32] } });
const parameters = (wrapper: ReturnType<typeof form>["wrapper"]) => byTestid(wrapper, "model-parameters").text();

it("counts the parameters of what is typed, and keeps the last count while a width is wrong", async () => {
  const { wrapper, value } = form(mnist());
  expect(parameters(wrapper)).toBe("25,450");
  await type(wrapper, "hidden-0", "64");
  expect(value().model["hidden"]).toEqual([64]);
  expect(parameters(wrapper)).toBe("50,890");
  await type(wrapper, "hidden-0", "0");
  expect(parameters(wrapper)).toBe("50,890");
  expect(byTestid(wrapper, "hidden-0").attributes("aria-invalid")).toBe("true");
  expect(wrapper.get("[role=alert]").text()).toMatch(/width must be at least 1/);
});

it("grows and shrinks the list of hidden layers, up to its end", async () => {
  const { wrapper, value } = form(mnist());
  await click(wrapper, "add-hidden");
  await type(wrapper, "hidden-1", "16");
  expect(value().model["hidden"]).toEqual([32, 16]);
  await wrapper.get('button[aria-label="Remove: Width of hidden layer 1"]').trigger("click");
  expect(value().model["hidden"]).toEqual([16]);
  await wrapper.get('button[aria-label="Remove: Width of hidden layer 1"]').trigger("click");
  expect(value().model["hidden"]).toEqual([]);
  for (let i = 0; i < 16; i++) await click(wrapper, "add-hidden");
  expect(byTestid(wrapper, "add-hidden").attributes("disabled")).toBeDefined();
  expect(value().model["hidden"]).toHaveLength(16);
});

it("disables models that cannot learn the data, and says why", async () => {
  const { wrapper, set } = form(mnist());
  const offered = () => Object.fromEntries(optionsOf(wrapper, "model-kind").map((option) => [option.textContent.trim(), option.getAttribute("aria-disabled") === "true" ? option.title : ""]));
  expect(offered()).toMatchObject({ "Multilayer perceptron": "", "Small CNN": "", "Own architecture": "" });
  expect(offered()["Character RNN"]).toMatch(/text/);
  await set(withDataset(mnist(), datasetOf("iris")));
  expect(offered()["Small CNN"]).toMatch(/images/);
  expect(offered()["Multilayer perceptron"]).toBe("");
  await set(withDataset(mnist(), datasetOf("tiny-shakespeare")));
  expect(offered()["Character RNN"]).toBe("");
  expect(offered()["Multilayer perceptron"]).not.toBe("");
});

it("keeps what a kind was set to when another is looked at", async () => {
  const { wrapper, value } = form(mnist());
  await choose(wrapper, "model-kind", "Small CNN");
  expect(value().model).toMatchObject({ kind: "cnn", channels: [16, 32] });
  await choose(wrapper, "kernel", "3");
  await choose(wrapper, "model-kind", "Multilayer perceptron");
  expect(value().model["hidden"]).toEqual([32]);
  await choose(wrapper, "model-kind", "Small CNN");
  expect(value().model["kernel"]).toBe(3);
});

it("turns a model into its layers, with an offer to take that back", async () => {
  const { wrapper, value } = form(mnist());
  await click(wrapper, "edit-by-layers");
  const { model } = value();
  expect((model.layers as unknown as { kind: string }[]).map(({ kind }) => kind)).toEqual(["flatten", "linear", "tanh", "linear", "tanh"]);
  expect(parameters(wrapper)).toBe("25,450");
  expect(hasTestid(wrapper, "edit-by-layers")).toBe(false);
  onPage("undo-button").click();
  await flushPromises();
  expect(value().model).toMatchObject({ kind: "mlp", hidden: [32] });
});

it("lists the layers with shapes and parameters when asked", async () => {
  const { wrapper } = form(mnist());
  expect(wrapper.find("table").exists()).toBe(false);
  await click(wrapper, "model-layers");
  const rows = wrapper.findAll("tbody tr").map((row) => row.findAll("td").map((cell) => cell.text()));
  expect(rows.find(([name]) => name!.startsWith("layer1"))).toEqual(expect.arrayContaining(["32", "25,120"]));
});

it("measures a step once the form has rested, and says nothing where that fails", async () => {
  services.answer("experiments.measure", () => ({ step: 1.5, evaluation: 2, begin: 3 }));
  const { wrapper } = form(mnist());
  await flushPromises();
  expect(services.inputs("experiments.measure")).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect(services.inputs("experiments.measure")).toHaveLength(1);
  expect(byTestid(wrapper, "step-time").text()).toContain("1.5 ms");

  services.refuse("experiments.measure", "no engine");
  await type(wrapper, "hidden-0", "33");
  await vi.advanceTimersByTimeAsync(1000);
  // Without a measurement the number of operations tells it roughly.
  expect(byTestid(wrapper, "step-time").text()).toMatch(/^≈ 1\.5/);
});
