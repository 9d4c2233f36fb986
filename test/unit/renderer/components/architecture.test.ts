import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { expect, it, vi } from "vitest";
import ArchitectureCard from "@/components/experiment/model/ArchitectureCard.vue";
import LayerList from "@/components/experiment/model/LayerList.vue";
import type { Draft } from "@/lib/draft.ts";
import { layersOf, newLayer } from "@/lib/modelDraft.ts";
import { maxLayers } from "@shared/models/layers.ts";
import { byTestid, choose, chooseFrom, click, hasTestid, mountForm, mountPart, type } from "./support.ts";
import { draftErrors, draftFrom } from "./samples.ts";

const own = () =>
  draftFrom({ model: { kind: "sequential", layers: [{ kind: "conv2d", channels: 4, padding: 1 }, { kind: "maxPool" }, { kind: "flatten" }, { kind: "linear" }] } });
const card = (draft: Draft = own()) => mountForm(ArchitectureCard, draft, { check: draftErrors });
const kinds = (draft: Draft) => layersOf(draft.model).map(({ kind }) => kind);
const outputs = (wrapper: VueWrapper) => wrapper.findAll(".layers > li > article > .head .output").map((output) => output.text());

async function json(draft: Draft = own()) {
  const mounted = card(draft);
  await mounted.wrapper.findAll("[data-testid=architecture-view] input").at(-1)!.setValue(true);
  await flushPromises();
  const text = () => (byTestid(mounted.wrapper, "model-json").element as HTMLTextAreaElement).value;
  return { ...mounted, text, write: (next: string) => type(mounted.wrapper, "model-json", next), problems: () => mounted.wrapper.findAll("[data-testid=json-problems] .problem").map((problem) => problem.text()) };
}

it("shows what every layer answers, from the data to the classes", () => {
  const { wrapper } = card();
  expect(outputs(wrapper)).toEqual(["→ 4 × 28 × 28", "→ 4 × 14 × 14", "→ 784", "→ 10"]);
  expect(wrapper.findAll(".end").map((end) => end.get(".soft").text())).toEqual(["1 × 28 × 28", "10"]);
});

it("adds a layer where it belongs, copies, and removes all but the only one", async () => {
  const { wrapper, value } = card();
  await chooseFrom(wrapper, "add-layers", "add-layers-batchNorm");
  expect(kinds(value())).toEqual(["conv2d", "maxPool", "flatten", "batchNorm", "linear"]);
  await chooseFrom(wrapper, "add-layers", "add-layers-avgPool");
  expect(kinds(value())).toEqual(["conv2d", "maxPool", "avgPool", "flatten", "batchNorm", "linear"]);
  await click(wrapper, "layers-1-duplicate");
  expect(kinds(value()).slice(0, 4)).toEqual(["conv2d", "maxPool", "maxPool", "avgPool"]);
  for (let i = 0; i < 6; i++) await click(wrapper, "layers-0-remove");
  expect(kinds(value())).toEqual(["linear"]);
  expect(byTestid(wrapper, "layers-0-remove").attributes("disabled")).toBeDefined();
});

it("moves layers by key, keeps the focus on the handle, and names the layer whose shape then does not fit", async () => {
  const { wrapper, value } = card();
  await byTestid(wrapper, "layers-2-handle").trigger("keydown", { key: "ArrowUp" });
  await flushPromises();
  expect(kinds(value())).toEqual(["conv2d", "flatten", "maxPool", "linear"]);
  expect(document.activeElement?.getAttribute("data-testid")).toBe("layers-1-handle");
  expect(byTestid(wrapper, "error-model.layers.2").text()).toMatch(/needs images .* 3136/);
  expect(outputs(wrapper)).toEqual(["→ 4 × 28 × 28", "→ 3136", "→ …", "→ …"]);
  await byTestid(wrapper, "layers-1-handle").trigger("keydown", { key: "ArrowDown" });
  await flushPromises();
  expect(hasTestid(wrapper, "error-model.layers.2")).toBe(false);
});

it("opens a layer's settings when asked, or when one is wrong", async () => {
  const { wrapper, value } = card();
  expect(hasTestid(wrapper, "layers-0-channels")).toBe(false);
  await click(wrapper, "layers-0-settings");
  await type(wrapper, "layers-0-channels", "5000");
  await click(wrapper, "layers-0-settings");
  expect(byTestid(wrapper, "layers-0-channels").attributes("aria-invalid")).toBe("true");
  expect(wrapper.get("[role=alert]").text()).toMatch(/channels.*2048/);
  await type(wrapper, "layers-0-channels", "8");
  expect(value().model.layers).toMatchObject([{ channels: 8 }, {}, {}, {}]);
  expect(outputs(wrapper)[0]).toBe("→ 8 × 28 × 28");
});

it("replaces a layer by another kind", async () => {
  const { wrapper, value } = card();
  await choose(wrapper, "layers-1-kind", "Average pool");
  expect(kinds(value())).toEqual(["conv2d", "avgPool", "flatten", "linear"]);
});

it("edits the layers inside a block, which may hold no block", async () => {
  const { wrapper, value } = card();
  await chooseFrom(wrapper, "add-layers", "add-layers-residual");
  const inside = () => layersOf(value().model)[2]!["layers"] as unknown as { kind: string }[];
  expect(inside().map(({ kind }) => kind)).toEqual(["conv2d", "batchNorm", "relu", "conv2d", "batchNorm"]);
  await click(wrapper, "layers-2-layers-4-remove");
  await click(wrapper, "layers-2-layers-3-remove");
  expect(inside().map(({ kind }) => kind)).toEqual(["conv2d", "batchNorm", "relu"]);
  expect(draftErrors(value())).toEqual(new Map());
  await click(wrapper, "add-layers-2-layers");
  expect(document.querySelector('[data-testid="add-layers-2-layers-relu"]')).not.toBeNull();
  expect(document.querySelector('[data-testid="add-layers-2-layers-residual"]')).toBeNull();
});

it("adds no layer to a list that is full", () => {
  const modelValue = Array.from({ length: maxLayers }, () => newLayer("relu"));
  const wrapper = mountPart(LayerList, { props: { modelValue, path: "model.layers", facts: new Map(), kinds: ["relu"], add: "Layer" }, stubs: ["LayerItem"] });
  expect(byTestid(wrapper, "add-layers").attributes("disabled")).toBeDefined();
});

it("asks for steps where the data is a text", () => {
  const { wrapper } = card(draftFrom({ dataset: { kind: "tiny-shakespeare" }, model: { kind: "sequential", layers: [{ kind: "embedding" }, { kind: "lstm" }, { kind: "linear" }], steps: 20 } }));
  expect((byTestid(wrapper, "steps").element as HTMLInputElement).value).toBe("20");
  expect(wrapper.findAll(".end").at(-1)!.text()).toMatch(/65 at each step/);
});

it("takes JSON as soon as its form is right", async () => {
  const { write, text, value, problems } = await json();
  await write(text().replace('"channels": 4', '"channels": 6'));
  expect(value().model.layers).toMatchObject([{ channels: 6 }, {}, {}, {}]);
  expect(problems()).toEqual([]);
  await write('[{ "kind": "flatten" }, { "kind": "linear" }]');
  expect(kinds(value())).toEqual(["flatten", "linear"]);
});

it.each([
  ["a syntax error", '{\n  "kind": "sequential",\n  "layers": [ { "kind": ]\n}', /^line 3\s*this is not JSON/],
  ["an unknown layer", '[\n  { "kind": "flatten" },\n  { "kind": "conv4d" },\n  { "kind": "linear" }\n]', /^line 3\s*layer 2 \(conv4d\), kind/],
  ["a value out of range", '[\n  { "kind": "conv2d", "channels": 4,\n    "kernel": 50 },\n  { "kind": "flatten" },\n  { "kind": "linear" }\n]', /^line 3\s*layer 1 \(conv2d\), kernel.*at most 31/],
  ["an unknown field", '[\n  { "kind": "flatten" },\n  { "kind": "linear", "size": 3 }\n]', /^line 3\s*layer 2 \(linear\).*size/],
])("names %s with its line, and leaves the model as it was", async (_, text, message) => {
  const { wrapper, write, value, problems } = await json();
  const before = value().model;
  await write(text);
  expect(problems()[0]).toMatch(message);
  expect(value().model).toEqual(before);
  expect(byTestid(wrapper, "model-json").attributes("aria-invalid")).toBe("true");
  expect(byTestid(wrapper, "json-save").attributes("disabled")).toBeDefined();
});

it("takes layers whose shapes do not fit, and says where", async () => {
  const { write, value, problems } = await json();
  await write('[\n  { "kind": "flatten" },\n  { "kind": "maxPool" },\n  { "kind": "linear" }\n]');
  expect(problems()).toHaveLength(1);
  expect(problems()[0]).toMatch(/^line 3\s*layer 2 \(maxPool\): .*784/);
  expect(kinds(value())).toEqual(["flatten", "maxPool", "linear"]);
});

it("writes anew when the model changes elsewhere", async () => {
  const { set, text, value } = await json();
  await set({ ...value(), model: { ...value().model, layers: [newLayer("flatten"), newLayer("linear")] } });
  expect(text()).not.toContain("conv2d");
});

it("opens a file, and refuses one that is too long", async () => {
  const { wrapper, text } = await json();
  const before = text();
  const open = async (file: File) => {
    const input = byTestid(wrapper, "json-file");
    Object.defineProperty(input.element, "files", { value: [file], configurable: true });
    await input.trigger("change");
    await vi.waitFor(() => expect((input.element as HTMLInputElement).value).toBe(""));
    await flushPromises();
  };
  await open(new File(["x".repeat(1024 * 1024 + 1)], "weights.json"));
  expect(byTestid(wrapper, "json-problems").text()).toMatch(/weights\.json is 1 MiB/);
  expect(text()).toBe(before);
  await open(new File(['[{ "kind": "flatten" }, { "kind": "linear" }]'], "model.json"));
  await vi.waitFor(() => expect(text()).toContain("flatten"));
  expect(byTestid(wrapper, "json-problems").text()).toBe("");
});
