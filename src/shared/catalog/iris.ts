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
  files: {
    from: "program",
    files: [{ name: "iris.csv", bytes: 3658, digest: "sha256:8dd5683597cb0982024f519a616ebedcc5ac8200bf0a6ac1f5dd85e506c6bfb3" }],
  },
  reader: { format: "iris", file: "iris.csv" },
};
