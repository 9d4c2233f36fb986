/** What a window gets of a run's export, and where it is sent to the command line. */
import { expect, it } from "vitest";
import { UserError } from "../../../src/main/services/services.ts";
import { exporter } from "../../../src/main/services/exports.ts";
import type { RunDetail } from "../../../src/shared/run.ts";
import { aRun, anEnvironment, openStore, rowsOf } from "../../support/storeFixtures.ts";

const count = 5_000;

/** A store with one finished run, and the exporter over it. */
function stored(maxText?: number) {
  const store = openStore();
  const run = aRun({}, { status: "finished", steps: count });
  const metrics = ["loss", ...run.hyperparameters.map(({ metric }) => metric)];
  store.createRun(run);
  store.beginSeries(run.id, metrics, anEnvironment);
  store.appendRows(run.id, rowsOf(metrics.map((_, column) => Array.from({ length: count }, (_, step) => (column + 1) / (step + 1)))));
  store.flush();
  const get = (id: string): RunDetail => {
    const found = store.getRun(id);
    if (!found) throw new UserError(`There is no run ${id}`);
    return found;
  };
  return { run, exports: exporter(get, store, maxText) };
}

it("reads every step out of the store", () => {
  const { run, exports } = stored();
  const { filename, mediaType, text } = exports.text(run.id, "csv");
  expect(filename).toBe(`Adam-SGD-1e-5-${run.id}-schedule.csv`);
  expect(mediaType).toBe("text/csv");
  const rows = text.trimEnd().split("\n").filter((line) => !line.startsWith("#")).slice(1);
  expect(rows).toHaveLength(count + 1);
  expect(rows[4999]).toBe(["4999", String(4999 / 235), ...[1, 2, 3, 4, 5].map((column) => String(column / 5000))].join(","));
});

it("sends what is too long for a window to the command line, which has no limit", () => {
  const { run, exports } = stored(100_000);
  expect(() => exports.text(run.id, "csv")).toThrow(`hypertower export ${run.id} --format csv --out Adam-SGD-1e-5-${run.id}-schedule.csv`);
  expect([...exports.file(run.id, "csv").pieces].join("").length).toBeGreaterThan(100_000);
});

it("refuses as people are to be told", () => {
  const { run, exports } = stored();
  expect(() => exports.file("elsewhere", "csv")).toThrow(UserError);
  const store = openStore();
  const waiting = aRun({});
  store.createRun(waiting);
  expect(() => exporter((id) => store.getRun(id)!, store).file(waiting.id, "json")).toThrow(UserError);
  expect(() => exports.file(run.id, "library")).not.toThrow();
});
