/** Sequences in the preview of a dataset: texts as symbols, numbers as lines. */
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import SampleGrid from "@/components/datasets/SampleGrid.vue";
import SequenceLines from "@/components/common/SequenceLines.vue";
import TextBrowser from "@/components/datasets/TextBrowser.vue";
import type { DatasetInfo, DatasetPreview, TextSequence } from "@shared/datasets.ts";
import { byTestid, click, mountPart, services } from "./support.ts";

const first: TextSequence = { length: 900, position: 0, symbols: ["a", " ", "\n"], next: "b", distinct: 900, vocabulary: [{ name: " ", code: 3, count: 450 }, { name: "a", code: 7, count: 9 }] };

it("shows a text with its positions, the next symbol, and the vocabulary with counts", async () => {
  services.answer("datasets.inspect", ({ position }) => ({ balance: [], samples: [], range: null, featureNames: [], quantity: null, text: "", sequence: { ...first, position: position ?? 0, symbols: ["x", "y"], next: null } }));
  const wrapper = mountPart(TextBrowser, { props: { kind: "own/t", first } });
  expect(byTestid(wrapper, "text-detail").text()).toBe("Position 0: a, next symbol ␣");
  await byTestid(wrapper, "text-symbols").findAll("button")[2]!.trigger("click");
  expect(byTestid(wrapper, "text-detail").text()).toBe("Position 2: ⏎, next symbol b");
  expect(byTestid(wrapper, "text-vocabulary").findAll("tbody tr").map((row) => row.findAll("td").map((cell) => cell.text()))).toEqual([["␣", "3", "450", "50.00 %"], ["a", "7", "9", "1.00 %"]]);
  expect(wrapper.text()).toContain("The 2 most frequent of 900 symbols.");
  await click(wrapper, "text-next");
  expect(services.inputs("datasets.inspect")).toEqual([{ kind: "own/t", position: 3 }]);
  expect(byTestid(wrapper, "text-detail").text()).toBe("Position 3: x, next symbol y");
  services.refuse("datasets.inspect", "position 5 is beyond the training text");
  await wrapper.get("form").trigger("submit");
  await flushPromises();
  expect(wrapper.text()).toContain("position 5 is beyond the training text");
});

it("draws a line for each channel of a numeric sequence", () => {
  const info = { task: "classification", exampleShape: [3, 2] } as unknown as DatasetInfo;
  const preview = { range: null, featureNames: [], samples: [{ label: "up", values: [0, 5, 1, 5, 2, 5] }] } as unknown as DatasetPreview;
  const wrapper = mountPart(SampleGrid, { props: { info, preview } });
  expect(wrapper.findAll("title").map((title) => title.text())).toEqual(["Channel 1: 0 to 2, 3 steps", "Channel 2: 5 to 5, 3 steps"]);
  const lines = wrapper.findAll("polyline").map((line) => line.attributes("points"));
  expect(lines).toEqual(["0.0,24.0 60.0,13.0 120.0,2.0", "0.0,13.0 60.0,13.0 120.0,13.0"]);
  const many = mountPart(SequenceLines, { props: { values: Array.from({ length: 16 }, () => 1), channels: 8, label: "eight" } });
  expect(many.findAll("polyline")).toHaveLength(6);
  expect(many.text()).toContain("2 more channels");
});
