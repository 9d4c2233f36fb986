/** An imported run as CSV or JSON: every recorded step, with the series that it has. */
import { recordFormatNames, wallTimeSeries } from "../../shared/importedRun.ts";
import type { RunDetail } from "../../shared/run.ts";
import type { StoredStep } from "../store/runReader.ts";
import { comment } from "./python.ts";

const meaning = `step: as recorded; ${wallTimeSeries}: seconds since 1970; a cell is empty where nothing is recorded at the step, or no number`;

/** Text of a value as JavaScript and Python read it back exactly. */
const cell = (value: number) => (Number.isNaN(value) ? "" : String(value).replace("Infinity", "inf"));

export function* importedCsv(run: RunDetail, steps: Iterable<StoredStep>): Generator<string> {
  const { format, path, configuration } = run.imported!;
  yield `${comment(`${run.name}, run ${run.id}, imported from ${recordFormatNames[format]}: ${path}`, meaning, `configuration: ${JSON.stringify(Object.fromEntries(configuration))}`)}\n`;
  yield `${["step", ...run.metrics].map(quoted).join(",")}\n`;
  for (const { step, values } of steps) yield `${[String(step), ...values.map(cell)].join(",")}\n`;
}

export function* importedJson(run: RunDetail, steps: Iterable<StoredStep>): Generator<string> {
  const { id, name, createdAt, imported } = run;
  const head = { run: { id, name, importedAt: new Date(createdAt).toISOString() }, imported: { ...imported!, configuration: Object.fromEntries(imported!.configuration) }, meaning, columns: ["step", ...run.metrics] };
  yield `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "rows": [`;
  let separator = "\n";
  for (const { step, values } of steps) {
    yield `${separator}    ${JSON.stringify([step, ...values.map((value) => (Number.isFinite(value) ? value : Number.isNaN(value) ? null : String(value)))])}`;
    separator = ",\n";
  }
  yield "\n  ]\n}\n";
}

const quoted = (name: string) => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
