/** The picture of an imported network: modules in modules, arrows, groups, search, keys. */
import { flushPromises } from "@vue/test-utils";
import { expect, it, vi } from "vitest";
import NetworkGraph from "@/components/networks/NetworkGraph.vue";
import { layOut } from "@/lib/networkLayout.ts";
import { ModuleTree } from "@/lib/networkPicture.ts";
import type { NamedPart } from "@shared/groups.ts";
import type { NetworkNode, NetworkPicture } from "@shared/networks.ts";
import { byTestid, mountPart, services } from "./support.ts";

const node = (module: string, operator: string, from: string, to: string, parameters: NetworkNode["parameters"] = []): NetworkNode => ({
  name: `/${module}/${operator}`,
  module,
  operator,
  title: operator,
  inputs: from.split(" "),
  outputs: [to],
  shape: [4],
  parameters,
});
/** A block with a skip connection, and a head. */
const picture: NetworkPicture = {
  input: "x",
  output: "y",
  nodes: [
    node("block.fc", "Gemm", "x", "a", [{ name: "block.fc.weight", shape: [4, 4] }, { name: "block.fc.bias", shape: [4] }]),
    node("block", "Relu", "a", "b"),
    node("block", "Add", "x b", "c"),
    node("head", "Gemm", "c", "y", [{ name: "head.weight", shape: [10, 4] }]),
  ],
};
const groups: NamedPart[] = [{ name: "biases", match: ["*.bias"], frozen: false }];

async function shown(of: NetworkPicture = picture) {
  services.answer("networks.picture", () => of);
  const wrapper = mountPart(NetworkGraph, { props: { network: "a".repeat(64), groups } });
  await vi.waitFor(() => expect(wrapper.find(".scroller > svg").exists()).toBe(true));
  const titles = () => wrapper.findAll(".box").map((box) => box.attributes("aria-label")!);
  return { wrapper, titles, box: (id: string) => wrapper.find(`[data-box="${id}"]`) };
}

it("draws a closed module as one box with the arrows of what is in it", () => {
  const tree = new ModuleTree(picture);
  const closed = tree.draw(new Set(), groups);
  expect(closed.boxes.map(({ id, kind }) => [id, kind])).toEqual([["input", "end"], ["block", "closed"], ["node 3", "node"], ["output", "end"]]);
  expect(closed.arrows).toEqual([{ from: "input", to: "block" }, { from: "block", to: "node 3" }, { from: "node 3", to: "output" }]);
  expect(closed.boxes[1]).toMatchObject({ groups: ["biases"], detail: "3 nodes", shape: "4" });
  const open = tree.draw(tree.outermost(), []);
  expect(open.boxes.find(({ id }) => id === "node 0")).toMatchObject({ parent: "block", title: "fc", detail: "Gemm" });
  expect(open.arrows).toContainEqual({ from: "input", to: "node 2" });
});

it("places what is in a module inside its frame, and the frames of neighbors apart", async () => {
  const tree = new ModuleTree(picture);
  const { boxes, arrows } = tree.draw(tree.outermost(), groups);
  const { placed, height } = await layOut(boxes, arrows);
  const at = (id: string) => placed.find(({ box }) => box.id === id)!;
  const frame = at("block");
  for (const id of ["node 0", "node 1", "node 2"]) {
    expect(at(id).x).toBeGreaterThanOrEqual(frame.x);
    // The frame's name is above.
    expect(at(id).y).toBeGreaterThanOrEqual(frame.y + 16);
    expect(at(id).y + at(id).height).toBeLessThanOrEqual(frame.y + frame.height);
  }
  expect(at("node 3").y).toBeGreaterThan(frame.y + frame.height);
  expect(at("output").y + at("output").height).toBeLessThanOrEqual(height);
});

it("opens and closes modules by click and key, and lists parameters with their groups", async () => {
  const { wrapper, box } = await shown();
  expect(box("block").attributes("aria-expanded")).toBe("true");
  await box("block").trigger("keydown", { key: "Enter" });
  await vi.waitFor(() => expect(box("block").attributes("aria-expanded")).toBe("false"));
  expect(box("node 0").exists()).toBe(false);
  expect(byTestid(wrapper, "graph-parameters").text()).toMatch(/block\.fc\.weight\s+4 × 4\s+block\.fc\.bias\s+4\s+biases/);
  await box("block").trigger("click");
  await vi.waitFor(() => expect(box("node 0").exists()).toBe(true));
  expect(box("node 0").find(".group").text()).toBe("biases");
});

it("finds by name inside closed modules", async () => {
  const { wrapper, box } = await shown();
  await byTestid(wrapper, "graph-close-all").trigger("click");
  await vi.waitFor(() => expect(box("node 0").exists()).toBe(false));
  await wrapper.find("input").setValue("fc.bias");
  await vi.waitFor(() => expect(box("node 0").classes()).toContain("found"));
  await vi.waitFor(() => expect(box("node 0").classes()).toContain("chosen"));
  expect(byTestid(wrapper, "graph-matches").text()).toBe("1 found");
  await wrapper.find("input").setValue("nowhere");
  expect(byTestid(wrapper, "graph-matches").text()).toBe("Nothing has this name");
});

it("says why a network is not drawn", async () => {
  services.refuse("networks.picture", "The network tiny cannot be drawn: its file is missing.");
  const wrapper = mountPart(NetworkGraph, { props: { network: "a".repeat(64) } });
  await flushPromises();
  expect(byTestid(wrapper, "graph-problem").text()).toContain("its file is missing");
});

it("opens no more modules than it can place in a moment", async () => {
  const stage = (name: string, count: number, from: string) => Array.from({ length: count }, (_, i) => node(name, "Relu", i === 0 ? from : `${name}${i}`, `${name}${i + 1}`));
  const { wrapper, box } = await shown({ input: "x", output: "b205", nodes: [...stage("a", 100, "x"), ...stage("b", 205, "a100")] });
  await box("a").trigger("click");
  await vi.waitFor(() => expect(box("a").attributes("aria-expanded")).toBe("true"));
  await box("b").trigger("click");
  expect(byTestid(wrapper, "graph-notice").text()).toBe("That would show 309 boxes; at most 300 are drawn. Close other modules first.");
  expect(box("b").attributes("aria-expanded")).toBe("false");
});

it("does not draw a network of many nodes without modules", async () => {
  services.answer("networks.picture", () => ({ input: "x", output: "301", nodes: Array.from({ length: 301 }, (_, i) => node("", "Relu", i === 0 ? "x" : `${i}`, `${i + 1}`)) }));
  const wrapper = mountPart(NetworkGraph, { props: { network: "a".repeat(64) } });
  await flushPromises();
  expect(byTestid(wrapper, "graph-problem").text()).toBe("The network has 303 boxes outside modules; at most 300 are drawn. Nodes lists them.");
});
