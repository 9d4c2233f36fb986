/** What is trained of a file that does not say which of its arrays are parameters. */
import { describe, expect, it } from "vitest";
import { readGraph } from "../../../src/core/graphs/describe.ts";
import { field, message, onnxBytes, tensor, wireNode } from "../../support/wire.ts";

const roles = (arrays: Readonly<Record<string, readonly [shape: number[], values: number[]]>>) => {
  const names = Object.keys(arrays);
  const nodes = names.map((name, i) => wireNode("Add", [i === 0 ? "x" : `sum${i - 1}`, name], [i === names.length - 1 ? "y" : `sum${i}`]));
  const { description } = readGraph(onnxBytes({ nodes, initializers: names.map((name) => tensor(name, arrays[name]![0], arrays[name]![1])) }), { folder: null });
  return Object.fromEntries(description.initializers.map(({ name, role }) => [name, role]));
};

describe("an array's role", () => {
  it("follows from its name, shape and values", () => {
    const positions = [0, 1].flatMap((at) => [Math.sin(at), Math.cos(at), Math.sin(at / 100), Math.cos(at / 100)]);
    const found = roles({
      "fc.weight": [[2, 4], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]],
      "norm.weight": [[4], [1, 1, 1, 1]],
      "mask": [[2, 4], [0, 1, 1, 0, 0, 0, -Infinity, 1]],
      "pe": [[2, 4], positions],
      "logit.scale": [[], [2.5]],
      "7": [[], [0.5]],
    });
    expect(found).toEqual({ "fc.weight": "parameter", "norm.weight": "parameter", mask: "buffer", pe: "buffer", "logit.scale": "parameter", "7": "constant" });
  });

  it("is that of a setting where only an operator's settings read it", () => {
    const bytes = onnxBytes({ nodes: [wireNode("Clip", ["x", "low", "high"], ["y"])], initializers: [tensor("low", [], [0]), tensor("high", [], [6])], more: [message(field(14, message(field(1, "a"), field(2, "b"))))] });
    expect(readGraph(bytes, { folder: null }).description.initializers.map(({ role }) => role)).toEqual(["constant", "constant"]);
  });
});
