import { withProgram, type DatasetEntry } from "./entry.ts";

/** Fisher's iris data, in centimeters. */
export const iris: DatasetEntry = {
  id: "iris",
  title: "Iris",
  task: "classification",
  trainExamples: 120,
  testExamples: 30,
  exampleShape: [4],
  classNames: ["setosa", "versicolor", "virginica"],
  featureNames: ["sepal length", "sepal width", "petal length", "petal width"],
  source: withProgram,
  licence: "CC BY 4.0",
  files: { from: "program", files: [] },
  reader: { format: "iris" },
};
