/** Comparison table: differing settings, results, and differences from a baseline. */
import { isPercent, metricOf } from "@shared/metrics.ts";
import { metricUnit, type StudyMetricName } from "@shared/study/metric.ts";
import type { RunSummary } from "@shared/run.ts";
import { standardErrorOf, summarize } from "@shared/statistics.ts";
import { trainedPrefix } from "@shared/trainedTime.ts";
import { formatHyperparameter } from "@shared/tower.ts";
import { alignTowers } from "@shared/comparison/alignment.ts";
import type { Compared, Result } from "./compared.ts";
import { recordedFields } from "@shared/comparison/recorded.ts";
import { differences, levelFieldLabel } from "@shared/comparison/differences.ts";
import { follows } from "./varied.ts";
import { durationOf, formatCount, formatField, formatMeasure, formatSeconds, missing, statusLabels } from "./format.ts";

export interface Cell {
  readonly text: string;
  /** For sorting; null without a number. */
  readonly number: number | null;
  /** Whether it equals the baseline's; true for the baseline itself. */
  readonly same: boolean;
  /** Difference from the baseline. */
  readonly delta: { readonly difference: string; readonly relative: string | null; readonly better: boolean | null } | null;
}

export interface Field {
  /** Path of a setting, or name of a result. */
  readonly key: string;
  readonly label: string;
  readonly section: "configuration" | "results";
  /** One per compared item, in order. */
  readonly cells: readonly Cell[];
}

export interface TableData {
  readonly compared: readonly Compared[];
  /** The headline metric; the test error by default. */
  readonly metric?: StudyMetricName;
  /** Results under that metric by run, final and best. */
  readonly final: ReadonlyMap<string, Result>;
  readonly best: ReadonlyMap<string, Result>;
  /** Index of the pinned baseline, or null. */
  readonly baseline: number | null;
}

function settings({ compared, baseline }: TableData): Field[] {
  /** Indices of what was trained here; the fields of imported runs are others. */
  const trained = compared.flatMap(({ runs }, i) => (runs[0]!.run.imported ? [] : [i]));
  const experiments = trained.map((i) => compared[i]!.runs[0]!.run.experiment);
  const place = new Map(trained.map((at, i) => [at, i]));
  const cells = (values: readonly { text: string; number: number | null }[]) =>
    values.map((cell): Cell => ({ ...cell, delta: null, same: baseline !== null && cell.text === values[baseline]?.text }));
  const stacks = compared.map(({ runs }) => runs[0]!.run.stack);
  const grouped = compared.some(({ runs }) => runs.length > 1);
  const rows = differences(experiments, place.get(baseline ?? 0) ?? 0)
    .filter(({ path }) => !(grouped && path === "seed"))
    .map(({ path, label, values }): Field => ({
      key: path,
      label,
      section: "configuration",
      cells: cells(
        compared.map((_, i) => {
          const at = place.get(i);
          const value = at === undefined ? undefined : values[at];
          return { text: at === undefined ? missing : formatField(path, value), number: typeof value === "number" ? value : null };
        }),
      ),
    }));
  for (const { field, values } of recordedFields(compared.map(({ runs }) => runs[0]!.run))) {
    rows.push({ key: `imported.${field}`, label: field, section: "configuration", cells: cells(values.map((value) => ({ text: value === null ? missing : String(value), number: typeof value === "number" ? value : null }))) });
  }
  if (new Set(stacks).size < 2) return rows;
  return [{ key: "tower", label: "tower", section: "configuration", cells: cells(stacks.map((text) => ({ text, number: null }))) }, ...rows];
}

interface Measured {
  readonly key: string;
  readonly label: string;
  /** Value of a run; null without one. */
  valueOf(run: RunSummary, of: number): number | null;
  format(value: number): string;
  readonly unit?: string;
  readonly lowerIsBetter?: boolean;
  /** Formats the standard error (two digits by default); empty omits it. */
  spread?(standardError: number): string;
  /** Before the value, where it is not exact. */
  prefix?(runs: readonly RunSummary[]): string;
  /** In place of a number that only stands for having diverged. */
  diverged?(run: RunSummary): boolean;
}

const signed = (text: string, value: number) => (value > 0 ? `+${text}` : text.replace("-", "−"));

function results(data: TableData, { key, label, valueOf, format, unit = "", lowerIsBetter, spread = (error) => formatMeasure(Number(error.toPrecision(2))), diverged = () => false, prefix = () => "" }: Measured): Field {
  const { compared, baseline } = data;
  const summaries = compared.map(({ runs }, of) => {
    const values = runs.flatMap(({ run }) => valueOf(run, of) ?? []);
    return values.length === 0 ? null : summarize(values);
  });
  const base = baseline === null ? null : (summaries[baseline]?.mean ?? null);
  const cells = summaries.map((summary, of): Cell => {
    if (!summary) return { text: missing, number: null, same: false, delta: null };
    const error = standardErrorOf(summary);
    const around = error === null || error === 0 ? "" : spread(error);
    const written = around === "" ? format(summary.mean) : `${format(summary.mean)} ± ${around}`;
    const difference = base === null || of === baseline ? null : summary.mean - base;
    const relative = difference === null || base === null || base === 0 ? null : (100 * difference) / Math.abs(base);
    return {
      text: compared[of]!.runs.every(({ run }) => diverged(run)) ? "diverged" : `${prefix(compared[of]!.runs.map(({ run }) => run))}${written}${unit}`,
      number: summary.mean,
      same: base !== null && summary.mean === base,
      delta:
        difference === null
          ? null
          : {
              difference: difference === 0 ? "±0" : signed(`${format(difference)}${unit}`, difference),
              relative: relative === null || difference === 0 ? null : signed(`${Number(relative.toPrecision(Math.abs(relative) >= 100 ? 3 : 2))} %`, relative),
              better: difference === 0 || lowerIsBetter === undefined ? null : difference < 0 === lowerIsBetter,
            },
    };
  });
  return { key, label: cells.some(({ text }) => text.includes(" ± ")) ? `${label} (mean ± standard error)` : label, section: "results", cells };
}

/** Number of runs by status: `finished`, or `2 finished, 1 diverged`. */
function statuses({ runs }: Compared): string {
  const counts = new Map<string, number>();
  for (const { run } of runs) counts.set(statusLabels[run.status], (counts.get(statusLabels[run.status]) ?? 0) + 1);
  const [only] = counts.keys();
  return counts.size === 1 && runs.length === 1 ? only! : [...counts].map(([status, count]) => `${count} ${status.toLowerCase()}`).join(", ");
}

/** Final learned values, levels aligned; omits levels that only one item has. */
function learned(data: TableData): Field[] {
  // Imported runs have no tower: theirs are gaps between the cells of the others.
  const trained = data.compared.flatMap(({ runs }, i) => (runs[0]!.run.imported ? [] : [i]));
  if (trained.length === 0) return [];
  if (trained.length < data.compared.length) {
    const baseline = data.baseline === null ? -1 : trained.indexOf(data.baseline);
    const fields = learned({ ...data, compared: trained.map((i) => data.compared[i]!), baseline: baseline < 0 ? null : baseline });
    const gap: Cell = { text: missing, number: null, same: false, delta: null };
    return fields.map((field) => ({ ...field, cells: data.compared.map((_, i) => field.cells[trained.indexOf(i)] ?? gap) }));
  }
  const towers = data.compared.map(({ runs }) => runs[0]!.run.experiment.tower);
  return alignTowers(towers, data.baseline ?? 0).flatMap((slot, at) => {
    const having = slot.levels.filter((level) => level !== null).length;
    if (having < Math.min(2, towers.length)) return [];
    const levels = slot.levels.flatMap((level, of) => (level === null ? [] : [towers[of]![level]!]));
    const names = new Set(data.compared.flatMap(({ runs }, of) => runs.flatMap(({ run }) => run.hyperparameters.filter(({ level }) => level === slot.levels[of]).map(({ name }) => name))));
    return [...names].map((name) =>
      results(data, {
        key: `${at}.${name}`,
        label: `${levelFieldLabel(name, slot, levels)}, last`,
        valueOf: (run, of) => run.hyperparameters.find((h) => h.level === slot.levels[of] && h.name === name)?.value ?? null,
        format: formatHyperparameter,
      }),
    );
  });
}

/**
 * Fields worth a column when items are rows: results first, then settings, except the presence of
 * levels
 * (which the tower shows) and those that always vary together with another.
 */
export function columnsOf(fields: readonly Field[]): Field[] {
  const textsOf = ({ cells }: Field) => cells.map(({ text }) => (text === missing ? undefined : text));
  const settings = fields.filter(({ section, key }) => section === "configuration" && !/^tower\.[^.]+$/.test(key));
  const kept: Field[] = [];
  for (const field of settings) if (field.key === "tower" || !kept.some((other) => other.key !== "tower" && follows(textsOf(field), textsOf(other)))) kept.push(field);
  return [...fields.filter(({ key }) => key === "status" || key === "testError" || key === "bestTestError"), ...kept, ...fields.filter(({ section, key }) => section === "results" && !["status", "testError", "bestTestError"].includes(key))];
}

/** All fields of the table; without a baseline there are no differences. */
export function compareTable(data: TableData): Field[] {
  const { metric = "testError" } = data;
  const { label } = metricOf(metric);
  const written = (value: number) => (isPercent(metric) ? value.toFixed(2) : formatMeasure(value));
  const resultOf = (from: ReadonlyMap<string, Result>) => ({
    valueOf: ({ id }: RunSummary) => from.get(id)?.counted ?? from.get(id)?.value ?? null,
    diverged: ({ id }: RunSummary) => from.get(id)?.outcome === "diverged",
    format: written,
    spread: written,
    unit: metricUnit(metric),
    lowerIsBetter: true,
  });
  const plain = (key: string, label: string, textOf: (of: Compared) => string): Field => ({
    key,
    label,
    section: "results",
    cells: data.compared.map((of) => ({ text: textOf(of), number: null, same: false, delta: null })),
  });
  return [
    ...settings(data),
    plain("status", "status", statuses),
    results(data, { key: "testError", label: `${label}, last`, ...resultOf(data.final) }),
    results(data, { key: "bestTestError", label: `${label}, best`, ...resultOf(data.best) }),
    results(data, { key: "loss", label: "loss, last step", valueOf: ({ loss }) => loss, format: formatMeasure, lowerIsBetter: true }),
    results(data, { key: "steps", label: "steps", valueOf: ({ steps }) => steps, format: (value) => formatCount(value) }),
    results(data, {
      key: "duration",
      label: "trained for",
      valueOf: durationOf,
      format: (value) => (value < 0 ? `-${formatSeconds(-value)}` : formatSeconds(value)),
      prefix: (runs) => trainedPrefix(runs.map(({ trained }) => trained)),
      spread: () => "",
      lowerIsBetter: true,
    }),
    ...learned(data),
  ];
}
