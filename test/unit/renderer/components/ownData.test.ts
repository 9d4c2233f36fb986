import { flushPromises, type VueWrapper } from "@vue/test-utils";
import { expect, it } from "vitest";
import { ElOption, ElSelect } from "element-plus";
import AddDataset from "@/components/datasets/AddDataset.vue";
import CsvColumns from "@/components/datasets/CsvColumns.vue";
import type { ImportPreview } from "@shared/datasets.ts";
import { useApp } from "@/stores/app.ts";
import { deferred, mountForm, onPage, services } from "./support.ts";
import { ownTable } from "./samples.ts";

const column = (name: string, suggested: "number" | "category" | "target" | "ignore", counts: Partial<Record<"numbers" | "texts" | "missing" | "distinct", number>>) => ({
  name, suggested, numbers: 0, texts: 0, foreign: 0, missing: 0, distinct: 3, ...counts,
});
const csv = {
  form: "csv",
  delimiter: ";",
  header: true,
  decimal: ".",
  parts: [],
  path: "/data/flowers.csv",
  rows: 1500,
  columns: [
    column("width", "number", { numbers: 1498, missing: 2, distinct: 900 }),
    column("color", "category", { texts: 1500, distinct: 4 }),
    column("kind", "target", { texts: 1500 }),
  ],
  sample: [["1.5", "red", "a"], ["", "blue", "b"]],
} satisfies ImportPreview;

/** The dialog hangs at the end of the page, not in the component's own element. */
async function dialog() {
  const added: unknown[] = [];
  const { wrapper, value } = mountForm(AddDataset, true, { props: { onAdded: (info: unknown) => added.push(info) } });
  await flushPromises();
  return { wrapper: wrapper.getComponent(AddDataset), added, isOpen: value };
}
const input = (testid: string) => {
  const found = onPage(testid);
  return found.matches("input") ? (found as HTMLInputElement) : found.querySelector("input")!;
};
async function write(testid: string, text: string): Promise<void> {
  input(testid).value = text;
  input(testid).dispatchEvent(new Event("input", { bubbles: true }));
  await flushPromises();
}
async function press(testid: string): Promise<void> {
  onPage(testid).click();
  await flushPromises();
}
async function look(path: string): Promise<void> {
  await write("add-path", path);
  onPage("add-path").closest("form")!.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  await flushPromises();
}
const isDisabled = (testid: string) => onPage(testid).hasAttribute("disabled");
const shown = (testid: string) => document.body.querySelector(`[data-testid="${testid}"]`)?.textContent ?? null;
const page = () => document.body.textContent;

it("imports nothing before it was looked at", async () => {
  await dialog();
  expect(isDisabled("add-preview")).toBe(true);
  await write("add-path", "/data/flowers.csv");
  expect(isDisabled("add-preview")).toBe(false);
  expect(isDisabled("add-create")).toBe(true);
});

it("shows what a table holds, and imports it as it was set", async () => {
  services.answer("datasets.preview", () => csv);
  services.answer("datasets.create", () => ownTable());
  const { wrapper, added, isOpen } = await dialog();
  await look(" /data/flowers.csv ");
  expect(services.inputs("datasets.preview")).toEqual([{ path: "/data/flowers.csv", job: expect.any(String) as string }]);
  expect(input("add-title").value).toBe("flowers");
  await write("add-title", "Flowers");
  await wrapper.getComponent(CsvColumns).vm.$emit("update:modelValue", ["number", "ignore", "target"]);
  await press("add-create");
  expect(services.inputs("datasets.create")).toEqual([
    { order: { form: "csv", title: "Flowers", path: "/data/flowers.csv", delimiter: ";", header: true, roles: ["number", "ignore", "target"], task: "classification", missing: "refuse" }, job: expect.any(String) as string },
  ]);
  expect(added).toEqual([ownTable()]);
  expect(isOpen()).toBe(false);
});

it("says why a file cannot be imported, until another is named", async () => {
  services.refuse("datasets.preview", "line 3 has 4 columns, the first line 5");
  await dialog();
  await look("/data/flowers.csv");
  expect(shown("add-problem")).toContain("line 3 has 4 columns, the first line 5");
  expect(isDisabled("add-create")).toBe(true);
  await write("add-path", "/data/other.csv");
  expect(shown("add-problem")).toBeNull();
});

it("keeps what was set when the import is refused, such as for a title that is taken", async () => {
  services.answer("datasets.preview", () => csv);
  services.refuse("datasets.create", "there is a dataset named Flowers already");
  const { added, isOpen } = await dialog();
  await look("/data/flowers.csv");
  await write("add-title", "Flowers");
  await press("add-create");
  expect(shown("add-problem")).toContain("there is a dataset named Flowers already");
  expect(isOpen()).toBe(true);
  expect(added).toEqual([]);
  services.answer("datasets.create", () => ownTable());
  await write("add-title", "Flowers 2");
  await press("add-create");
  expect(services.inputs("datasets.create").at(-1)).toMatchObject({ order: { title: "Flowers 2" } });
  expect(added).toHaveLength(1);
});

it("shows nothing of a path that was typed over while it was looked at", async () => {
  const first = deferred<ImportPreview>();
  services.answer("datasets.preview", () => first.promise);
  await dialog();
  await look("/data/first.csv");
  await write("add-path", "/data/second.csv");
  first.resolve(csv);
  await flushPromises();
  expect(shown("csv-columns")).toBeNull();
  expect(isDisabled("add-create")).toBe(true);
});

it("asks once, however often Enter is pressed", async () => {
  services.answer("datasets.preview", () => new Promise<never>(() => undefined));
  await dialog();
  await look("/data/flowers.csv");
  await look("/data/flowers.csv");
  expect(services.inputs("datasets.preview")).toHaveLength(1);
});

it("imports a folder of images at the size they have", async () => {
  services.answer("datasets.preview", () => ({ form: "images", classes: [{ name: "cat", images: 1200 }, { name: "dog", images: 7 }], parts: [{ split: "train", images: 1207 }], width: 32, height: 24 }));
  services.answer("datasets.create", () => ownTable());
  await dialog();
  await look("/data/pets/");
  expect(page()).toContain("cat (1,200), dog (7)");
  await press("add-create");
  expect(services.inputs("datasets.create")).toEqual([{ order: { form: "images", title: "pets", path: "/data/pets/", width: 32, height: 24, channels: 3 }, job: expect.any(String) as string }]);
});

it("shows how a text begins", async () => {
  services.answer("datasets.preview", () => ({ form: "text", path: "/data/novel.txt", parts: [], column: null, characters: 123_456, vocabulary: 80, beginning: "It was a dark night" }));
  services.answer("datasets.create", () => ownTable());
  await dialog();
  await look("/data/novel.txt");
  expect(page()).toMatch(/123,456 characters, 80 different/);
  expect(page()).toContain("It was a dark night");
  await press("add-create");
  expect(services.inputs("datasets.create")).toEqual([{ order: { form: "text", title: "novel", path: "/data/novel.txt", unit: "characters" }, job: expect.any(String) as string }]);
});

it("reads a text as words with a minimum count, and says what their perplexities are worth", async () => {
  services.answer("datasets.preview", () => ({ form: "text", path: "/data/novel.txt", parts: [], column: null, characters: 123_456, vocabulary: 80, beginning: "It was a dark night" }));
  services.answer("datasets.create", () => ownTable());
  await dialog();
  await look("/data/novel.txt");
  expect(document.querySelector('[data-testid="add-min-count"]')).toBeNull();
  [...document.querySelectorAll<HTMLElement>('[data-testid="add-unit"] .el-segmented__item')].find((item) => item.textContent?.includes("Words"))!.querySelector("input")!.click();
  await flushPromises();
  expect(page()).toContain("rarer words become <unk>. Perplexities of different vocabularies are not comparable.");
  const count = document.querySelector<HTMLInputElement>('[data-testid="add-min-count"] input')!;
  expect(count.value).toBe("2");
  count.value = "5";
  count.dispatchEvent(new Event("change"));
  await flushPromises();
  await press("add-create");
  expect(services.inputs("datasets.create")).toEqual([{ order: { form: "text", title: "novel", path: "/data/novel.txt", unit: "words", minCount: 5 }, job: expect.any(String) as string }]);
});

it("wants the targets of an array that stands alone", async () => {
  services.answer("datasets.preview", () => ({ form: "arrays", arrays: [{ name: "x", shape: [100, 4], type: "float32" }] }));
  services.answer("datasets.create", () => ownTable());
  await dialog();
  await look("/data/x.npy");
  expect(isDisabled("add-create")).toBe(true);
  expect(onPage("add-create").getAttribute("title")).not.toBeNull();
  await write("add-targets", "/data/y.npy");
  await press("add-create");
  expect(services.inputs("datasets.create")).toMatchObject([{ order: { form: "arrays", features: { path: "/data/x.npy" }, targets: { path: "/data/y.npy" } } }]);
});

it("tells of every column what it holds, and marks what is missing or mixed", () => {
  const { wrapper } = mountForm(CsvColumns, ["number", "category", "target"], { props: { preview: csv } });
  const cells = wrapper.findAll("tbody tr").map((row) => row.findAll("td")[2]!);
  expect(cells.map((cell) => cell.classes().includes("warn"))).toEqual([true, false, false]);
  expect(cells[0]!.text()).toMatch(/^1,498 numbers, .* 2 missing$/);
  expect(cells[1]!.text()).toMatch(/^1,500 texts, 4 different$/);
  expect(wrapper.findAll("tbody tr")[0]!.findAll("td")[3]!.text()).toBe("1.5 · –");
});

it("has one target: choosing another frees the first, as what it holds", async () => {
  const roles = (wrapper: VueWrapper) => wrapper.findAllComponents(ElSelect).map((select) => select.props("modelValue") as string);
  const { wrapper, value } = mountForm(CsvColumns, ["number", "category", "target"], { props: { preview: csv } });
  const use = async (row: number, role: string) => {
    const option = wrapper.findAllComponents(ElSelect)[row]!.findAllComponents(ElOption).find((found) => found.props("value") === role)!;
    option.element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    await flushPromises();
  };
  await use(0, "target");
  expect(value()).toEqual(["target", "category", "category"]);
  await use(1, "target");
  expect(value()).toEqual(["number", "target", "category"]);
  await use(2, "ignore");
  expect(roles(wrapper)).toEqual(["number", "target", "ignore"]);
});

it("shows how far an import is, and stops it when the dialog is closed", async () => {
  services.answer("datasets.preview", () => ({ form: "text", path: "/data/novel.txt", parts: [], column: null, characters: 123_456, vocabulary: 80, beginning: "It was" }));
  services.answer("datasets.create", () => new Promise<never>(() => undefined));
  services.answer("datasets.stopImport", () => null);
  await dialog();
  await look("/data/book.txt");
  await press("add-create");
  const { job } = services.inputs("datasets.create").at(-1) as { job: string };
  services.emit("dataset.importing", { job: "another", done: 1, total: 2, unit: "images" });
  await flushPromises();
  expect(shown("add-progress")).toBeNull();
  services.emit("dataset.importing", { job, done: 1200, total: 5000, unit: "images" });
  await flushPromises();
  expect(shown("add-progress")).toBe("1,200 of 5,000 images");
  [...document.body.querySelectorAll("button")].find((button) => button.textContent?.trim() === "Stop import")!.click();
  await flushPromises();
  expect(services.inputs("datasets.stopImport")).toEqual([{ job }]);
});

it("has a file chosen or dropped in the desktop app, where none can be typed", async () => {
  services.answer("datasets.preview", () => csv);
  services.answer("datasets.choose", ({ what }) => (what === "file" ? "/data/flowers.csv" : null));
  await dialog();
  useApp().info = { ...useApp().info!, host: "desktop" };
  await flushPromises();
  expect(input("add-path").readOnly).toBe(true);
  await press("add-path-choose");
  expect(input("add-path").value).toBe("/data/flowers.csv");
  // Cancelled: what was chosen stays.
  await press("add-path-choose-folder");
  expect(input("add-path").value).toBe("/data/flowers.csv");
  expect(services.inputs("datasets.choose")).toEqual([{ what: "file" }, { what: "folder" }]);
});

it("shows which arrays are for testing, and lets the axes of images be chosen", async () => {
  const arrays = [["x_train", [9, 4, 5, 3]], ["y_train", [9]], ["x_test", [3, 4, 5, 3]], ["y_test", [3]]] as const;
  services.answer("datasets.preview", () => ({ form: "arrays", arrays: arrays.map(([name, shape]) => ({ name, shape: [...shape], type: "bytes" })) }));
  await dialog();
  await write("add-path", "/data/keras.npz");
  await press("add-preview");
  expect(shown("add-testing")).toContain("Testing: x_test.");
  await press("add-create");
  const pair = (part: string) => ({ features: { path: "/data/keras.npz", array: `x_${part}` }, targets: { path: "/data/keras.npz", array: `y_${part}` } });
  expect(services.inputs("datasets.create")[0]).toMatchObject({ order: { form: "arrays", ...pair("train"), test: pair("test") } });
});

it("takes a test file beside a table", async () => {
  services.answer("datasets.preview", () => csv);
  await dialog();
  await write("add-path", "/data/flowers.csv");
  await press("add-preview");
  expect(shown("add-testing")).toContain("a fifth of the examples");
  await write("add-test", "/data/test.csv");
  expect(shown("add-testing")).toContain("examples of their own");
  await press("add-create");
  expect(services.inputs("datasets.create")[0]).toMatchObject({ order: { parts: [{ path: "/data/test.csv", split: "test" }] } });
});
