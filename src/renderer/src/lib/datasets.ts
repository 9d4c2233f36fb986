/** Descriptions of datasets. */
import { suggestedTask, type DatasetInfo, type ImportOrder, type ImportPreview } from "@shared/datasets.ts";
import { arrayRoles, likelyLabel, type NamedPair } from "@shared/dataSplits.ts";
import { symbolsOf } from "@shared/texts.ts";
import { formatCount } from "@/lib/format.ts";

/** `60,000 + 10,000 images of 28 × 28, 10 classes`. */
export function describeDataset({ task, trainExamples, testExamples, exampleShape, classes, unit }: Pick<DatasetInfo, "task" | "trainExamples" | "testExamples" | "exampleShape" | "classes" | "unit">): string {
  if (task === "text") return trainExamples > 0 ? `${formatCount(trainExamples)} + ${formatCount(testExamples)} ${symbolsOf({ unit })}${unit === "words" ? `, ${formatCount(classes)} different ones` : ""}` : "a text";
  const what = exampleShape.length === 3 ? `${exampleShape[0] === 3 ? "colour " : ""}images of ${exampleShape.slice(1).join(" × ")}` : `examples of ${formatCount(exampleShape.reduce((a, b) => a * b, 1))} values`;
  return `${formatCount(trainExamples)} + ${formatCount(testExamples)} ${what}, ${task === "regression" ? "regression" : `${formatCount(classes)} classes`}`;
}

/** Import settings suggested by a preview. */
export function suggestedOrder(preview: ImportPreview, path: string): ImportOrder {
  const title = path.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1)?.replace(/\.[a-z0-9]+$/i, "") || "My data";
  switch (preview.form) {
    case "csv": {
      const target = preview.columns.findIndex(({ suggested }) => suggested === "target");
      const column = preview.columns[target];
      const task = column ? suggestedTask(column) : "classification";
      return { form: "csv", title, path: preview.path, delimiter: preview.delimiter, header: preview.header, ...(preview.decimal === "," ? { decimal: "," as const } : {}), roles: preview.columns.map(({ suggested }) => suggested), task, missing: "refuse", ...(preview.parts.length > 0 ? { parts: preview.parts } : {}) };
    }
    case "images":
      return { form: "images", title, path, width: preview.width, height: preview.height, channels: 3 };
    case "arrays": {
      if (preview.arrays.length === 1) return { form: "arrays", title, features: { path }, targets: { path: "" }, task: "classification" };
      const { train, test, validation } = arrayRoles(preview.arrays);
      const pairIn = ({ features, targets }: NamedPair) => ({ features: { path, array: features }, targets: { path, array: targets } });
      // What cannot be told is left to be chosen.
      const chosen = train ? pairIn(train) : { features: { path }, targets: { path } };
      return { form: "arrays", title, ...chosen, ...(test ? { test: pairIn(test) } : {}), ...(validation ? { validation: pairIn(validation) } : {}), task: "classification" };
    }
    case "text":
      return { form: "text", title, path: preview.path, unit: "characters", ...(preview.parts.length > 0 ? { parts: preview.parts } : {}), ...(preview.column === null ? {} : { column: preview.column }) };
    case "imageTable":
      return { form: "imageTable", title, parts: preview.parts, image: preview.images[0]!, label: likelyLabel(preview.labels), width: preview.width, height: preview.height, channels: 3 };
  }
}
