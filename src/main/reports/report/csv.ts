/** Tables of a report as CSV (RFC 4180), a piece at a time: a long study never stands in memory as a whole. */

export type Cell = string | number | boolean | null | undefined;

/** A column of a table, as the sidecar describes it. */
export interface Column {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

/** Empty for what is not there, `nan` for a number that is not finite. */
function cell(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "nan";
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export const csvLine = (cells: readonly Cell[]) => `${cells.map(cell).join(",")}\n`;

/** A line of names, then one for every row; joined to pieces worth a write of their own. */
export function* csvTable(columns: readonly Column[], rows: Iterable<readonly Cell[]>): Generator<string> {
  let piece = [csvLine(columns.map(({ name }) => name))];
  for (const row of rows) {
    piece.push(csvLine(row));
    if (piece.length < 1024) continue;
    yield piece.join("");
    piece = [];
  }
  yield piece.join("");
}
