/** Rows of tables as text: from CSV, JSON lines, JSON and Parquet files. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { CsvError, parse, type Info, type Parser } from "csv-parse";
import { messageOf } from "../../../shared/errors.ts";
import { formatBytes } from "../../../shared/format.ts";
import { chunksOf, wholeFile } from "../chunks.ts";
import { cellOf, openParquet } from "./parquet.ts";
import { requireUtf8 } from "./utf8.ts";

export interface Row {
  readonly values: readonly string[];
  /** Where the row is in its file, from 1: `line 3` or `row 3`. */
  readonly at: string;
}

type OnRead = (bytes: number) => void;

/** A file with a table. */
export interface TableSource {
  readonly path: string;
  readonly bytes: number;
  /** The file names its columns itself: they are the first of the rows. */
  readonly named: boolean;
  /** Checks the characters of a text file. @throws Error naming the line and the byte */
  check(onRead?: OnRead): Promise<void>;
  /** All rows in order. @param delimiter of a CSV file */
  rows(delimiter: string, onRead?: OnRead): AsyncGenerator<Row>;
}

/** Maximum bytes of a row: a file without line ends is not a table. */
const maxRowBytes = 2 ** 20;
/** Maximum bytes of a line of JSON, which may hold long texts that are ignored. */
const maxJsonBytes = 2 ** 24;

const formats: Readonly<Record<string, (path: string, bytes: number) => TableSource>> = { jsonl: jsonLines, ndjson: jsonLines, json: jsonRecords, parquet, csv };

/** Endings of the names of files with tables. */
export const tableEndings = [".csv", ".tsv", ".data", ".jsonl", ".ndjson", ".json", ".parquet"] as const;

/** Opens a table; the form of the file is told by its name. */
export async function openTable(path: string): Promise<TableSource> {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  return (Object.hasOwn(formats, ending) ? formats[ending]! : csv)(path, (await stat(path)).size);
}

function csv(path: string, bytes: number): TableSource {
  return { path, bytes, named: false, check: (onRead) => requireUtf8(path, onRead), rows: (delimiter, onRead) => csvRows(path, delimiter, onRead) };
}

async function* csvRows(path: string, delimiter: string, onRead: OnRead = () => undefined): AsyncGenerator<Row> {
  const source = createReadStream(path);
  source.on("data", (chunk) => onRead(chunk.length));
  const parser: Parser = source.pipe(parse({ delimiter, bom: true, info: true, relax_column_count: true, skip_empty_lines: true, trim: true, max_record_size: maxRowBytes }));
  source.once("error", (error) => parser.destroy(error));
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) yield { values: record, at: `line ${info.lines}` };
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

function parquet(path: string, bytes: number): TableSource {
  return {
    path,
    bytes,
    named: true,
    check: async (onRead) => onRead?.(bytes),
    rows: (_, onRead) => parquetRows(path, bytes, onRead),
  };
}

async function* parquetRows(path: string, bytes: number, onRead: OnRead = () => undefined): AsyncGenerator<Row> {
  const file = await openParquet(path);
  try {
    const names = file.columns.flatMap(({ name, kind }) => (kind === "image" ? [] : [name]));
    yield { values: names, at: "the columns" };
    let row = 0;
    for await (const values of file.rows(names)) {
      onRead(bytes / file.count);
      yield { values: names.map((name) => cellOf(values[name])), at: `row ${++row}` };
    }
  } finally {
    await file.close();
  }
}

/** A line or entry of JSON that describes one row. */
interface JsonRow {
  readonly record: Readonly<Record<string, unknown>>;
  readonly at: string;
}

function jsonTable(path: string, bytes: number, read: (onRead?: OnRead) => AsyncGenerator<JsonRow>): TableSource {
  /** Every key of any row, in the order in which they appear. */
  let columns: readonly string[] | undefined;
  return {
    path,
    bytes,
    named: true,
    check: (onRead) => requireUtf8(path, onRead),
    async *rows(_, onRead) {
      if (!columns) {
        const found = new Set<string>();
        for await (const { record } of read()) for (const key of Object.keys(record)) found.add(key);
        columns = [...found];
      }
      yield { values: columns, at: "the keys" };
      for await (const { record, at } of read(onRead)) yield { values: columns.map((name) => (Object.hasOwn(record, name) ? cellOf(record[name]) : "")), at };
    },
  };
}

function jsonLines(path: string, bytes: number): TableSource {
  return jsonTable(path, bytes, async function* (onRead) {
    let line = 0;
    for await (const text of linesOf(path, onRead)) {
      line++;
      if (text.trim() === "") continue;
      yield { record: recordIn(path, `line ${line}`, parsed(path, `line ${line}`, text)), at: `line ${line}` };
    }
  });
}

function jsonRecords(path: string, bytes: number): TableSource {
  return jsonTable(path, bytes, async function* (onRead) {
    const text = new TextDecoder().decode(await wholeFile(path));
    const rows = parsed(path, "the file", text);
    if (!Array.isArray(rows)) throw new Error(`${path} must hold an array of records, as pandas writes by to_json(orient="records"); name a file with a record a line .jsonl`);
    onRead?.(bytes);
    for (const [i, row] of rows.entries()) yield { record: recordIn(path, `row ${i + 1}`, row), at: `row ${i + 1}` };
  });
}

function parsed(path: string, at: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path}, ${at}: not JSON: ${messageOf(error)}`, { cause: error });
  }
}

function recordIn(path: string, at: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${path}, ${at}: not an object such as {"a": 1, "b": "x"}`);
  return value as Readonly<Record<string, unknown>>;
}

const lineFeed = 0x0a;

async function* linesOf(path: string, onRead: OnRead = () => undefined): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: Uint8Array[] = [];
  let held = 0;
  const take = (end: Uint8Array) => {
    const text = decoder.decode(Buffer.concat([...rest, end]));
    [rest, held] = [[], 0];
    return text;
  };
  let line = 1;
  for await (const piece of chunksOf(path)) {
    onRead(piece.length);
    let from = 0;
    for (let at = piece.indexOf(lineFeed); at >= 0; at = piece.indexOf(lineFeed, from)) {
      yield take(piece.subarray(from, at));
      from = at + 1;
      line++;
    }
    rest.push(Uint8Array.from(piece.subarray(from)));
    held += piece.length - from;
    if (held > maxJsonBytes) throw new Error(`${path}, line ${line}: the line has more than ${formatBytes(maxJsonBytes)}`);
  }
  if (held > 0) yield take(new Uint8Array(0));
}
