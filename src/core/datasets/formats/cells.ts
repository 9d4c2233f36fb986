/** Numbers in the cells of tables, as different countries write them. */

/** Character between the whole and the fraction of a number. */
export type Decimal = "." | ",";

const missingValues = new Set(["", "na", "n/a", "nan", "null", "none", "?"]);
export const isMissing = (text: string) => missingValues.has(text.trim().toLowerCase());

const grouped = /^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$/;
const withComma = /^[+-]?(\d+,?\d*|,\d+)(e[+-]?\d+)?$/i;

/** Number in a cell; NaN for other text. With decimal commas, points separate groups of three digits. */
export function numberIn(text: string, decimal: Decimal = "."): number {
  const trimmed = text.trim();
  if (trimmed === "") return NaN;
  if (decimal === ".") return Number(trimmed);
  if (grouped.test(trimmed)) return Number(trimmed.replaceAll(".", "").replace(",", "."));
  return withComma.test(trimmed) ? Number(trimmed.replace(",", ".")) : NaN;
}

const foreign = /^[$€£¥]?\s?[+-]?(\d{1,3}([.,'\u00a0\u202f ]\d{3})+([.,]\d+)?|\d+([.,]\d+)?)\s?[%€$£¥]?$/;

/** Whether a cell looks like a number in a notation that is not read: `1 234`, `$5.00`, `12 %`, or another decimal separator. */
export const looksLikeNumber = (text: string) => foreign.test(text.trim());

const isoDate = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?$/;
const otherDate = /^(\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})|\d{4}[./]\d{1,2}[./]\d{1,2})([T ,]\s?\d{1,2}:\d{2}(:\d{2})?( ?[AP]M)?)?$/i;

/** Whether a cell is written as a date, with or without a time. */
export function looksLikeDate(text: string): boolean {
  const trimmed = text.trim();
  return isoDate.test(trimmed) || otherDate.test(trimmed);
}

/** Counts of the cells that tell decimal commas from decimal points. */
export class DecimalGuess {
  #commas = 0;
  #points = 0;
  /** Cells with a comma that cannot be groups of three digits. */
  #certain = 0;

  add(text: string): void {
    const cell = text.trim();
    if (/^[+-]?\d+\.\d+(e[+-]?\d+)?$/i.test(cell)) this.#points++;
    if (!/^[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+(e[+-]?\d+)?$/i.test(cell)) return;
    this.#commas++;
    if (!/^[+-]?\d{1,3},\d{3}$/.test(cell)) this.#certain++;
  }

  /** In a file with commas between its cells, `1,234` is more likely a group of three digits. */
  decimal(delimiter: string): Decimal {
    if (this.#commas <= this.#points) return ".";
    const isGroup = this.#certain === 0 && (delimiter === "," || this.#points > 0);
    return isGroup ? "." : ",";
  }
}
