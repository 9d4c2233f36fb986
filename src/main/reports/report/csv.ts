/** Tables of a report as CSV (RFC 4180), a piece at a time: a long study never stands in memory as a whole. */

export type Cell = string | number | boolean | null | undefined;

/** A column of a table, as the sidecar describes it. */
export interface Column {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

/** Cells that many rows have in common: they are written once. */
export class CommonCells {
  readonly text: string;

  constructor(cells: readonly Cell[]) {
    this.text = cells.map(cell).join(",");
  }
}

export type Row = readonly (Cell | CommonCells)[];

/** How a cell begins that a spreadsheet would compute; https://owasp.org/www-community/attacks/CSV_Injection. */
const formula = /^[=+\-@\t\r]/;

/** Empty for what is not there, `nan` for a number that is not finite; an apostrophe keeps spreadsheets from computing a text. */
function cell(value: Cell | CommonCells): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "nan";
  if (value === null || value === undefined) return "";
  if (value instanceof CommonCells) return value.text;
  const text = typeof value === "string" && formula.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export function csvLine(row: Row): string {
  let line = cell(row[0]);
  for (let i = 1; i < row.length; i++) line += `,${cell(row[i])}`;
  return `${line}\n`;
}

/** Characters of a piece that is worth a write of its own. */
const pieceLength = 2 ** 16;

/** A line of names, then one for every row; joined to pieces worth a write of their own. */
export function* csvTable(columns: readonly Column[], rows: Iterable<Row>): Generator<string> {
  let piece = csvLine(columns.map(({ name }) => name));
  for (const row of rows) {
    piece += csvLine(row);
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}
