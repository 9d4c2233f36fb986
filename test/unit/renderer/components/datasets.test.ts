import { flushPromises } from "@vue/test-utils";
import { expect, it } from "vitest";
import ImportCopy from "@/components/datasets/ImportCopy.vue";
import DatasetsPage from "@/pages/DatasetsPage.vue";
import type { DatasetInfo } from "@shared/datasets.ts";
import { byTestid, click, deferred, hasTestid, mountForm, mountPart, onPage, services } from "./support.ts";
import { datasetOf, ownTable } from "./samples.ts";

const missing = (changes: Partial<DatasetInfo> = {}) => datasetOf("cifar10", { problem: "cifar-10.tar.gz is missing", bytesHere: 0, ...changes });

async function page(...datasets: DatasetInfo[]) {
  services.answer("datasets.list", () => datasets);
  const wrapper = mountPart(DatasetsPage);
  await flushPromises();
  return { wrapper, row: (kind: string) => byTestid(wrapper, `dataset-${kind}`) };
}
const message = () => document.body.querySelector(".el-notification")?.textContent ?? null;
async function answerBox(button: string): Promise<void> {
  // One that was answered before may still fade out.
  const found = [...document.body.querySelectorAll<HTMLElement>(".el-message-box button")].findLast(({ textContent }) => textContent.trim() === button);
  found!.click();
  await flushPromises();
}

it("tells whether each dataset is there, and offers what can be done with it", async () => {
  const { row } = await page(datasetOf("mnist"), missing(), datasetOf("iris", { problem: "iris.csv has another checksum" }), ownTable({ problem: "flowers.csv is missing" }));
  const offers = (kind: string) => row(kind).findAll("button").map((button) => button.attributes("data-testid"));
  expect(row("mnist").attributes("data-state")).toBe("ready");
  expect(offers("mnist")).toEqual(["preview-button", "remove-button"]);
  expect(row("cifar10").attributes("data-state")).toBe("missing");
  expect(offers("cifar10")).toEqual(["download-button", "import-button"]);
  expect(row("iris").attributes("data-state")).toBe("damaged");
  expect(row("iris").text()).toContain("iris.csv has another checksum");
  expect(offers("own/flowers")).toEqual(["remove-button"]);
});

it("shows a download go on, and stops it", async () => {
  const { row } = await page(missing({ downloadBytes: 1000 }));
  services.answer("datasets.download", () => missing());
  services.answer("datasets.stopDownload", () => missing({ bytesHere: 500 }));
  await click(row("cifar10"), "download-button");
  expect(hasTestid(row("cifar10"), "download-button")).toBe(false);
  services.emit("dataset.changed", { kind: "cifar10", progress: { bytes: 250, total: 1000 }, problem: null });
  await flushPromises();
  expect(row("cifar10").get("[role=progressbar]").attributes("aria-valuenow")).toBe("25");
  await row("cifar10").findAll("button").find((button) => button.text() === "Stop")!.trigger("click");
  await flushPromises();
  expect(services.inputs("datasets.stopDownload")).toEqual([{ kind: "cifar10" }]);
});

it("says why a download ended, and reads the list again when one is whole", async () => {
  const { row } = await page(missing());
  services.emit("dataset.changed", { kind: "cifar10", progress: null, problem: "the server answers 503" });
  await flushPromises();
  expect(byTestid(row("cifar10"), "dataset-problem").text()).toBe("the server answers 503");
  services.answer("datasets.list", () => [datasetOf("cifar10")]);
  services.emit("dataset.changed", { kind: "cifar10", progress: null, problem: null });
  await flushPromises();
  expect(row("cifar10").attributes("data-state")).toBe("ready");
  expect(hasTestid(row("cifar10"), "dataset-problem")).toBe(false);
});

it("shows that a download did not begin", async () => {
  const { row } = await page(missing());
  services.refuse("datasets.download", "there is no network");
  await click(row("cifar10"), "download-button");
  expect(message()).toContain("there is no network");
  expect(hasTestid(row("cifar10"), "download-button")).toBe(true);
});

it("goes on with a download that broke off", async () => {
  const { row } = await page(missing({ bytesHere: 5_000_000 }));
  expect(hasTestid(row("cifar10"), "download-begun")).toBe(true);
});

it("removes nothing without being sure", async () => {
  const { wrapper, row } = await page(datasetOf("mnist"), ownTable());
  services.answer("datasets.remove", () => [ownTable()]);
  await click(row("mnist"), "remove-button");
  await answerBox("Keep");
  expect(services.inputs("datasets.remove")).toEqual([]);
  await click(row("mnist"), "remove-button");
  await answerBox("Remove");
  expect(services.inputs("datasets.remove")).toEqual([{ kind: "mnist" }]);
  expect(hasTestid(wrapper, "dataset-mnist")).toBe(false);
});

async function copy(info = missing()) {
  const mounted = mountForm<DatasetInfo | null>(ImportCopy, info);
  await flushPromises();
  const field = onPage("copy-path") as HTMLInputElement;
  field.value = "/downloads/cifar.tar.gz";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await flushPromises();
  const submit = async () => {
    field.closest("form")!.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await flushPromises();
  };
  return { ...mounted, submit };
}

it("imports a copy once, and closes", async () => {
  const whole = deferred<DatasetInfo>();
  services.answer("datasets.import", () => whole.promise);
  const { submit, value } = await copy();
  await submit();
  await submit();
  expect(services.inputs("datasets.import")).toEqual([{ kind: "cifar10", path: "/downloads/cifar.tar.gz" }]);
  whole.resolve(datasetOf("cifar10"));
  await flushPromises();
  expect(value()).toBeNull();
});

it("says why a copy is refused, in the dialog or, where that is closed, beside it", async () => {
  services.refuse("datasets.import", "the archive has another checksum");
  const { submit, value, set } = await copy();
  await submit();
  expect(onPage("copy-problem").textContent).toContain("the archive has another checksum");
  expect(value()).not.toBeNull();
  const late = deferred<never>();
  services.answer("datasets.import", () => late.promise);
  await submit();
  const other = missing({ kind: "fashion-mnist", title: "Fashion-MNIST" });
  await set(other);
  late.reject(new Error("the disk is full"));
  await flushPromises();
  expect(message()).toContain("the disk is full");
  expect(value()).toEqual(other);
  expect(document.body.querySelector('[data-testid="copy-problem"]')).toBeNull();
});
