/** An experiment as its run's page lists it. */
import { describe, expect, it } from "vitest";
import { experiment } from "../../../src/shared/experiment.ts";
import { configurationOf } from "../../../src/renderer/src/lib/configuration.ts";

describe("the configuration of a run", () => {
  it("is every field but its name, by its path", () => {
    const rows = new Map(configurationOf(experiment.parse({ name: "mine", tower: [{ optimizer: "sgd", alpha: 0.03 }] })));
    expect(rows.get("dataset.kind")).toBe("mnist");
    expect(rows.get("tower.0.alpha")).toBe("0.03");
    expect(rows.has("name")).toBe(false);
    expect(rows.has("dataset")).toBe(false);
    expect(new Map(configurationOf(experiment.parse({}), ["name", "seed"])).has("seed")).toBe(false);
  });

  it("says in words what is known of one's own data", () => {
    const classNames = Array.from({ length: 14 }, (_, i) => `kind ${i}`);
    const facts = { title: "Flowers", task: "classification" as const, trainExamples: 4000, testExamples: 1000, exampleShape: [4], classNames };
    const rows = configurationOf(experiment.parse({ dataset: { kind: "own/flowers", facts, trainExamples: 4000, testExamples: 1000 } }));
    expect(rows.filter(([path]) => path.startsWith("dataset") || path === "classes").slice(0, 3)).toEqual([
      ["dataset.kind", "own/flowers"],
      ["dataset", "Flowers: 4,000 + 1,000 examples of 4 values, 14 classes"],
      ["classes", "kind 0, kind 1, kind 2, kind 3, kind 4, kind 5, kind 6, kind 7, kind 8, kind 9, kind 10, kind 11, 2 more"],
    ]);
    expect(rows.filter(([path]) => path.includes("facts"))).toEqual([]);
  });
});
