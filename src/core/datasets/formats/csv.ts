/** Reads tables: previews of their columns, and their rows as numbers. */
import { isMostlyNumbers, maxCategories, maxClasses, type ColumnRole } from "../../../shared/datasets.ts";
import { splitInCell, useOf, type SplitName, type ValidationUse } from "../../../shared/dataSplits.ts";
import { byteCounter, type OnProgress } from "../progress.ts";
import { take } from "../split.ts";
import { DecimalGuess, isMissing, looksLikeDate, looksLikeNumber, numberIn, type Decimal } from "./cells.ts";
import { requireStorable } from "./packed.ts";
import { openTable, type Row, type TableSource } from "./tableRows.ts";

export interface CsvColumn {
  readonly name: string;
  /** Number of rows with a number, with other text, and with a missing value (empty, NA, NaN, null, ?). */
  readonly numbers: number;
  readonly texts: number;
  /** Number of texts that look like numbers in a notation that is not read. */
  readonly foreign: number;
  readonly missing: number;
  /** Number of distinct values; counting stops at `maxCategories` + 1. */
  readonly distinct: number;
  /** Where the column has dates. */
  readonly dates?: true;
  readonly suggested: ColumnRole;
}

export interface CsvPreview {
  readonly delimiter: string;
  readonly header: boolean;
  readonly decimal: Decimal;
  readonly columns: readonly CsvColumn[];
  readonly rows: number;
  /** The first rows, as text. */
  readonly sample: readonly (readonly string[])[];
}

export interface CsvOptions {
  readonly delimiter: string;
  readonly header: boolean;
  /** Decimal points by default. */
  readonly decimal?: Decimal | undefined;
  /** A role for each column, in order. Exactly one target. */
  readonly roles: readonly ColumnRole[];
  readonly task: "classification" | "regression";
  /** Rows with a missing value: refused with their line, dropped, or filled with the column's mean (for a category, with 0 for each value). */
  readonly missing: "refuse" | "drop" | "fill";
  /** Files of the parts besides the first one, with the same columns. */
  readonly parts?: readonly { readonly path: string; readonly split: SplitName }[] | undefined;
  /** What becomes of validation rows beside test rows; trained on by default. */
  readonly validation?: ValidationUse | undefined;
}

export interface CsvTable {
  readonly count: number;
  /** The last so many rows are for testing; 0 where the test rows are yet to be drawn. */
  readonly testExamples: number;
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

const maxColumns = 10_000;
/** Characters of a cell in a preview; the rest is cut off. */
const maxCell = 500;

type Form = Pick<CsvOptions, "delimiter" | "header">;
type OnRead = (bytes: number) => void;

/** Rows in order, without the header. @throws Error naming the file and the line of a row with another number of values than the first */
async function* rowsOf(source: TableSource, { delimiter, header }: Form, onRead?: OnRead): AsyncGenerator<Row> {
  let width: number | null = null;
  for await (const row of source.rows(delimiter, onRead)) {
    const isFirst = width === null;
    width ??= row.values.length;
    if (row.values.length !== width) throw new Error(`${source.path}, ${row.at}: ${row.values.length} values, but the first row has ${width}`);
    if (!(isFirst && header)) yield source.named ? { ...row, values: row.values.map((value) => value.trim()) } : row;
  }
}

/** At most the first `count` rows, the header among them. */
async function firstRows(source: TableSource, delimiter: string, count: number): Promise<(readonly string[])[]> {
  const found: (readonly string[])[] = [];
  for await (const { values } of rowsOf(source, { delimiter, header: false })) {
    found.push(values);
    if (found.length === count) break;
  }
  if (found.length === 0) throw new Error(`${source.path}: the file has no rows`);
  return found;
}

/** The delimiter that splits the first row into the most values. */
async function guessDelimiter(source: TableSource): Promise<string> {
  let best = { delimiter: ",", width: 0 };
  for (const delimiter of [",", ";", "\t", "|"]) {
    // Quoted values may not parse with a wrong delimiter.
    const width = await firstRows(source, delimiter, 1).then(([row]) => row!.length, () => 0);
    if (width > best.width) best = { delimiter, width };
  }
  return best.delimiter;
}

/** Column of row numbers that pandas and R write before the others, without a name. */
const isIndexName = (name: string | undefined) => name === "" || name === "Unnamed: 0";

/** Whether the first row names the columns. */
function looksLikeHeader([top = [], ...rows]: readonly (readonly string[])[]): boolean {
  const isNumber = (value: string) => !Number.isNaN(numberIn(value)) || !Number.isNaN(numberIn(value, ","));
  const hasIndex = isIndexName(top[0]) && top.length > 1;
  if (top.every((value, i) => !isNumber(value) && (!isMissing(value) || (i === 0 && hasIndex)))) return true;
  // pandas names columns without a name by their numbers.
  const isNumbered = top.every((value, i) => (i === 0 && hasIndex) || !isNumber(value) || Number(value) === i - (hasIndex ? 1 : 0));
  if (isNumbered && (hasIndex || top.length >= 3)) return true;
  const rest = rows.slice(0, 20);
  const isAboveNumbers = (i: number) => !isNumber(top[i]!) && !isMissing(top[i]!) && rest.every((row) => isNumber(row[i] ?? "") || isMissing(row[i] ?? "")) && rest.some((row) => isNumber(row[i] ?? ""));
  return hasIndex || top.some((_, i) => isAboveNumbers(i));
}

/** Counts of a column's cells, by the decimal separator. */
class ColumnCounts {
  readonly numbers = { ".": 0, ",": 0 };
  readonly foreign = { ".": 0, ",": 0 };
  readonly values = new Set<string>();
  missing = 0;
  dates = 0;

  add(value: string): void {
    if (isMissing(value)) {
      this.missing++;
      return;
    }
    for (const decimal of [".", ","] as const) {
      if (!Number.isNaN(numberIn(value, decimal))) this.numbers[decimal]++;
      else if (looksLikeNumber(value)) this.foreign[decimal]++;
    }
    if (looksLikeDate(value)) this.dates++;
    if (this.values.size <= maxCategories) this.values.add(value);
  }
}

/** Whether a column says which rows are for training and which for testing. */
function saysSplit(name: string, values: ReadonlySet<string>): boolean {
  const splits = new Set([...values].slice(0, 4).map(splitInCell));
  if (values.size < 2 || values.size > 3 || splits.has(null) || !splits.has("train")) return false;
  return /^(split|set|subset|partition|fold|usage|is_?test|test)$/i.test(name) || [...values].every((value) => /[a-z]/i.test(value) && !/^(true|false)$/i.test(value));
}

/**
 * Statistics of each column, over all rows.
 * @throws Error naming the file, and the line of a ragged row or of a byte that is not UTF-8
 */
export async function previewCsv(path: string, chosen: Partial<Pick<CsvOptions, "delimiter" | "header" | "decimal">> = {}, onRead?: OnRead): Promise<CsvPreview> {
  const source = await openTable(path);
  await source.check(onRead);
  const delimiter = source.named ? "," : (chosen.delimiter ?? (await guessDelimiter(source)));
  const [top = [], ...more] = await firstRows(source, delimiter, 21);
  requireColumns(path, top);
  const header = source.named || (chosen.header ?? looksLikeHeader([top, ...more]));
  const counts = top.map(() => new ColumnCounts());
  const guess = new DecimalGuess();
  const sample: (readonly string[])[] = [];
  let rows = 0;
  for await (const { values } of rowsOf(source, { delimiter, header }, onRead)) {
    rows++;
    if (sample.length < 50) sample.push(values.map((value) => value.slice(0, maxCell)));
    values.forEach((value, i) => {
      counts[i]!.add(value);
      guess.add(value);
    });
  }
  if (rows === 0) throw new Error(`${path}: the file has a header but no rows`);
  const decimal = chosen.decimal ?? (source.named ? "." : guess.decimal(delimiter));
  const names = namesOf(top, header);
  const isSplit = counts.map(({ values }, i) => header && saysSplit(names[i]!, values));
  const isDates = counts.map(({ dates, missing }) => dates > 0 && dates >= 0.95 * (rows - missing));
  // A time is rarely what is to be predicted.
  const likely = isSplit.map((split, i) => !split && !isDates[i]!);
  const target = likely.includes(true) ? likely.lastIndexOf(true) : isSplit.lastIndexOf(false);
  const columns = counts.map(({ numbers, foreign, missing, values }, i): CsvColumn => {
    const kinds = { numbers: numbers[decimal], texts: rows - missing - numbers[decimal], foreign: foreign[decimal] };
    const isIndex = header && i === 0 && isIndexName(top[i]);
    const suggested = i === target ? "target" : isSplit[i] ? "split" : isIndex || isDates[i] ? "ignore" : isMostlyNumbers(kinds) ? "number" : values.size <= maxCategories ? "category" : "ignore";
    return { name: names[i]!, ...kinds, missing, distinct: values.size, ...(isDates[i] ? { dates: true as const } : {}), suggested };
  });
  return { delimiter, header, decimal, columns, rows, sample };
}

function requireColumns(path: string, top: readonly string[]): void {
  if (top.length > maxColumns) throw new Error(`${path}: ${top.length} columns; at most ${maxColumns} are allowed`);
}

const namesOf = (top: readonly string[], header: boolean) => top.map((value, i) => (header && value) || `column ${i + 1}`);

/** A file with its part of the data. */
interface Part {
  readonly source: TableSource;
  readonly split: SplitName;
}

/** A row with its part. */
interface PartRow extends Row {
  readonly path: string;
  readonly split: SplitName;
}

/** Rows of all parts in order; a split column says the part of a row of the first file. */
async function* rowsOfParts(parts: readonly Part[], options: CsvOptions, names: readonly string[], onRead?: OnRead): AsyncGenerator<PartRow> {
  const column = options.roles.indexOf("split");
  for (const { source, split } of parts) {
    for await (const row of rowsOf(source, options, onRead)) {
      const said = column >= 0 && source === parts[0]!.source ? splitInCell(row.values[column]!) : split;
      if (said === null) throw new Error(`${source.path}, ${row.at}, column ${names[column]!}: ${JSON.stringify(row.values[column])} says no part; allowed: train, test and validation, or 0 and 1, where 1 is for testing`);
      yield { ...row, path: source.path, split: said };
    }
  }
}

async function openParts(path: string, { parts = [], delimiter, header }: CsvOptions, names: readonly string[]): Promise<Part[]> {
  const others = await Promise.all(parts.map(async ({ path: other, split }) => ({ source: await openTable(other), split })));
  for (const { source } of others) {
    const [top = []] = await firstRows(source, delimiter, 1);
    const found = namesOf(top, header || source.named);
    const lacking = names.filter((name) => !found.includes(name));
    if (lacking.length > 0) throw new Error(`${source.path} has no column ${lacking.join(", ")}, which ${path} has; both need the same columns in the same order`);
    if (found.join("\n") !== names.join("\n")) throw new Error(`${source.path} has the columns ${found.join(", ")}, but ${path} has ${names.join(", ")}; both need the same in the same order`);
  }
  return others;
}

/** Encoding of one column as features. */
interface Encoding {
  readonly column: number;
  readonly names: readonly string[];
  /** Feature values of a cell; null when it is not a number. */
  encode(text: string): readonly number[] | null;
}

/** Times that an import reads a file: characters, categories, values. */
const passes = 3;

/**
 * Reads a table as numbers, rows in the order of the file, test rows last.
 * @throws Error naming the file, the line and the column of a value that does not fit its role
 */
export async function readCsv(path: string, options: CsvOptions, onProgress?: OnProgress): Promise<CsvTable> {
  const first = await openTable(path);
  const [top = []] = await firstRows(first, options.delimiter, 1);
  requireColumns(path, top);
  const names = namesOf(top, options.header);
  const parts = [{ source: first, split: "train" as const }, ...(await openParts(path, options, names))];
  const onRead = byteCounter(parts.reduce((sum, { source }) => sum + source.bytes, 0), passes, onProgress);
  for (const { source } of parts) await source.check(onRead);

  const targets = options.roles.flatMap((role, i) => (role === "target" ? [i] : []));
  if (options.roles.length !== names.length) throw new Error(`${path} has ${names.length} columns, but ${options.roles.length} roles were given`);
  if (targets.length !== 1) throw new Error(`${path}: ${targets.length} columns are the target; exactly one must be`);
  if (options.roles.filter((role) => role === "split").length > 1) throw new Error(`${path}: several columns say the split; at most one can`);
  const [target] = targets as [number];
  const { encodings, classNames, rows, splits } = await encodingsOf(path, parts, options, names, target, onRead);
  if (encodings.length === 0) throw new Error(`${path}: no column is a feature; give at least one the role number or category`);
  const hasTest = splits.has("test");
  const isOwn = splits.size > 1;
  if (isOwn && !splits.has("train")) throw new Error(`${path}: no row is for training`);

  const width = encodings.reduce((sum, { names: own }) => sum + own.length, 0);
  requireStorable(path, 4 * rows * width);
  const features = new Float32Array(rows * width);
  const wanted = new Float32Array(rows);
  const isTest = new Uint8Array(rows);
  const classOf = new Map(classNames.map((name, index) => [name, index]));
  let [count, dropped, filled] = [0, 0, 0];
  for await (const { values, at: where, path: file, split } of rowsOfParts(parts, options, names, onRead)) {
    const use = isOwn ? useOf(split, hasTest, options.validation ?? "train") : "train";
    if (use === "leave") continue;
    const at = (column: number) => `${file}, ${where}, column ${names[column]!}`;
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
    const value = options.task === "classification" ? classOf.get(values[target]!)! : numberIn(values[target]!, options.decimal);
    if (!Number.isFinite(value)) throw new Error(`${at(target)}: ${JSON.stringify(values[target])} is not a number, which regression needs`);
    isTest[count] = use === "test" ? 1 : 0;
    wanted[count++] = value;
  }
  if (count === 0) throw new Error(`${path}: no row is left without missing values`);
  const read = { count, features: features.subarray(0, count * width), labels: wanted.subarray(0, count) };
  const ordered = testLast(path, read, isTest.subarray(0, count), isOwn);
  return { count, testExamples: ordered.testExamples, featureNames: encodings.flatMap(({ names: own }) => own), features: ordered.features, targets: ordered.labels, classNames, dropped, filled };
}

/** Moves the test rows to the end, where they are not there already. */
function testLast(path: string, examples: { readonly count: number; readonly features: Float32Array; readonly labels: Float32Array }, isTest: Uint8Array, isOwn: boolean) {
  const testExamples = isTest.reduce((sum, is) => sum + is, 0);
  if (!isOwn) return { ...examples, testExamples: 0 };
  if (testExamples === 0 || testExamples === examples.count) throw new Error(`${path}: no row for ${testExamples === 0 ? "testing" : "training"} is left without missing values`);
  if (isTest.subarray(0, examples.count - testExamples).every((is) => is === 0)) return { ...examples, testExamples };
  const indices = Array.from(isTest, (_, i) => i);
  const order = Uint32Array.from([...indices.filter((i) => isTest[i] === 0), ...indices.filter((i) => isTest[i] === 1)]);
  const moved = take(examples, order);
  return { features: moved.features as Float32Array, labels: moved.labels as Float32Array, testExamples };
}

async function encodingsOf(path: string, parts: readonly Part[], options: CsvOptions, columns: readonly string[], target: number, onRead: OnRead) {
  const sums = columns.map(() => ({ sum: 0, count: 0 }));
  const categories = columns.map(() => new Set<string>());
  const splits = new Set<SplitName>();
  let rows = 0;
  for await (const { values, split } of rowsOfParts(parts, options, columns, onRead)) {
    rows++;
    splits.add(split);
    values.forEach((value, i) => {
      if (isMissing(value)) return;
      if (options.roles[i] === "category" || i === target) categories[i]!.add(value);
      // Gaps are filled with what training rows say.
      if (options.roles[i] !== "number" || split === "test") return;
      const number = numberIn(value, options.decimal);
      if (!Number.isFinite(number)) return;
      sums[i]!.sum += number;
      sums[i]!.count++;
    });
  }
  if (rows === 0) throw new Error(`${path}: the file has a header but no rows`);
  const sorted = (i: number) => [...categories[i]!].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const encodings = options.roles.flatMap((role, column): Encoding[] => {
    const name = columns[column]!;
    if (role === "number") {
      const { sum, count } = sums[column]!;
      const read = (text: string) => numberIn(text, options.decimal);
      return [{ column, names: [name], encode: (text) => (isMissing(text) ? [sum / Math.max(count, 1)] : Number.isFinite(read(text)) ? [read(text)] : null) }];
    }
    if (role !== "category") return [];
    const values = sorted(column);
    if (values.length > maxCategories) throw new Error(`${path}: column ${name} has more than ${maxCategories} different values, too many for a category; make it a number or ignore it`);
    return [{ column, names: values.map((value) => `${name}=${value}`), encode: (text) => values.map((value) => (value === text ? 1 : 0)) }];
  });
  const classNames = options.task === "classification" ? sorted(target) : [];
  if (options.task === "classification" && (classNames.length < 2 || classNames.length > maxClasses)) {
    throw new Error(`${path}: the target ${columns[target]!} has ${classNames.length} different values; a classification needs 2 to ${maxClasses}`);
  }
  return { encodings, classNames, rows, splits };
}
