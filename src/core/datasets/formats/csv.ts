/** Reads CSV tables: previews of their columns, and their rows as numbers. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CsvError, parse, type Info, type Parser } from "csv-parse";
import { isMostlyNumbers, maxCategories, type ColumnRole } from "../../../shared/datasets.ts";
import { messageOf } from "../../../shared/errors.ts";
import { formatBytes } from "../../../shared/format.ts";
import { byteCounter, type OnProgress } from "../progress.ts";
import { requireStorable } from "./packed.ts";
import { requireUtf8 } from "./utf8.ts";

export interface CsvColumn {
  readonly name: string;
  /** Number of rows with a number, with other text, and with a missing value (empty, NA, NaN, null, ?). */
  readonly numbers: number;
  readonly texts: number;
  readonly missing: number;
  /** Number of distinct values; counting stops at `maxCategories` + 1. */
  readonly distinct: number;
  readonly suggested: ColumnRole;
}

export interface CsvPreview {
  readonly delimiter: string;
  readonly header: boolean;
  readonly columns: readonly CsvColumn[];
  readonly rows: number;
  /** The first rows, as text. */
  readonly sample: readonly (readonly string[])[];
}

export interface CsvOptions {
  readonly delimiter: string;
  readonly header: boolean;
  /** A role for each column, in order. Exactly one target. */
  readonly roles: readonly ColumnRole[];
  readonly task: "classification" | "regression";
  /** Rows with a missing value: refused with their line, dropped, or filled with the column's mean (for a category, with 0 for each value). */
  readonly missing: "refuse" | "drop" | "fill";
}

export interface CsvTable {
  readonly count: number;
  /** Feature names; a category has one feature per value, named `column=value`. */
  readonly featureNames: readonly string[];
  /** `[count, features]` */
  readonly features: Float32Array;
  readonly targets: Float32Array;
  /** Empty for regression. */
  readonly classNames: readonly string[];
  /** Number of rows dropped, and of values filled. */
  readonly dropped: number;
  readonly filled: number;
}

const missingValues = new Set(["", "na", "n/a", "nan", "null", "none", "?"]);
const isMissing = (text: string) => missingValues.has(text.trim().toLowerCase());
/** Number in a cell; NaN for other text. */
const numberIn = (text: string) => (text.trim() === "" ? NaN : Number(text));

interface Row {
  readonly values: readonly string[];
  /** Line of the file on which the row ends, from 1. */
  readonly line: number;
}

/** Maximum bytes of a row: a file without line ends is not a table. */
const maxRowBytes = 2 ** 20;
const maxColumns = 10_000;
/** Characters of a cell in a preview; the rest is cut off. */
const maxCell = 500;

/** Rows in order, without the header. @throws Error naming the file and the line of a row with another number of values than the first */
async function* rowsOf(path: string, { delimiter, header }: Pick<CsvOptions, "delimiter" | "header">, onRead: (bytes: number) => void = () => undefined): AsyncGenerator<Row> {
  const source = createReadStream(path);
  source.on("data", (chunk) => onRead(chunk.length));
  const parser: Parser = source.pipe(parse({ delimiter, bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true, max_record_size: maxRowBytes }));
  source.once("error", (error) => parser.destroy(error));
  let width: number | null = null;
  let first = true;
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      width ??= record.length;
      if (record.length !== width) throw new Error(`${path}, line ${info.lines}: ${record.length} values, but the first row has ${width}`);
      if (first && header) {
        first = false;
        continue;
      }
      first = false;
      yield { values: record, line: info.lines };
    }
  } catch (error) {
    if (error instanceof CsvError && error.code === "CSV_MAX_RECORD_SIZE") {
      throw new Error(`${path}, line ${parser.info.lines}: the row has more than ${formatBytes(maxRowBytes)}, which is no table, or a quote is not closed`, { cause: error });
    }
    const message = messageOf(error);
    throw message.startsWith(path) ? error : new Error(`${path}: ${message}`, { cause: error });
  } finally {
    // A caller that stops early would leave the file open.
    source.destroy();
  }
}

async function firstRow(path: string, delimiter: string): Promise<readonly string[]> {
  for await (const { values } of rowsOf(path, { delimiter, header: false })) return values;
  throw new Error(`${path}: the file has no rows`);
}

/** The delimiter that splits the first row into the most values. */
async function guessDelimiter(path: string): Promise<string> {
  let best = { delimiter: ",", width: 0 };
  for (const delimiter of [",", ";", "\t", "|"]) {
    // Quoted values may not parse with a wrong delimiter.
    const width = await firstRow(path, delimiter).then(({ length }) => length, () => 0);
    if (width > best.width) best = { delimiter, width };
  }
  return best.delimiter;
}

/**
 * Statistics of each column, over all rows.
 * @throws Error naming the file, and the line of a ragged row or of a byte that is not UTF-8
 */
export async function previewCsv(path: string, chosen: Partial<Pick<CsvOptions, "delimiter" | "header">> = {}, onRead?: (bytes: number) => void): Promise<CsvPreview> {
  await requireUtf8(path, onRead);
  const delimiter = chosen.delimiter ?? (await guessDelimiter(path));
  const top = await firstRow(path, delimiter);
  if (top.length > maxColumns) throw new Error(`${path}: ${top.length} columns; at most ${maxColumns} are allowed`);
  // A header has no numbers. Only its first value may be empty: pandas writes row numbers below it.
  const header = chosen.header ?? top.every((value, i) => Number.isNaN(numberIn(value)) && (!isMissing(value) || (i === 0 && value === "" && top.length > 1)));
  const counts = top.map(() => ({ numbers: 0, texts: 0, missing: 0, values: new Set<string>() }));
  const sample: (readonly string[])[] = [];
  let rows = 0;
  for await (const { values } of rowsOf(path, { delimiter, header }, onRead)) {
    rows++;
    if (sample.length < 50) sample.push(values.map((value) => value.slice(0, maxCell)));
    values.forEach((value, i) => {
      const count = counts[i]!;
      if (isMissing(value)) count.missing++;
      else if (Number.isNaN(numberIn(value))) count.texts++;
      else count.numbers++;
      if (count.values.size <= maxCategories && !isMissing(value)) count.values.add(value);
    });
  }
  if (rows === 0) throw new Error(`${path}: the file has a header but no rows`);
  const columns = counts.map(({ numbers, texts, missing, values }, i): CsvColumn => {
    const isIndex = header && i === 0 && top[i] === "";
    const suggested = i === counts.length - 1 ? "target" : isIndex ? "ignore" : isMostlyNumbers({ numbers, texts }) ? "number" : values.size <= maxCategories ? "category" : "ignore";
    return { name: (header && top[i]) || `column ${i + 1}`, numbers, texts, missing, distinct: values.size, suggested };
  });
  return { delimiter, header, columns, rows, sample };
}

/** Encoding of one column as features. */
interface Encoding {
  readonly column: number;
  readonly names: readonly string[];
  /** Feature values of a cell; null when it is not a number. */
  encode(text: string): readonly number[] | null;
}

/** Times that an import reads a file: characters, columns, categories, values. */
const passes = 4;

/**
 * Reads a table as numbers, rows in the order of the file.
 * @throws Error naming the file, the line and the column of a value that does not fit its role
 */
export async function readCsv(path: string, options: CsvOptions, onProgress?: OnProgress): Promise<CsvTable> {
  const onRead = byteCounter((await stat(path)).size, passes, onProgress);
  const { columns, rows } = await previewCsv(path, options, onRead);
  const targets = options.roles.flatMap((role, i) => (role === "target" ? [i] : []));
  if (options.roles.length !== columns.length) throw new Error(`${path} has ${columns.length} columns, but ${options.roles.length} roles were given`);
  if (targets.length !== 1) throw new Error(`${path}: ${targets.length} columns are the target; exactly one must be`);
  const [target] = targets as [number];
  const { encodings, classNames } = await encodingsOf(path, options, columns, target, onRead);
  if (encodings.length === 0) throw new Error(`${path}: no column is a feature; give at least one the role number or category`);

  const width = encodings.reduce((sum, { names }) => sum + names.length, 0);
  requireStorable(path, 4 * rows * width);
  const features = new Float32Array(rows * width);
  const wanted = new Float32Array(rows);
  let [count, dropped, filled] = [0, 0, 0];
  for await (const { values, line } of rowsOf(path, options, onRead)) {
    const at = (column: number) => `${path}, line ${line}, column ${columns[column]!.name}`;
    const gaps = encodings.filter(({ column }) => isMissing(values[column]!));
    const targetMissing = isMissing(values[target]!);
    if (options.missing === "refuse" && (gaps.length > 0 || targetMissing)) throw new Error(`${at(targetMissing ? target : gaps[0]!.column)}: the value is missing`);
    // A missing target cannot be filled.
    if (targetMissing || (options.missing === "drop" && gaps.length > 0)) {
      dropped++;
      continue;
    }
    filled += gaps.length;
    let next = count * width;
    for (const { column, encode } of encodings) {
      const encoded = encode(values[column]!);
      if (!encoded) throw new Error(`${at(column)}: ${JSON.stringify(values[column])} is not a number; correct it, make the column a category, or ignore the column`);
      for (const value of encoded) features[next++] = value;
    }
    const value = options.task === "classification" ? classNames.indexOf(values[target]!) : numberIn(values[target]!);
    if (!Number.isFinite(value)) throw new Error(`${at(target)}: ${JSON.stringify(values[target])} is not a number, which regression needs`);
    wanted[count++] = value;
  }
  if (count === 0) throw new Error(`${path}: no row is left without missing values`);
  return {
    count,
    featureNames: encodings.flatMap(({ names }) => names),
    features: features.subarray(0, count * width),
    targets: wanted.subarray(0, count),
    classNames,
    dropped,
    filled,
  };
}

async function encodingsOf(path: string, options: CsvOptions, columns: readonly CsvColumn[], target: number, onRead: (bytes: number) => void) {
  const sums = columns.map(() => ({ sum: 0, count: 0 }));
  const categories = columns.map(() => new Set<string>());
  for await (const { values } of rowsOf(path, options, onRead)) {
    values.forEach((value, i) => {
      if (isMissing(value)) return;
      const number = numberIn(value);
      if (Number.isFinite(number)) {
        sums[i]!.sum += number;
        sums[i]!.count++;
      }
      if (options.roles[i] === "category" || i === target) categories[i]!.add(value);
    });
  }
  const sorted = (i: number) => [...categories[i]!].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const encodings = options.roles.flatMap((role, column): Encoding[] => {
    const { name } = columns[column]!;
    if (role === "number") {
      const { sum, count } = sums[column]!;
      return [{ column, names: [name], encode: (text) => (isMissing(text) ? [sum / Math.max(count, 1)] : Number.isFinite(numberIn(text)) ? [numberIn(text)] : null) }];
    }
    if (role !== "category") return [];
    const values = sorted(column);
    if (values.length > maxCategories) throw new Error(`${path}: column ${name} has more than ${maxCategories} different values, too many for a category; make it a number or ignore it`);
    return [{ column, names: values.map((value) => `${name}=${value}`), encode: (text) => values.map((value) => (value === text ? 1 : 0)) }];
  });
  const classNames = options.task === "classification" ? sorted(target) : [];
  if (options.task === "classification" && (classNames.length < 2 || classNames.length > maxCategories)) {
    throw new Error(`${path}: the target ${columns[target]!.name} has ${classNames.length} different values; a classification needs 2 to ${maxCategories}`);
  }
  return { encodings, classNames };
}
