import { describe, expect, it } from "vitest";
import { validateExperiment, type Experiment } from "../../../src/shared/experiment.ts";
import { atPaperValues, table1Experiment, table1Rows } from "../../../src/shared/table1.ts";
import { hyperparameterColumns, notation } from "../../../src/shared/tower.ts";

function valid(input: unknown): Experiment {
  const result = validateExperiment(input);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.experiment;
}

describe("Table 1", () => {
  it("has the paper's 18 rows, whose experiments are the stacks it prints", () => {
    expect(table1Rows.map(({ number }) => number)).toEqual(Array.from({ length: 18 }, (_, i) => i + 1));
    for (const row of table1Rows) {
      const { tower } = valid(table1Experiment(row, 0));
      // The paper writes RMSProp that learns both of its hyperparameters with both as superscripts.
      expect(notation(tower)).toBe(row.stack.replaceAll("RMSProp^{α,γ}", "RMSProp"));
    }
  });

  it("trains SGD and AdaGrad for 30 epochs, Adam and RMSProp for 5, on the default network", () => {
    for (const row of table1Rows) {
      const one = valid(table1Experiment(row, 2));
      expect(one.budget.epochs).toBe(/^(SGD|AdaGrad)/.test(row.stack) ? 30 : 5);
      expect(one).toMatchObject({
        seed: 2,
        batchSize: 256,
        dataset: { kind: "mnist", trainExamples: 60_000, testExamples: 10_000 },
        model: { hidden: [128], activation: "tanh", outputActivation: "tanh" },
      });
    }
  });

  it("has a second column exactly for the towers, with values for all that level 0 learns", () => {
    for (const row of table1Rows) {
      const { tower } = valid(table1Experiment(row, 0));
      expect(row.rerun !== null).toBe(tower.length > 1);
      if (!row.rerun) continue;
      const learned = hyperparameterColumns(tower).filter(({ level }) => level === 0).map(({ spec }) => spec.name);
      expect(Object.keys(row.rerun.learned)).toEqual(learned);
    }
  });

  it("has the figures of the paper", () => {
    expect(table1Rows.map(({ paper }) => [paper.mean, paper.deviation])).toEqual([
      [8.99, 0.05], [4.81, 0.1], [4.86, 0.06], [4.85, 0.21], [4.52, 0.02],
      [4.67, 0.06], [3.03, 0.02], [3.12, 0.04], [3.05, 0.09], [3.04, 0.08],
      [7.4, 0.08], [6.9, 0.16], [5.03, 0.23],
      [4.19, 0.47], [3.55, 0.23], [3.33, 0.07], [3.42, 0.45], [2.96, 0.11],
    ]);
    expect(table1Rows.map(({ rerun }) => rerun && [rerun.paper.mean, rerun.paper.deviation])).toEqual([
      null, [5.44, 0.1], [2.8, 0.09], [5.17, 0.03], [2.52, 0.07],
      null, [3.11, 0.06], [3.47, 0.02], [3.24, 0.13], [3.08, 0.12],
      null, [7.75, 0.02], [6.67, 0.08],
      null, [3.93, 0.7], [3.25, 0.09], [3.6, 0.04], [3.65, 0.36],
    ]);
  });

  it("starts a plain optimizer at the paper's learned values", () => {
    expect(atPaperValues(table1Rows[0]!)).toBeNull();
    const { tower } = valid({ tower: atPaperValues(table1Rows[8]!) });
    expect(tower).toHaveLength(1);
    expect(tower[0]).toMatchObject({ optimizer: "adam", alpha: 0.0038, beta1: 0.87, beta2: 0.999 });
  });
});
