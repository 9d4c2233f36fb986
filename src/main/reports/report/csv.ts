/** CSV tables of a report (RFC 4180), in chunks: a long study never fits in memory as a whole. */

export type Cell = string | number | boolean | null | undefined;

/** A table column, as described in the sidecar. */
export interface Column {
  readonly name: string;
  readonly unit: string;
  readonly description: string;
}

/** Cells shared by many rows, formatted once. */
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

/** Characters per chunk. */
const pieceLength = 2 ** 16;

/** Yields the header and the rows in chunks. */
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
