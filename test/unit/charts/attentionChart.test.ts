/** Heat maps of attention: which maps and cells there are, labels, and what is hovered. */
import { expect, it } from "vitest";
import { attentionChart, attentionHeight, cellsOf, headMaps, type AttentionPicture } from "../../../src/charts/attentionChart.ts";
import { shownSymbol } from "../../../src/shared/reading.ts";

const weights = Float32Array.of(1, 0, 0, 0.25, 0.75, 0, 0.5, 0.25, 0.25, 1, 0, 0, 0.75, 0.25, 0, 0, 0, 1);
const picture = (changes: Partial<AttentionPicture> = {}): AttentionPicture => ({ heads: 2, queries: 3, keys: 3, causal: true, weights, symbols: ["a", " ", "\n"], head: null, ...changes });

it("has the mean and every head, or what is chosen", () => {
  expect(headMaps(picture()).map(({ title }) => title)).toEqual(["Mean of 2 heads", "Head 1", "Head 2"]);
  expect([...headMaps(picture())[0]!.weights]).toEqual([1, 0, 0, 0.5, 0.5, 0, 0.25, 0.125, 0.625]);
  expect(headMaps(picture({ head: 1 })).map(({ title, weights: own }) => [title, ...own])).toEqual([["Head 2", 1, 0, 0, 0.75, 0.25, 0, 0, 0, 1]]);
  expect(headMaps(picture({ head: "mean" }))).toHaveLength(1);
});

it("leaves the causal mask blank, and joins cells that are too small", () => {
  const [map] = headMaps(picture({ head: 0 }));
  expect(cellsOf(map!, picture(), 1).map(({ query, key }) => `${query}${key}`)).toEqual(["00", "10", "11", "20", "21", "22"]);
  expect(cellsOf(map!, picture({ causal: false }), 1)).toHaveLength(9);
  // Blocks of 2 by 2: each has its largest weight.
  expect(cellsOf(map!, picture(), 2).map(({ query, key, weight }) => [query, key, weight])).toEqual([[0, 0, 1], [2, 0, 0.5], [2, 2, 0.25]]);
});

it("labels rows and columns with the symbols, and tells the weight of a cell", () => {
  const option = attentionChart(picture({ head: 0 }), { width: 700, height: attentionHeight(picture({ head: 0 }), 700), theme: "light", tooltip: (content) => content });
  const [series] = option["series"] as { data: { value: number[]; told: () => unknown }[] }[];
  expect(series!.data).toHaveLength(6);
  expect(series!.data[1]!.told()).toEqual({ title: "Head 1", rows: [{ name: "query", value: "␣ (position 1)" }, { name: "key", value: "a (position 0)" }, { name: "weight", value: "0.2500" }] });
  expect(["a", " ", "\n", "\t", "\u0007"].map(shownSymbol)).toEqual(["a", "␣", "⏎", "⇥", "\\x07"]);
  const many = (head: null | 0) => attentionHeight(picture({ heads: 8, weights: new Float32Array(72), head }), 900);
  expect(many(null)).toBeGreaterThan(many(0));
});
