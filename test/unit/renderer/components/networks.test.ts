/** The page of imported networks, and their choice in the form. */
import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import ModelFields from "@/components/experiment/model/ModelFields.vue";
import StartingWeightsPanel from "@/components/experiment/StartingWeightsPanel.vue";
import { experimentOf, parseDraft, serializeDraft } from "@/lib/draft.ts";
import NetworksPage from "@/pages/NetworksPage.vue";
import { useApp } from "@/stores/app.ts";
import { useDraft } from "@/stores/draft.ts";
import type { NetworkFacts } from "@shared/models/network.ts";
import type { NetworkInfo } from "@shared/networks.ts";
import { byTestid, click, mountForm, mountPart, onPage, services } from "./support.ts";
import { datasetOf, draftFrom } from "./samples.ts";

const facts: NetworkFacts = {
  name: "tiny",
  input: { kind: "values", shape: [1, 28, 28] },
  output: [10],
  meaning: "logits",
  batch: null,
  kept: 100,
  layers: [{ name: "fc", title: "Gemm", output: [10], parameters: [{ name: "fc.weight", shape: [10, 784] }, { name: "fc.bias", shape: [10] }], flops: 15_680 }],
};
const network = (changes: Partial<NetworkInfo> = {}): NetworkInfo => ({ hash: "a".repeat(64), name: "tiny", source: "/home/me/tiny.onnx", producer: "pytorch 2.15.0", bytes: 31_000, createdAt: 1, weights: 7850, facts, problem: null, ...changes });
const small = network({ hash: "b".repeat(64), name: "small", facts: { ...facts, name: "small", input: { kind: "values", shape: [1, 8, 8] } } });

async function page(networks: NetworkInfo[] = [network()]) {
  services.answer("networks.list", () => networks);
  useApp().datasets = [datasetOf("mnist"), datasetOf("iris")];
  const wrapper = mountPart(NetworksPage);
  await flushPromises();
  return wrapper;
}

it("says where no network is, and lists networks with what they fit", async () => {
  expect((await page([])).text()).toContain("No network yet");
  const wrapper = await page();
  expect(byTestid(wrapper, "network-tiny").text()).toContain("1 × 28 × 28 to 10, 7,850 parameters; output: logits of the classes");
  expect(byTestid(wrapper, "fits").text()).toBe("Fits MNIST");
});

it("imports a file under a name, shows it, and says why one is refused", async () => {
  const wrapper = await page([]);
  services.refuse("networks.import", "/home/me/bad.onnx cannot be imported: it is not an ONNX file");
  await click(wrapper, "import-network");
  const path = onPage("network-path") as HTMLInputElement;
  path.value = "/home/me/bad.onnx";
  path.dispatchEvent(new Event("input"));
  const name = onPage("network-name") as HTMLInputElement;
  name.value = "mine";
  name.dispatchEvent(new Event("input"));
  const pairs = onPage("network-pairs") as HTMLInputElement;
  pairs.value = "head.weight=embed.weight, mask=ones";
  pairs.dispatchEvent(new Event("input"));
  await flushPromises();
  onPage("network-confirm").click();
  await flushPromises();
  expect(onPage("network-problem").textContent).toContain("it is not an ONNX file");
  services.answer("networks.import", () => ({ network: network({ name: "mine" }), added: true, warnings: [] }));
  services.answer("networks.list", () => [network({ name: "mine" })]);
  const remarked = { ...network({ name: "mine" }), facts: { ...network({}).facts, tied: { "head.weight": "embed.weight" }, batch: 8 } };
  services.answer("networks.get", () => ({ ...remarked, usedBy: { runs: 2, studies: 0 }, nodes: [{ name: "/fc/Gemm", module: "fc", operator: "Gemm" }], nodeCount: 1 }));
  onPage("network-confirm").click();
  await flushPromises();
  expect(services.inputs("networks.import")).toEqual(Array.from({ length: 2 }, () => ({ path: "/home/me/bad.onnx", name: "mine", ties: { "head.weight": "embed.weight" }, fillings: { mask: "ones" } })));
  expect(onPage("network-remarks").textContent).toContain("head.weight and embed.weight are one parameter.");
  expect(onPage("network-remarks").textContent).toContain("The network takes batches of exactly 8: set batchSize to 8.");
  [...onPage("network-details").querySelectorAll<HTMLInputElement>("input[type=radio]")][1]!.click();
  await flushPromises();
  expect(onPage("network-details").textContent).toContain("fc.weight");
  expect(onPage("network-details").textContent).toContain("2 runs, 0 studies");
});

it("trains a network on a dataset that it fits", async () => {
  const wrapper = await page([small]);
  useApp().datasets = [datasetOf("iris"), datasetOf("digits")];
  await flushPromises();
  await click(wrapper, "train-network");
  expect(useDraft().draft.dataset.kind).toBe("digits");
  expect(useDraft().draft.model).toMatchObject({ kind: "graph", network: small.hash, start: "file" });
});

it("is a kind of model: only networks that fit the data can be chosen", async () => {
  services.answer("networks.list", () => [network(), small]);
  const { value } = mountForm(ModelFields, draftFrom({ model: { kind: "graph", network: network().hash, facts } }));
  await flushPromises();
  const options = [...document.querySelectorAll<HTMLElement>(".el-select-dropdown__item")].filter(({ textContent }) => ["tiny", "small"].includes(textContent.trim()));
  expect(options.map((option) => [option.textContent.trim(), option.classList.contains("is-disabled")])).toEqual([["tiny", false], ["small", true]]);
  expect(value().model).toMatchObject({ kind: "graph" });
});

it("of one batch size sets the form's batch size, as its Train button does", async () => {
  services.answer("networks.list", () => [network({ facts: { ...facts, batch: 12 } })]);
  const { value } = mountForm(ModelFields, draftFrom({ model: { kind: "graph", network: "c".repeat(64), facts } }));
  await flushPromises();
  [...document.querySelectorAll<HTMLElement>(".el-select-dropdown__item")].find(({ textContent }) => textContent.trim() === "tiny")!.click();
  await flushPromises();
  expect(value()).toMatchObject({ batchSize: 12, usualBatch: null, model: { network: network().hash } });
});

it("lists weights that runs begin from, which nothing can train or choose as a model", async () => {
  const weights = network({ name: "w.safetensors", facts: { ...facts, weightsOnly: true } });
  const wrapper = await page([weights]);
  expect(byTestid(wrapper, "network-w.safetensors").text()).toContain("Weights that runs begin from, 7,850 parameters");
  expect(wrapper.find("[data-testid=train-network]").exists()).toBe(false);
});

it("weights to begin with are taken from a file, said, sent with the experiment, and put away", async () => {
  const { wrapper, value } = mountForm(StartingWeightsPanel, draftFrom({}));
  wrapper.findAllComponents({ name: "ElSelect" })[0]!.vm.$emit("update:modelValue", "path");
  await flushPromises();
  services.refuse("networks.begin", "The run cannot begin from /w.npz: nothing in the file fits the model");
  await wrapper.find("input[aria-label='Path of the weights file']").setValue("/w.npz");
  await click(wrapper, "begin-read");
  expect(byTestid(wrapper, "begin-failure").text()).toContain("nothing in the file fits");
  const weights = { stored: "a".repeat(64), sha256: "b".repeat(64), file: "w.npz", given: ["x"], fresh: ["y"] };
  services.answer("networks.begin", () => ({ weights, remarks: ["Fresh: y."] }));
  await click(wrapper, "begin-read");
  expect(services.inputs("networks.begin").at(-1)).toMatchObject({ from: { path: "/w.npz" }, partial: false, byShape: false });
  expect(wrapper.text()).toContain("Runs are begun from the weights of w.npz (SHA-256 bbbbbbbbbbbb); fresh: y.");
  expect(experimentOf(value())).toMatchObject({ weights });
  expect(parseDraft(serializeDraft(value()))?.weights).toEqual(weights);
  await click(wrapper, "begin-clear");
  expect(experimentOf(value())).not.toHaveProperty("weights");
});
