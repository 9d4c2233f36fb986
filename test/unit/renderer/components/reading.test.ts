/** A text read symbol by symbol, and the attention beside it. */
import { flushPromises } from "@vue/test-utils";
import { ElInputNumber, ElSelect } from "element-plus";
import { expect, it } from "vitest";
import AttentionMaps from "@/components/predictions/AttentionMaps.vue";
import ExampleAttention from "@/components/predictions/ExampleAttention.vue";
import ReadText from "@/components/predictions/ReadText.vue";
import type { ReadingReply } from "@shared/reading.ts";
import { byTestid, click, hasTestid, mountPart, services } from "./support.ts";

const encoded = (values: readonly number[]) => btoa(String.fromCharCode(...new Uint8Array(Float32Array.from(values).buffer)));
const kept = { name: "best" as const, evaluation: { step: 100, epoch: 1, trainLoss: 0.4, testLoss: 0.5, testError: 4 }, savedAt: 1, bytes: 2_000 };
const reply = (changes: Partial<ReadingReply> = {}): ReadingReply => ({
  kept,
  symbols: [
    { name: "h", next: { name: "e", probability: 0.5, loss: 0.69 }, ranked: [{ name: "e", probability: 0.5 }, { name: " ", probability: 0.25 }] },
    { name: "e", next: null, ranked: [{ name: "y", probability: 0.75 }] },
  ],
  length: 90,
  example: null,
  modules: [{ name: "h.0.attn", heads: 2, queries: 2, keys: 2, causal: true }, { name: "h.1.attn", heads: 2, queries: 2, keys: 2, causal: true }],
  weights: encoded([1, 0, 0.5, 0.5, 1, 0, 0.25, 0.75]),
  ...changes,
});

it("shows the loss of every symbol, what is expected after a chosen one, and the attention of a chosen layer", async () => {
  services.answer("predictions.reading", () => reply());
  const wrapper = mountPart(ReadText, { props: { run: "a", checkpoint: "best", hasValidation: true }, stubs: ["StudyChart"] });
  await wrapper.get("form").trigger("submit");
  await flushPromises();
  expect(services.inputs("predictions.reading")).toEqual([{ run: "a", checkpoint: "best", example: { from: "text", set: "validation", position: 0 }, module: 0 }]);
  const symbols = byTestid(wrapper, "reading-strip").findAll("button");
  expect(symbols.map((symbol) => symbol.attributes("title"))).toEqual(["h: the first symbol is not predicted", "e: loss 0.69, probability 50.00 %"]);
  expect(byTestid(wrapper, "reading-ranked").text()).toContain("After e");
  await symbols[0]!.trigger("click");
  expect(byTestid(wrapper, "reading-ranked").text()).toContain("After h, followed by e");
  expect(byTestid(wrapper, "reading-ranked").findAll("tbody tr").map((row) => row.text())).toEqual(["e50.00 %", "␣25.00 %"]);

  const maps = wrapper.getComponent(AttentionMaps);
  expect([...maps.props("weights")]).toEqual([1, 0, 0.5, 0.5, 1, 0, 0.25, 0.75]);
  maps.getComponent(ElSelect).vm.$emit("update:modelValue", 1);
  await flushPromises();
  expect(services.inputs("predictions.reading").at(-1)).toMatchObject({ module: 1 });
  await click(wrapper, "reading-next");
  expect(services.inputs("predictions.reading").at(-1)).toMatchObject({ example: { position: 2 }, module: 1 });
});

it("exports what is shown", async () => {
  services.answer("reports.file", () => ({ path: "/download/x/attention.png", filename: "attention.png", mediaType: "image/png" }));
  const request = { run: "a", checkpoint: "last" as const, example: { from: "typed" as const, text: "he" }, module: 1 };
  const wrapper = mountPart(AttentionMaps, { props: { reply: reply(), request, weights: new Float32Array(8), busy: false }, stubs: ["StudyChart"] });
  await click(wrapper, "attention-png");
  expect(services.inputs("reports.file")).toMatchObject([{ of: { run: "a" }, file: "attention.png", settings: { theme: "light" }, attention: { checkpoint: "last", example: { from: "typed", text: "he" }, module: 1, head: null } }]);
});

it("says why a text was not read, and what an example without attention has", async () => {
  services.refuse("predictions.reading", "position 5 is beyond the test text");
  const text = mountPart(ReadText, { props: { run: "a", checkpoint: "best", hasValidation: false }, stubs: ["StudyChart"] });
  await text.get("form").trigger("submit");
  await flushPromises();
  expect(byTestid(text, "reading-problem").text()).toContain("position 5 is beyond the test text");

  services.answer("predictions.reading", () => reply({ symbols: [], length: null, modules: [], weights: null, example: { actual: "cat", predicted: "dog", ranked: [{ name: "dog", probability: 0.75 }] } }));
  const example = mountPart(ExampleAttention, { props: { run: "a", checkpoint: "best", examples: 10 }, stubs: ["StudyChart"] });
  example.getComponent(ElInputNumber).vm.$emit("update:modelValue", 7);
  await example.get("form").trigger("submit");
  await flushPromises();
  expect(services.inputs("predictions.reading").at(-1)).toMatchObject({ example: { from: "example", index: 7 } });
  expect(byTestid(example, "example-result").text()).toBe("cat, predicted dog: dog 75.00 %");
  expect(example.text()).toContain("The network has no softmax attention.");
  expect(hasTestid(example, "attention")).toBe(false);
});
