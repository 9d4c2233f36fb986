/** Fields of the configurations that imported runs record, where they differ. */
import type { RunSummary } from "../run.ts";

export interface RecordedField {
  readonly field: string;
  /** One for each run; null for runs trained here, and where the field is not recorded. */
  readonly values: readonly (string | number | null)[];
}

export function recordedFields(runs: readonly Pick<RunSummary, "imported">[]): RecordedField[] {
  const configurations = runs.map(({ imported }) => imported && new Map(imported.configuration));
  const names = [...new Set(configurations.flatMap((fields) => [...(fields?.keys() ?? [])]))];
  return names.flatMap((field) => {
    const values = configurations.map((fields) => {
      const value = fields?.get(field) ?? null;
      return typeof value === "boolean" ? String(value) : value;
    });
    return new Set(values).size > 1 || runs.length === 1 ? [{ field, values }] : [];
  });
}
