import { flushPromises } from "@vue/test-utils";
import { ElDropdown } from "element-plus";
import { expect, it } from "vitest";
import ConfusionMatrix from "@/components/predictions/ConfusionMatrix.vue";
import PredictionsPanel from "@/components/predictions/PredictionsPanel.vue";
import SampleBrowser from "@/components/predictions/SampleBrowser.vue";
import WeightsMenu from "@/components/predictions/WeightsMenu.vue";
import TextWriter from "@/components/predictions/TextWriter.vue";
import type { WeightsSummary } from "@shared/kept.ts";
import type { Evaluation } from "@shared/run.ts";
import { byTestid, click, deferred, hasTestid, mountForm, mountPart, services, type } from "./support.ts";
import { runOf } from "./samples.ts";

const evaluation: Evaluation = { step: 100, epoch: 1, trainLoss: 0.4, testLoss: 0.5, testError: 4 };
const weights = (name: "best" | "last", changes: Partial<WeightsSummary> = {}): WeightsSummary => ({ name, evaluation, savedAt: 1, bytes: 2_000, ...changes });

it("writes with what the fields say, and the next seed for another", async () => {
  services.answer("predictions.text", ({ seed }) => ({ kept: weights("best"), text: ` text of seed ${seed}` }));
  const wrapper = mountPart(TextWriter, { props: { run: "a", checkpoint: "best" } });
  await type(wrapper, "text-prime", "It was");
  await type(wrapper, "text-length", "20");
  await wrapper.get("form").trigger("submit");
  await flushPromises();
  expect(services.inputs("predictions.text")).toMatchObject([{ run: "a", checkpoint: "best", prime: "It was", length: 20, seed: 0 }]);
  expect(byTestid(wrapper, "text-written").text()).toBe("It was text of seed 0");
  await click(wrapper, "text-another");
  expect(byTestid(wrapper, "text-written").text()).toBe("It was text of seed 1");
  await wrapper.setProps({ checkpoint: "last" });
  expect(hasTestid(wrapper, "text-written")).toBe(false);
});

it("asks for nothing while a field is wrong, and says what a refusal said", async () => {
  const wrapper = mountPart(TextWriter, { props: { run: "a", checkpoint: "best" } });
  await type(wrapper, "text-prime", "");
  expect(byTestid(wrapper, "text-write").attributes("disabled")).toBeDefined();
  expect(wrapper.text()).toContain("at least one character");
  expect(services.inputs("predictions.text")).toEqual([]);
  services.refuse("predictions.text", "the model has no symbol \"§\"");
  await type(wrapper, "text-prime", "§");
  await wrapper.get("form").trigger("submit");
  await flushPromises();
  expect(byTestid(wrapper, "text-problem").text()).toBe("the model has no symbol \"§\"");
});

it("counts each class by what it was taken for, and lets one cell be chosen", async () => {
  const { wrapper, value } = mountForm<{ actual: number; predicted: number } | null>(ConfusionMatrix, null, { props: { classNames: ["cat", "dog"], confusion: [[97, 3], [0, 50]] } });
  expect(byTestid(wrapper, "confusion-0-1").text()).toBe("33.0 %");
  expect(byTestid(wrapper, "confusion-0-1").attributes("aria-label")).toBe("3 examples of cat taken for dog, 3.0 % of them");
  expect(byTestid(wrapper, "confusion-1-0").attributes("disabled")).toBeDefined();
  await click(wrapper, "confusion-0-1");
  expect(value()).toEqual({ actual: 0, predicted: 1 });
  await click(wrapper, "confusion-0-1");
  expect(value()).toBe(null);
});

it("browses the examples of one cell, and shows only the answer to what was asked last", async () => {
  const first = deferred<never>();
  const reply = (index: number, total: number) => ({ total, samples: [{ index, actual: 0, predicted: 1, probabilities: [0.25, 0.75], values: [1.5, 2] }], exampleShape: [2], range: null }) as never;
  services.answer("predictions.samples", ({ cell }) => (cell === null ? first.promise : reply(7, 30)));
  const wrapper = mountPart(SampleBrowser, { props: { run: "a", checkpoint: "best", classNames: ["cat", "dog"], step: 100, cell: null } });
  await flushPromises();
  await wrapper.setProps({ cell: { actual: 0, predicted: 1 } });
  await flushPromises();
  expect(byTestid(wrapper, "sample-count").text()).toBe("1 of 30 examples of cat, predicted as dog");
  first.resolve(reply(1, 99));
  await flushPromises();
  expect(byTestid(wrapper, "samples").text()).toContain("cat");
  expect(byTestid(wrapper, "samples").get("tbody td").text()).toBe("7");
  await click(wrapper, "sample-more");
  expect(services.inputs("predictions.samples").at(-1)).toMatchObject({ cell: { actual: 0, predicted: 1 }, step: 100, limit: 48 });
  await click(wrapper, "sample-cell");
  expect(wrapper.emitted("update:cell")).toEqual([[null]]);
});

it("exports the chosen weights in the chosen format", async () => {
  services.refuse("reports.file", "the weights are damaged");
  const wrapper = mountPart(WeightsMenu, { props: { run: "a", weights: weights("last") } });
  for (const format of ["npz", "safetensors", "onnx"]) {
    wrapper.findComponent(ElDropdown).vm.$emit("command", format);
    await flushPromises();
  }
  expect(services.inputs("reports.file").map(({ file }) => file)).toEqual(["weights-last.npz", "weights-last.safetensors", "model-last.onnx"]);
});

it("says why there are no weights, and while a run trains predicts only when asked", async () => {
  services.answer("predictions.kept", () => ({ kept: [], problem: "The run ended before its first evaluation." }));
  const none = mountPart(PredictionsPanel, { props: { run: runOf("a") } });
  await flushPromises();
  expect(byTestid(none, "no-weights").text()).toBe("The run ended before its first evaluation.");

  services.answer("predictions.kept", () => ({ kept: [weights("best"), weights("last", { evaluation: { ...evaluation, step: 200, testError: 5 } })], problem: null }));
  services.refuse("predictions.report", "the weights are damaged");
  const wrapper = mountPart(PredictionsPanel, { props: { run: runOf("b", { status: "running" }) } });
  await flushPromises();
  expect(byTestid(wrapper, "kept").text()).toBe("step 100, epoch 1: test error 4.00 %, chosen on the test set, for want of validation data");
  expect(services.inputs("predictions.report")).toEqual([]);
  await click(wrapper, "predict");
  expect(services.inputs("predictions.report")).toEqual([{ run: "b", checkpoint: "best" }]);
  expect(byTestid(wrapper, "predict-problem").text()).toContain("the weights are damaged");
});
